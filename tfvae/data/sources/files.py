"""Columns in a `.npy` or `.npz` file."""

from pathlib import Path
from typing import Any

import numpy as np

from tfvae.data.array_rows import rows_of
from tfvae.data.catalogue import NONE, DatasetSpec
from tfvae.data.rows import Columns
from tfvae.data.sources import numpy_file
from tfvae.data.splits import Split, hold_out
from tfvae.data.validate import check_lengths
from tfvae.errors import UserError

TEST_FRACTION = 0.1
CODES = "codes"  # what x is called where it is whole numbers of however many axes
MAPPED_ABOVE = 1 << 30  # a larger .npy is mapped, and read a batch at a time
# What an archive may call the columns x and label of its training and test parts.
_TRAIN = {
    "x": ("x_train", "train", "images", "x", CODES + "_train"),
    "label": ("y_train", "train_labels", "labels", "label", "y"),
}
_TEST = {"x": ("x_test", "test", CODES + "_test"), "label": ("y_test", "test_labels")}


def read(path: Path, test_fraction: float | None = None) -> Split:
    """Reads `.npy` with one array, the column x, or `.npz` with the arrays of named columns.

    In an `.npz`, `x_train` and `x_test` (or `train`, `test`) are the two parts of x and `y_train`,
    `y_test` (`labels`, `y`) those of label, as in Keras' `mnist.npz`; `codes_train` and
    `codes_test` are x as well, whole numbers of however many axes; any other array of as many rows
    is a column by its own name, and so is each `NAME_train` with its `NAME_test`. Without a test
    part, rows are held out. A `.npy` of more than 1 GiB is mapped and read a batch at a time.

    Raises:
        UserError: corrupt, pickled, no numbers, or columns of different lengths.
    """
    found = numpy_file.read(path, MAPPED_ABOVE)
    test: dict[str, tuple[str, np.ndarray]] = {}
    if isinstance(found, np.ndarray):
        train = {"x": ("", found)}
    else:
        train, test = _columns(path, found)
    parts: list[dict[str, Any]] = [{}, {}]
    for name, (title, array) in train.items():
        arrays = {f"{path}{title}": array}
        if name in test:
            arrays[f"{path}{test[name][0]}"] = test[name][1]
        codes = name == "x" and title == f"['{CODES}_train']"
        for part, rows in zip(parts, rows_of(arrays, name, codes).values(), strict=False):
            part[name] = rows
    for part in parts:
        check_lengths({name: len(rows) for name, rows in part.items()}, str(path))
    columns = Columns(parts[0])
    spec = DatasetSpec(
        path.stem, columns.fields, NONE, "files", f"{len(columns)} examples of {path.name}"
    )
    if not test:
        fraction = TEST_FRACTION if test_fraction is None else test_fraction
        return hold_out(spec, columns, fraction, str(path))
    if test_fraction is not None:
        raise UserError(
            f"test_fraction is {test_fraction}, but {path} has its own test set. Leave it out."
        )
    return Split(spec, columns, Columns(parts[1]))


def _columns(path: Path, found: dict[str, np.ndarray]) -> tuple[dict, dict]:
    """Training and test arrays under the names of their columns, each with what to call it."""
    if len(found) == 1:
        (name,) = found
        return {"x": (f"[{name!r}]", found[name])}, {}
    left = dict(found)
    train: dict[str, Any] = {}
    test: dict[str, Any] = {}
    for part, roles in ((train, _TRAIN), (test, _TEST)):
        for column, names in roles.items():
            name = next((name for name in names if name in left), None)
            if name is not None:
                part[column] = f"[{name!r}]", left.pop(name)
    for name, array in left.items():
        column, part = name, train
        if test and name.endswith(("_train", "_test")):
            column, _, role = name.rpartition("_")
            part = test if role == "test" else train
        part[column] = f"[{name!r}]", array
    if test:  # labels of one part alone are no column
        train = {name: array for name, array in train.items() if name in test}
    if not train:
        raise UserError(
            f"{path} holds the arrays {sorted(found) or 'none'}; expected columns of one length, "
            "or those of a training and a test set: np.savez(path, x_train=..., y_train=..., "
            "x_test=..., y_test=...)."
        )
    return train, test
