"""Numbered versions: a server that watches the folder sees all of one or nothing."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from tfvae.export.publishing import ExportError, remove_empty


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
        remove_empty(made)
        for source, published, parents in complete:
            os.rename(published, source)
            remove_empty(parents)
        if os.path.lexists(target):
            return False
        raise ExportError(f"can't publish {target}: {error.strerror or error}") from error
    _synchronise(directory, servables)
    return True


def _synchronise(directory: Path, servables: Sequence[str]) -> None:
    """Writes the renames through to the disk, where the file system can do that with folders."""
    for name in servables:
        with contextlib.suppress(OSError):
            descriptor = os.open(directory / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
