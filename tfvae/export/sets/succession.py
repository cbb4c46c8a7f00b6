"""What a set takes over of the one before: the files of the same weights, and the next number."""

import os
import shutil
from pathlib import Path

from tfvae.checks import positive_int
from tfvae.export.publishing import SETS, ExportError
from tfvae.export.sets.layout import sets_of
from tfvae.export.sets.manifest import (
    LARGEST_VERSION,
    IntegrityError,
    Manifest,
    read_manifest,
    sha256,
)


def set_before(directory: Path, current: Path | None) -> Manifest | None:
    """The manifest of the published set; None where there is none.

    Raises:
        ExportError: if that set has no manifest that can be read.
    """
    try:
        return None if current is None else read_manifest(current)
    except IntegrityError as error:
        raise ExportError(
            f"the set in {directory} is damaged: {error} Export to another folder, or remove "
            f"{directory / SETS}."
        ) from error


def is_servable(name: str) -> bool:
    """Whether a file of a set is one of a SavedModel's, which have folders."""
    return "/" in name


def carried_files(before: Manifest, servables: bool, files: bool) -> dict[str, str]:
    """What a set takes over of the one before, which is of the same weights."""
    made = {True: servables, False: files}
    return {name: digest for name, digest in before.files.items() if not made[is_servable(name)]}


def next_version(directory: Path, same: Manifest | None, servables: bool, given: int | None) -> int:
    """The version of a set that is made.

    Args:
        directory: the export folder.
        same: the set before, if that is of the same weights.
        servables: whether SavedModels are made.
        given: by the user, or None.

    Raises:
        ExportError: if the given one is not above those that there are.
    """
    largest = max(sets_of(directory).values(), default=0)
    number = largest + 1
    if same is not None and not (servables and any(map(is_servable, same.files))):
        number = same.version
    if given is None or positive_int("version", given, maximum=LARGEST_VERSION) == number:
        return number
    if given <= largest:
        raise ExportError(
            f"version {given} is not above version {largest} in {directory}, and versions are "
            "never changed. Leave the version out to get the next number."
        )
    return given


def carry(directory: Path, source: Path, target: Path, digest: str) -> None:
    """Takes over a file, which is the same file where the file system has hard links.

    Raises:
        ExportError: if it is missing, or not what its manifest says.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if sha256(source) != digest:
            raise ExportError(
                f"{source} has been changed since it was exported. See what `tfvae verify "
                f"{directory}` says, and export to another folder, or remove {directory / SETS}."
            )
    except FileNotFoundError as error:
        raise ExportError(f"{source} is missing. See `tfvae verify {directory}`.") from error
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
