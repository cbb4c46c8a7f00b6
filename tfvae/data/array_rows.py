"""Arrays of files as columns: which field an array is, and how its rows are stored."""

from collections.abc import Mapping

import numpy as np

from tfvae.data.fields import HOLE, Field
from tfvae.data.rows import FetchedRows, Rows
from tfvae.data.validate import check_values, extent
from tfvae.errors import UserError

ArrayParts = Mapping[str, np.ndarray]  # what messages call it -> the training and any test array


def rows_of(parts: ArrayParts, name: str, codes: bool = False) -> dict[str, Rows]:
    """Checked rows of each part, of one field that fits all.

    Images are uint8, bool or floats in [0, 1], and three axes are grey images without a channel. A
    vector or number is a pixel where it is uint8 or all values lie in [0, 1], else any real. int32
    with three axes are codes, as a model's `encode` returns them, from 0 to the greatest. In
    columns other than x whole numbers are labels: int32, from 0 to the greatest; in that of the
    name label -1 is one not known.

    Args:
        parts: arrays `[N, ...]`.
        name: of the column.
        codes: whether x are codes, of however many axes.

    Raises:
        ValueError: empty, no numbers, not finite, of different shapes, or images outside [0, 1].
    """
    for what, part in parts.items():
        if codes and part.dtype.kind not in "iu":
            raise UserError(
                f"{what} has dtype {part.dtype}; expected whole numbers, which codes are. Call "
                "reals x_train and x_test."
            )
    of_codes = codes or (name == "x" and all(map(_is_codes, parts.values())))
    parts = {what: part if of_codes else _with_axes(part) for what, part in parts.items()}
    for what, part in parts.items():
        if 0 in part.shape or not part.ndim:
            raise UserError(
                f"{what} is empty: its shape is {part.shape}. Expected at least one example, "
                "[N, ...]."
            )
    shapes = {what: part.shape[1:] for what, part in parts.items()}
    if len(set(shapes.values())) > 1:
        found = " and ".join(f"{what} examples of shape {shape}" for what, shape in shapes.items())
        raise UserError(f"The parts differ: {found}. Expected one shape.")
    of_labels = of_codes or (name != "x" and all(map(_is_label, parts.values())))
    field = _label_field(parts, name) if of_labels else _data_field(parts)
    return {what: _stored(part, field, what) for what, part in parts.items()}


def _with_axes(array: np.ndarray) -> np.ndarray:
    """Grey images get their channel, and columns of one number lose an axis."""
    if array.ndim == 3:
        return array[..., None]
    return array.reshape(-1) if array.ndim == 2 and array.shape[1] == 1 else array


def _is_label(array: np.ndarray) -> bool:
    whole = np.issubdtype(array.dtype, np.integer) or array.dtype == bool
    return whole and (array.ndim == 1 or array.dtype not in (bool, np.uint8))


def _is_codes(array: np.ndarray) -> bool:
    return array.ndim == 3 and array.dtype == np.int32


def _label_field(parts: ArrayParts, name: str) -> Field:
    extents = [extent(part) for part in parts.values()]
    least, most = min(low for low, _ in extents), max(high for _, high in extents)
    if name == "label" and least == HOLE and most >= 0 and not _event(parts):
        return Field.label(int(most) + 1, holes=True)
    return Field(_event(parts), "int32", (0, int(most)) if least >= 0 else None)


def _data_field(parts: ArrayParts) -> Field:
    for what, part in parts.items():
        real = np.issubdtype(part.dtype, np.floating) or part.dtype in (bool, np.uint8)
        if not real and not (part.ndim < 3 and np.issubdtype(part.dtype, np.integer)):
            raise UserError(
                f"{what} has dtype {part.dtype}; expected uint8 (0..255), floats in [0, 1] or "
                "bool. Convert it, for example x.astype('uint8')."
            )
    pixels = all(_of_pixels(part) for part in parts.values())
    return Field(_event(parts), interval=(0.0, 1.0) if pixels else None)


def _of_pixels(array: np.ndarray) -> bool:
    if array.ndim > 2 or array.dtype in (bool, np.uint8):
        return True
    low, high = extent(array)
    return np.issubdtype(array.dtype, np.floating) and low >= 0 and high <= 1


def _event(parts: ArrayParts) -> tuple[int, ...]:
    return next(iter(parts.values())).shape[1:]


def _stored(array: np.ndarray, field: Field, what: str) -> Rows:
    """Rows of an array: pixels as bytes where they are, everything else in the field's dtype."""
    if field.whole:
        check_values(array, field, what)
        return Rows(array.astype(np.int32), field)
    if array.dtype == bool:
        return Rows(array.astype(np.uint8) * np.uint8(255), field)
    of_bytes = array.dtype == np.uint8 and field.of_pixels
    if of_bytes:
        _refuse_black(array, what)
    else:
        check_values(array, field, what)
    dtype = np.uint8 if of_bytes else np.float32
    if not isinstance(array, np.memmap):
        return Rows(array.astype(dtype, copy=False), field)
    fetch = lambda indices: np.asarray(array[indices], dtype)  # noqa: E731
    return FetchedRows(fetch, np.arange(len(array)), field, dtype)


def _refuse_black(array: np.ndarray, what: str) -> None:
    most = int(extent(array)[1])
    if most <= 1:
        raise UserError(
            f"{what} has uint8 pixels of which none is above {most}; bytes are read as 0..255, so "
            "these images would be black. If they are bits, save them as bool: x.astype(bool)."
        )
