"""What a whole export needs of the file system: one exporter, a hidden folder, the disk."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfvae.errors import UserRuntimeError

try:
    import fcntl
except ImportError:  # Windows: exporters into one folder are not kept apart there
    fcntl = None

# Where TensorFlow Serving looks for the requests that it replays before it serves a version.
WARMUP_FILE = Path("assets.extra", "tf_serving_warmup_requests")
SETS = "sets"  # the folder of all sets, and of what is being made
STAGING = ".staging-"
WAIT_SECONDS = 600.0  # for another export into the same folder, which takes a minute or two


class ExportError(UserRuntimeError):
    """An export that published nothing; the message says why and what to do."""


@contextlib.contextmanager
def staging(directory: Path, wait: float = WAIT_SECONDS) -> Iterator[Path]:
    """A hidden folder inside an export folder, on the same file system, removed in the end.

    Meanwhile other exporters of this machine are kept out; who is second waits. Folders made on the
    way are removed again if they stay empty.

    Args:
        directory: the export folder.
        wait: seconds for another exporter to end.

    Raises:
        ExportError: if the folder can't be made, is still being exported to after that time, or
            something in the body can't be written.
    """
    sets = directory / SETS
    missing = _missing(sets)
    try:
        descriptor = _locked(sets, wait)
        folder = Path(tempfile.mkdtemp(prefix=STAGING, dir=sets.resolve()))
    except OSError as error:
        remove_empty(missing)
        raise _cannot_write(directory, error) from error
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
        if descriptor is not None:
            os.close(descriptor)


def check_export_folder(directory: Path) -> None:
    """Raises `ExportError` if nothing can be written there, and leaves no trace."""
    missing = _missing(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryDirectory(prefix=".check-", dir=directory).cleanup()
    except OSError as error:
        raise _cannot_write(directory, error) from error
    finally:
        remove_empty(missing)


def _locked(folder: Path, wait: float) -> int | None:
    """Makes a folder and locks it: the descriptor, which drops the lock when it is closed.

    The folder itself is locked, so that there is no file that could be left behind, and the system
    drops the lock of a process that is killed.
    """
    end = time.monotonic() + wait
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if fcntl is None:
                return None
            descriptor = os.open(folder, os.O_RDONLY)
        except (FileNotFoundError, FileExistsError):
            if time.monotonic() >= end or folder.exists():
                raise
            continue  # who had it has removed it, since it stayed empty
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, folder):
                return descriptor
        except BlockingIOError:
            if time.monotonic() >= end:
                os.close(descriptor)
                raise ExportError(
                    f"another export to {folder.parent} is under way, and has not ended within "
                    f"{wait:g} s. Wait for it, or choose another folder."
                ) from None
            time.sleep(0.05)
        os.close(descriptor)


def _is_at(descriptor: int, folder: Path) -> bool:
    """Whether an open folder is the one of this name, which may have been made anew."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(folder))
    return False


def _missing(folder: Path) -> list[Path]:
    """The folders on the way to one that are not there, the deepest first."""
    return [path for path in (folder, *folder.parents) if not path.exists()]


def _cannot_write(directory: Path, error: OSError) -> ExportError:
    return ExportError(
        f"can't write to the export folder {directory}: {error.strerror or error}. "
        "Choose a folder that you may write to."
    )


def flush(folder: Path) -> None:
    """Writes the files below `folder` through to the disk: a rename must not overtake them."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    for path in (folder, *sorted(folder.rglob("*"))):
        if path.is_dir() and not path.is_symlink():
            flush_names(path)


def flush_names(folder: Path) -> None:
    """Writes what a folder holds through, where the file system can do that with folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_empty(folders: Sequence[Path]) -> None:
    """Removes those of the folders that are there and empty."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
