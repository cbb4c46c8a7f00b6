"""Arrays that are not what a field says are refused, with a message that says what to do."""

import math

import numpy as np
import tensorflow as tf

from tfvae.data.fields import HOLE, Field
from tfvae.data.spacing import check_spacing
from tfvae.errors import UserError, UserTypeError

_CHUNK = 1 << 22  # values a look: bounds the temporaries to some 20 MB
EXACT = 1 << 24  # whole numbers up to this are exact in float32
FLOAT32_MAX = float(np.finfo(np.float32).max)


def check_array(array: np.ndarray, field: Field, what: str = "x") -> None:
    """Checks that an array is a batch `[N, *shape]` of a field.

    Floats of any width are taken for real fields, and whole numbers where they cannot be mistaken
    for pixels; integers of any width for whole ones.

    Args:
        array: a NumPy array, or what `np.asarray` makes one of.
        field: what one example is.
        what: names the array in the message, such as "x".

    Raises:
        UserTypeError: for reals where whole numbers are due, and whole numbers where pixels are.
        UserError: wrong rank or shape, empty, not finite, or values outside the interval.
    """
    array = np.asarray(array)
    check_shape(array.shape, field, what)
    check_dtype(array.dtype, field, what)
    check_values(array, field, what)


def check_lengths(lengths: dict[str, int], what: str) -> None:
    """Raises `ValueError` unless all fields have one length."""
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise UserError(f"{what} has fields of different lengths: {counts}. Expected one length.")


def check_shape(shape: tuple, field: Field, what: str) -> None:
    """Raises `ValueError` unless a shape, unknown sizes as None, is `[N, *field.shape]`."""
    shape = tuple(shape)
    if 0 in shape:
        raise UserError(
            f"{what} is empty: its shape is {shape}. Expected at least one example, {field.batch}."
        )
    if len(shape) != len(field.shape) + 1:
        advice = _advice_on_rank(shape, field)
        raise UserError(
            f"{what} has rank {len(shape)} (shape {shape}); expected {field.batch}. {advice}"
        )
    if any(found not in (None, size) for found, size in zip(shape[1:], field.shape, strict=True)):
        advice = "Make the model for the data's shape, or resize the data."
        if len(field.shape) == 3 and shape[1:3] == field.shape[:2]:
            advice = "The last axis holds channels: 1 of grey images, 3 of colour."
        raise UserError(
            f"{what} has examples of shape {shape[1:]} and the model takes {field.shape}. {advice}"
        )


def _advice_on_rank(shape: tuple, field: Field) -> str:
    sizes = ", ".join(map(str, field.shape))
    if len(shape) == 2 and field.classes and shape[1] == len(field.classes):
        return "Labels are numbers, and no one-hot rows: x.argmax(axis=1)."
    if len(shape) == 2 and (shape[1] in (None, math.prod(field.shape)) or len(field.shape) > 1):
        return (
            f"Rows of flat examples need their axes back: x.reshape(-1, {sizes})."
            if sizes
            else "Drop the last axis: x.reshape(-1)."
        )
    if field.shape[-1:] == (1,) and len(shape) == len(field.shape):
        if shape == field.shape:
            return "A single example needs a batch axis, x[None]."
        return "Grey images need a channel axis, x[..., None]."
    if len(shape) == len(field.shape):
        return "A single example needs a batch axis, x[None]; batch(...) makes one in a data set."
    return f"Reshape it to {field.batch}."


def check_dtype(dtype: np.dtype, field: Field, what: str) -> None:
    """Raises `TypeError` for a kind of number that has no exact reading as the field's."""
    real = np.issubdtype(dtype, np.floating) or dtype == tf.bfloat16.as_numpy_dtype
    integer = np.issubdtype(dtype, np.integer)
    if field.nonempty and (integer or dtype == np.bool_):
        return  # a mask, whose 1 is no white
    if integer if field.whole else real:
        return
    if integer and not field.of_pixels:
        return
    if field.whole:
        advice = "Convert it: x.astype('int32')" + ", if no value is a fraction" * real
        raise UserTypeError(f"{what} has dtype {dtype}; expected {field.values}. {advice}.")
    # Whether 1 is black or white among whole numbers cannot be told.
    advice = "Convert it: x.astype('float32')" + ", scaled to [0, 1]." * field.of_pixels
    if dtype == np.uint8:
        advice = "Divide bytes by 255: x.astype('float32') / 255."
    raise UserTypeError(f"{what} has dtype {dtype}; expected float32 {field.values}. {advice}")


