"""What is in a checkpoint: variables by number, what they are called, and the history."""

import json
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfvae.errors import UserError
from tfvae.json_text import bounded_json
from tfvae.runs.files import replacing

History = list[dict[str, float]]

_STATE = "state.npy"
_MOST_VALUES = 10**8  # of a history: some ten in a row, and a row for each epoch
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def write_checkpoint(path: Path, variables: Sequence[keras.Variable], history: History) -> None:
    """Writes all variables and the history, whole or not at all."""
    arrays = {f"variable_{i}": variable.numpy() for i, variable in enumerate(variables)}
    state = json.dumps({"variables": variable_names(variables), "history": history}).encode()
    with replacing(path) as beside:
        np.savez(beside, state=np.frombuffer(state, np.uint8), **arrays)


def read_checkpoint(
    path: Path, variables: Sequence[keras.Variable]
) -> tuple[list[np.ndarray], History]:
    """Reads what `write_checkpoint` wrote of just these variables.

    An array is read if its header says that it has the shape and the type of its variable.

    Raises:
        UserError: if the file is damaged or of other variables.
    """
    expected = {f"variable_{i}.npy": variable for i, variable in enumerate(variables)}
    try:
        with zipfile.ZipFile(path) as archive:
            names = [member.filename for member in archive.infolist()]
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise UserError("it is compressed")
            if sorted(names) != sorted([_STATE, *expected]):
                raise UserError("it is of another model")
            history = _history(_array(archive, _STATE, None), variable_names(variables))
            return [_array(archive, name, v) for name, v in expected.items()], history
    except _UNREADABLE as error:
        raise UserError(f"{path} can't be read ({error}). Train anew with --overwrite.") from error


def _array(archive: zipfile.ZipFile, name: str, variable: keras.Variable | None) -> np.ndarray:
    """An array of the archive: that of a variable, or else bytes."""
    of_variable = variable is not None
    shape = tuple(variable.shape) if of_variable else None
    dtype = np.dtype(keras.backend.standardize_dtype(variable.dtype) if of_variable else np.uint8)
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):  # as NumPy writes what needs no other
            raise UserError(f"{name} has a header of version {version}")
        found, fortran, kind = np.lib.format.read_array_header_1_0(file)
        if kind != dtype or fortran or (len(found) != 1 if shape is None else found != shape):
            raise UserError(f"it is of another model: {name} is {kind} of shape {found}")
        content = file.read()
    if len(content) != dtype.itemsize * np.prod(found, dtype=object):
        raise UserError(f"{name} is cut off")
    return np.frombuffer(content, dtype).reshape(found)


def _history(state: np.ndarray, names: list[str]) -> History:
    content: Any = bounded_json(state.tobytes(), len(state), _MOST_VALUES)
    if not isinstance(content, dict) or content.get("variables") != names:
        raise UserError("it is of another model")
    rows = content.get("history")
    if not isinstance(rows, list) or not all(_is_row(row, rows[0]) for row in rows):
        raise UserError("its history is damaged")
    return rows


def _is_row(row: Any, first: Any) -> bool:
    """Whether a row has numbers under the names of the first one, the epoch's among them."""
    return (
        isinstance(row, dict)
        and "epoch" in row
        and list(row) == list(first)
        and all(type(value) in (int, float) for value in row.values())
    )


def variable_names(variables: Sequence[keras.Variable]) -> list[str]:
    """What each is called, without the numbers by which Keras tells layers of a process apart."""
    return [re.sub(r"_\d+", "", variable.path) for variable in variables]
