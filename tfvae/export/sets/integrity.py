"""`tfvae verify`: whether an exported set is what its manifest says. Plain Python."""

import os
from collections.abc import Iterator
from pathlib import Path

from tfvae.export.publishing import SETS
from tfvae.export.sets.layout import CURRENT, current_set, is_kept, leads_to_current
from tfvae.export.sets.manifest import (
    MANIFEST,
    IntegrityError,
    Manifest,
    read_manifest,
    set_id,
    sha256,
    version_of,
)
from tfvae.export.sets.signing import SIGNATURE, PublicKey

_SHOWN = 3  # names in one message


def verify(directory: str | os.PathLike, public_key: str | os.PathLike | None = None) -> Manifest:
    """Checks that an exported set is whole and unchanged, without TensorFlow.

    Of an export folder it checks the set that is published, its links, and the older sets whose
    versions the set keeps; of a set's folder that set. Every file is there, has the hash that the
    manifest says, and there is no other; nothing leads out of the folder; numbers agree.

    A hash tells of accidents. Whoever can change files can change the manifest as well: against
    that, sign it, and give the key.

    Args:
        directory: an export folder, such as "export/mnist", or a set's.
        public_key: a file of minisign's, such as "minisign.pub": then `manifest.json.minisig`
            beside each manifest must be there and of this key.

    Returns:
        The manifest of the published set.

    Raises:
        IntegrityError: at the first disagreement.
        UserFileNotFoundError, UserError: for a key that can't be read.
    """
    directory = Path(directory)
    key = None if public_key is None else PublicKey.read(Path(public_key))
    folder = _published(directory)
    manifest = _verified(folder, key)
    for older in sorted({link.resolve().parents[1] for link in _kept(folder) if link.exists()}):
        _verified(older, key)
    return manifest


def contents(folder: Path) -> list[str]:
    """Paths of the files of a set, below its folder, but for its manifest and what signs that.

    Raises:
        IntegrityError: if something is neither a file, nor a folder, nor the link to a version of
            an older set.
    """
    found = []
    for path in _walk(folder):
        name = path.relative_to(folder)
        if is_kept(path, name):
            continue
        if path.is_symlink() or not path.is_file():
            raise IntegrityError(f"{path} is a link or no plain file, and no part of a set.")
        if name.as_posix() not in (MANIFEST, SIGNATURE):
            found.append(name.as_posix())
    return sorted(found)


def _walk(folder: Path) -> Iterator[Path]:
    """All below a folder but the folders themselves; links are not followed."""
    for place, folders, files in os.walk(folder):
        paths = [Path(place, name) for name in (*folders, *files)]
        yield from (path for path in paths if path.is_symlink() or not path.is_dir())


def _kept(folder: Path) -> list[Path]:
    return [path for path in _walk(folder) if is_kept(path, path.relative_to(folder))]


def _published(directory: Path) -> Path:
    """The folder of the set: of an export folder's published one, whose links are checked."""
    if not os.path.lexists(directory / CURRENT):
        return directory
    try:
        folder = current_set(directory)
    except ValueError as error:
        raise IntegrityError(str(error)) from error
    if not folder.is_dir():
        raise IntegrityError(f"{directory / CURRENT} leads to {folder}, which is not there.")
    expected = {path.name for path in folder.iterdir()} - {SIGNATURE}
    for name in sorted(expected):
        if not leads_to_current(directory / name):
            raise IntegrityError(
                f"{directory / name} is not the link to {CURRENT}/{name} that it should be: what "
                "is found there is not of the published set."
            )
    # A link that leads nowhere has been left by an export that was killed; nobody can follow it.
    known = {SETS, CURRENT, SIGNATURE, *expected}
    surplus = [p.name for p in directory.iterdir() if p.name not in known and p.exists()]
    surplus = [name for name in surplus if not name.startswith(".")]
    if surplus:
        raise IntegrityError(f"{directory} holds {_list(surplus)}, of no set.")
    return folder


def _verified(folder: Path, key: PublicKey | None) -> Manifest:
    manifest = read_manifest(folder)
    if key is not None:
        key.check(folder / MANIFEST)
    if version_of(folder.name) is not None and folder.name != set_id(manifest):
        raise IntegrityError(
            f"{folder} is named for another manifest than it holds: expected {set_id(manifest)}."
        )
    found, expected = set(contents(folder)), set(manifest.files)
    for names, what in ((expected - found, "lacks"), (found - expected, "holds besides its set")):
        if names:
            raise IntegrityError(f"{folder} {what}: {_list(names)}.")
    for name, digest in manifest.files.items():
        if "/" in name and name.split("/")[1] != str(manifest.version):
            raise IntegrityError(
                f"{folder / name} is of another version than {manifest.version}, which the "
                "manifest says."
            )
        if sha256(folder / name) != digest:
            raise IntegrityError(f"{folder / name} has been changed: its SHA-256 is another.")
    return manifest


def _list(names: set[str] | list[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
