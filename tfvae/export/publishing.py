"""Publishing a version so that a server watching the folder sees all of it or nothing."""

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
        _remove_empty(missing)
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
        _remove_empty(missing)


def versions(folder: Path) -> list[int]:
    """The version numbers that exist below a servable's folder, rising."""
    if not folder.is_dir():
        return []
    names = [path.name for path in folder.iterdir()]
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def next_version(directory: Path, servables: Sequence[str]) -> int:
    """One more than the largest number under which any of the servables exists; 1 at first."""
    return 1 + max((max(versions(directory / name), default=0) for name in servables), default=0)


def publish(
    staged: Path, directory: Path, servables: Sequence[str], version: int | None = None
) -> int:
    """Moves `staged/NAME` to `directory/NAME/VERSION` for every servable, by renaming.

    The first servable's rename claims the number: renaming onto a version that exists fails, so
    that of several exporters each gets its own. A given `version` is taken or refused.

    Returns:
        The version number.

    Raises:
        ExportError: if `version` exists, or a rename fails; what was moved is moved back.
    """
    while True:
        number = next_version(directory, servables) if version is None else version
        if version is not None:
            refuse_taken(directory, servables, version)
        if _rename_all(staged, directory, servables, number):
            return number


def refuse_taken(directory: Path, servables: Sequence[str], version: int) -> None:
    """Raises `ExportError` if any of the servables has something under this version number."""
    taken = [name for name in servables if os.path.lexists(directory / name / str(version))]
    if taken:
        raise ExportError(
            f"version {version} of {', '.join(taken)} in {directory} already exists, and versions "
            "are never changed. Leave the version out to get the next free number."
        )


def _rename_all(staged: Path, directory: Path, servables: Sequence[str], number: int) -> bool:
    """Whether the number was free for all; if not, nothing has moved."""
    moved = []
    try:
        for name in servables:
            target = directory / name / str(number)
            made = [path for path in (target.parent,) if not path.exists()]
            target.parent.mkdir(exist_ok=True)
            moved.append((staged / name, target, made))
            os.rename(staged / name, target)
    except OSError as error:
        *complete, (_, target, made) = moved
        _remove_empty(made)
        for source, published, parents in complete:
            os.rename(published, source)
            _remove_empty(parents)
        if os.path.lexists(target):
            return False
        raise ExportError(f"can't publish {target}: {error.strerror or error}") from error
    _synchronise(directory, servables)
    return True


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


def _synchronise(directory: Path, servables: Sequence[str]) -> None:
    """Writes the renames through to the disk, where the file system can do that with folders."""
    for name in servables:
        with contextlib.suppress(OSError):
            descriptor = os.open(directory / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
