"""Publishing files so that whoever watches the folder sees all of them or none."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfvae.errors import UserRuntimeError

# Where TensorFlow Serving looks for the requests that it replays before it serves a version.
WARMUP_FILE = Path("assets.extra", "tf_serving_warmup_requests")


class ExportError(UserRuntimeError):
    """An export that published nothing; the message says why and what to do."""


@contextlib.contextmanager
def staging(directory: Path) -> Iterator[Path]:
    """A hidden folder inside `directory`, on the same file system, removed in the end.

    Folders made on the way are removed again if they stay empty.

    Raises:
        ExportError: if the folder can't be made, or something in the body can't be written.
    """
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".staging-", dir=directory.resolve()))
    except OSError as error:
        remove_empty(missing)
        raise ExportError(
            f"can't write to the export folder {directory}: {error.strerror or error}. "
            "Choose a folder that you may write to."
        ) from error
    try:
        yield folder
    except OSError as error:  # such as a full disk
        raise ExportError(
            f"writing to the export folder {directory} failed: {error.strerror or error}. Nothing "
            "was published; free some space or choose another folder."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        remove_empty(missing)


def replace_files(
    staged: Path, directory: Path, names: Sequence[str], obsolete: Sequence[str]
) -> None:
    """Moves `staged/NAME` to `directory/NAME` for every name, and removes the obsolete files.

    Raises:
        OSError: if one can't be replaced or removed. Whatever is raised, what was there is back.
    """
    before = staged / "before"
    before.mkdir()
    for name in (*names, *obsolete):
        if (directory / name).exists():
            shutil.copy2(directory / name, before / name)
    flush(staged)
    touched = []
    try:
        for name in names:
            touched.append(name)
            os.replace(staged / name, directory / name)
        for name in obsolete:
            touched.append(name)
            (directory / name).unlink(missing_ok=True)
    except BaseException:  # Ctrl-C included
        for name in touched:
            if (before / name).exists():
                os.replace(before / name, directory / name)
            else:
                (directory / name).unlink(missing_ok=True)
        raise


def flush(folder: Path) -> None:
    """Writes the files below `folder` through to the disk: a rename must not overtake them."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def remove_empty(folders: Sequence[Path]) -> None:
    """Removes those of the folders that are there and empty."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
