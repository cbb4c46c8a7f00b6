"""Images in a `.npy` or `.npz` file."""

from pathlib import Path

import numpy as np

from tfvae.data.catalogue import NONE, DatasetSpec
from tfvae.data.images import Split, hold_out
from tfvae.data.rows import CHUNK, FetchedRows, Rows
from tfvae.data.sources import numpy_file
from tfvae.data.validate import check_layout, check_range
from tfvae.errors import UserError, UserFileNotFoundError

TEST_FRACTION = 0.1
RESIDENT_BYTES = 1 << 30  # a larger .npy is mapped, and read a batch at a time
_TRAIN_NAMES, _TEST_NAMES = ("x_train", "train", "images", "x"), ("x_test", "test")
_TRAIN_LABELS, _TEST_LABELS = ("y_train", "train_labels", "labels", "y"), ("y_test", "test_labels")


def read(path: Path, test_fraction: float | None = None, size=None) -> Split:
    """Read `.npy` with `[N, H, W]` or `[N, H, W, C]`, or `.npz` with one such array or named ones.

    In an `.npz`, `x_train` and `x_test` (or `train`, `test`) are the two parts and `y_train`,
    `y_test` (`labels`, `y`) their labels, as in Keras' `mnist.npz`. Without a test part, rows are
    held out. A `.npy` of more than 1 GiB is mapped and read a batch at a time.

    Raises:
        FileNotFoundError: no such file.
        ValueError: corrupt, pickled, or not images.
    """
    if size is not None:
        raise UserError(f"size={size} is for folders of images; leave it out for {path}.")
    if not path.is_file():
        raise UserFileNotFoundError(
            f"No such file: {path}. Expected a .npy or .npz file of images."
        )
    columns = _columns(path)
    train = _rows(columns["train"], f"{path}{columns['train_name']}", path)
    labels = _labels(columns["train_labels"], len(train), path)
    spec = DatasetSpec(
        path.stem, train.image_shape, NONE, "files", None, f"{len(train)} images of {path.name}"
    )
    if columns["test"] is None:
        fraction = TEST_FRACTION if test_fraction is None else test_fraction
        return hold_out(spec, train, labels, fraction, str(path))
    if test_fraction is not None:
        raise UserError(
            f"test_fraction is {test_fraction}, but {path} has its own test images. Leave it out."
        )
    test = _rows(columns["test"], f"{path}{columns['test_name']}", path)
    if test.image_shape != train.image_shape:
        raise UserError(
            f"{path} has training images of shape {train.image_shape} and test images of shape "
            f"{test.image_shape}; expected one shape."
        )
    return Split(spec, train, test, labels, _labels(columns["test_labels"], len(test), path))


def _columns(path: Path) -> dict:
    """The arrays of a file under the roles that they play."""
    empty = dict.fromkeys(("test", "train_labels", "test_labels", "test_name"), None)
    found = numpy_file.read(path, RESIDENT_BYTES)
    if isinstance(found, np.ndarray):
        return {**empty, "train": found, "train_name": ""}
    train_name = next((name for name in _TRAIN_NAMES if name in found), None)
    if train_name is None and len(found) == 1:
        train_name = next(iter(found))
    if train_name is None:
        raise UserError(
            f"{path} holds the arrays {sorted(found) or 'none'}; expected one array, or images "
            f"named {', '.join(_TRAIN_NAMES)} (test images: {', '.join(_TEST_NAMES)}). Save it "
            "again with np.savez(path, x_train=..., x_test=...)."
        )
    test_name = next((name for name in _TEST_NAMES if name in found), None)
    return {
        "train": found[train_name],
        "train_name": f"[{train_name!r}]",
        "test": found.get(test_name),
        "test_name": f"[{test_name!r}]",
        "train_labels": next((found[name] for name in _TRAIN_LABELS if name in found), None),
        "test_labels": next((found[name] for name in _TEST_LABELS if name in found), None),
    }


def _rows(array: np.ndarray, what: str, path: Path) -> Rows:
    """Checked rows: uint8 as it is, bool as 0 and 255, floats as float32."""
    if array.ndim == 3:
        array = array[..., None]
    check_layout(array.shape, what)
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype != np.uint8 and not np.issubdtype(array.dtype, np.floating):
        raise UserError(
            f"{what} has dtype {array.dtype}; expected uint8 (0..255), floats in [0, 1] or bool. "
            "Convert it, for example x.astype('uint8')."
        )
    _check_values(array, what)
    if not isinstance(array, np.memmap):
        return Rows(array if array.dtype == np.uint8 else array.astype(np.float32))
    stored = np.uint8 if array.dtype == np.uint8 else np.float32
    fetch = lambda indices: np.asarray(array[indices], stored)  # noqa: E731
    return FetchedRows(fetch, np.arange(len(array)), array.shape[1:], stored)


def _check_values(array: np.ndarray, what: str) -> None:
    most = 0
    for start in range(0, len(array), CHUNK):
        chunk = array[start : start + CHUNK]
        if array.dtype == np.uint8:
            most = max(most, int(chunk.max()))
        else:
            check_range(chunk, what)
    if array.dtype == np.uint8 and most <= 1:
        raise UserError(
            f"{what} has uint8 pixels of which none is above {most}; bytes are read as 0..255, so "
            "these images would be black. If they are bits, save them as bool: x.astype(bool)."
        )


def _labels(labels: np.ndarray | None, count: int, path: Path) -> np.ndarray | None:
    if labels is None:
        return None
    if labels.shape not in ((count,), (count, 1)) or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(
            f"{path} has labels of shape {labels.shape} and dtype {labels.dtype} for {count} "
            f"images; expected whole numbers of shape ({count},)."
        )
    return labels.reshape(-1).astype(np.int64)
