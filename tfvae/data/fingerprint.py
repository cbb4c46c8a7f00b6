"""What a data set holds, in a few characters: a run knows its own data again."""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tfvae.data.catalogue import CATALOGUE
from tfvae.errors import UserOSError

_SPAN = 1 << 20  # bytes that are read in one place
_SPANS = 32  # of a file: one that is no longer than all of them is read whole
_OF_MANY = 1 << 12  # bytes at both ends of each file of a folder


def fingerprint(name_or_path: str | os.PathLike) -> str:
    """A digest of a data set: equal for equal content, wherever and whenever it was written.

    Files up to 32 MiB are read whole, of larger ones 32 places of 1 MiB and the size; of a folder's
    files the names, the sizes and both ends: a change elsewhere goes unnoticed. Of a `.npz` or
    another archive it is the names, sizes and checksums of what is in it, not its dates. A data set
    with a name is its name and version.

    Args:
        name_or_path: as for `tfvae.data.load`.

    Returns:
        "NAME VERSION" or 16 hexadecimal digits.

    Raises:
        UserOSError: if a file can't be read.
    """
    name = os.fspath(name_or_path)
    if name in CATALOGUE:
        return " ".join(filter(None, (name, CATALOGUE[name].version)))
    digest = hashlib.sha256()
    try:
        for part in _parts(Path(name)):
            digest.update(part)
    except OSError as error:
        raise UserOSError(f"{name} can't be read: {error.strerror or error}.") from error
    return digest.hexdigest()[:16]


def _parts(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            yield f"{file.relative_to(path).as_posix()} {file.stat().st_size}\n".encode()
            yield from _spans(file, _OF_MANY, 2)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.infolist(), key=lambda info: info.filename):
                yield f"{member.filename} {member.file_size} {member.CRC}\n".encode()
    else:
        yield f"{path.stat().st_size}\n".encode()
        yield from _spans(path, _SPAN, _SPANS)


def _spans(path: Path, length: int, count: int) -> Iterator[bytes]:
    """A file, or as many spans of it at equal distances, the first and the last at its ends."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= length * count:
            while part := file.read(_SPAN):
                yield part
            return
        for number in range(count):
            file.seek((size - length) * number // (count - 1))
            yield file.read(length)
