"""Files that are there whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfvae.errors import UserError, UserOSError
from tfvae.json_text import bounded_json

_LARGEST_OBJECT = 1 << 20  # bytes


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; renamed onto it in the end, removed after an error.

    The suffix stays the same, because Keras and NumPy look at it.

    Raises:
        UserOSError: if it can't be written; names `path`.
    """
    beside = _beside(path)
    try:
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())  # a rename must not overtake the content
        os.replace(beside, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError):
            raise cannot_write(path, error) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def remove(path: Path) -> None:
    """Removes a file, if it is there.

    Raises:
        UserOSError: if it can't be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserOSError(
            f"Can't remove {path}, which is of an earlier run: {error.strerror or error}."
        ) from error


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file of a run, which has some thousand bytes.

    Raises:
        UserError: if there is something else in it.
    """
    try:
        with path.open("rb") as file:
            content = bounded_json(file.read(_LARGEST_OBJECT + 1), _LARGEST_OBJECT)
        if not isinstance(content, dict):
            raise UserError("expected an object")
    except (ValueError, OSError) as error:
        raise UserError(f"{path} is damaged: {error}.") from error
    return content


def check_writable(path: Path) -> None:
    """Raises `UserOSError` if a file can't be written at `path`; leaves no trace."""
    beside = _beside(path)
    try:
        beside.touch()
        beside.unlink()
    except OSError as error:
        raise cannot_write(path, error) from error


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.stem}.partial{path.suffix}")


def cannot_write(path: Path, error: OSError) -> UserOSError:
    """The error again, saying what to do."""
    reason = error.strerror or str(error)
    if isinstance(error, FileExistsError):
        reason = f"{error.filename} is a file and not a folder"
    return UserOSError(
        f"Can't write {path}: {reason}. Free some space, or choose another folder that you may "
        "write to; what was there before is unchanged."
    )