def check_values(array: np.ndarray, field: Field, what: str) -> None:
    """Raises `ValueError` for values that are not finite, not exact or not the field's."""
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    if field.missing:
        array = _present(array, field, what)
    if field.nonempty:
        _check_nonempty(array, what)
    if field.parts:
        for place, part in field.divided():
            named = f"{what}[:, {place.start}:{place.stop}]"
            check_values(np.ascontiguousarray(array[..., place]), part, named)
        return
    low, high = extent(array)
    if not (math.isfinite(low) and math.isfinite(high)):
        _refuse_non_finite(array, field, what)
    least, most = bounds(field, np.issubdtype(array.dtype, np.integer))
    if low < least or high > most:
        raise UserError(
            f"{what} has values from {low:.9g} to {high:.9g}; expected {field.values}. "
            f"{_advice_on_values(low, high, field)}"
        )
    if field.spacing is not None and not np.issubdtype(array.dtype, np.integer):
        check_spacing(array, field, what)


def _present(array: np.ndarray, field: Field, what: str) -> np.ndarray:
    """The array with the least of the field in the place of NaN, none of whose rows was all NaN."""
    lacking = np.isnan(array)
    empty = np.flatnonzero(lacking.reshape(len(array), -1).all(axis=1))
    if empty.size:
        raise UserError(
            f"{what} is NaN everywhere in example {empty[0]}, and {len(empty) - 1} more; expected "
            "at least one entry that is seen in each. Drop the examples of which nothing is."
        )
    return np.where(lacking, field.interval[0] if field.interval else 0.0, array)


def _check_nonempty(array: np.ndarray, what: str) -> None:
    empty = np.flatnonzero(~array.reshape(len(array), -1).any(axis=1))
    if empty.size:
        raise UserError(
            f"{what} is 0 everywhere in example {empty[0]}, and {len(empty) - 1} more; expected at "
            "least a one in each. Drop the examples of which nothing is seen or counts."
        )


def bounds(field: Field, of_integers: bool) -> tuple[float, float]:
    """The least and the most that an array may hold: by the interval, and for the field's dtype."""
    low, high = field.ends
    if field.whole:
        return max(low, -(2**31)), min(high, 2**31 - 1)
    held = EXACT if of_integers else FLOAT32_MAX
    return max(low, -held), min(high, held)


def extent(array: np.ndarray) -> tuple[float, float]:
    """The least and the greatest value; NaN where there is one, for both propagate it."""
    flat = array.reshape(-1)
    parts = [flat[start : start + _CHUNK] for start in range(0, flat.size, _CHUNK)]
    return float(np.min([p.min() for p in parts])), float(np.max([p.max() for p in parts]))


def _advice_on_values(low: float, high: float, field: Field) -> str:
    if field.interval is None:
        return f"Scale them: {field.dtype} does not hold them exactly."
    if field.nonempty:
        return "A mask is 1 for what is seen, or counts, and 0 elsewhere."
    least, most = field.interval
    if math.isinf(most):
        return "Shift them, or use a likelihood on all reals."
    if not field.of_pixels:
        if field.classes[:1] == range(1) and low == HOLE and high <= most:
            return f"{HOLE} is an unknown label, of which tfvae.SemiSupervisedVAE learns."
        if (low, high) == (least + 1, most + 1):
            return "They seem to count from 1: subtract 1."
        return f"Make the model for this range, or drop the examples outside [{least:g}, {most:g}]."
    if low >= -1e-3 and high <= 1 + 1e-3:
        return "They miss it by a rounding error: use x.clip(0, 1)."
    if low >= 0 and 2 <= high <= 255:
        return "They look like bytes 0..255: divide by 255."
    if low >= -1 and high <= 1:
        return "They look scaled to [-1, 1]: use (x + 1) / 2."
    return "Scale them: (x - x.min()) / (x.max() - x.min())."


def _refuse_non_finite(array: np.ndarray, field: Field, what: str) -> None:
    bad = ~np.isfinite(array)
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    rows = "x)" if array.ndim == 1 else f"x).all(axis={tuple(range(1, array.ndim))})"
    raise UserError(
        f"{what} has {int(bad.sum())} NaN or infinite values, the first ({array[place]}) at index "
        f"{place}; expected {field.values}. Find where they arise, or drop those examples: "
        f"x[np.isfinite({rows}]. Where NaN stands for what is missing, "
        "tfvae.MissingDataVAE(..., nan_is_missing=True) takes it."
    )
