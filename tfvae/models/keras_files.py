"""What a `.keras` file says of itself, looked at before anything of it is unpacked or built.

Such a file is a zip archive of a configuration (JSON), metadata, weights (HDF5) and, of layers with
vocabularies, assets. Keras stores them uncompressed, so that a file is about as large as what it
holds. Bounds follow from that: reading one takes memory in proportion to the file.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from tfvae.errors import UserError
from tfvae.json_text import bounded_json
from tfvae.models.weight_files import CONFIGURATION, Stored, stored_weights

HOW = "Expected a .keras file that vae.save() or `tfvae train` wrote."
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_NEEDED = (_CONFIG, "metadata.json", _WEIGHTS)
_ASSETS = "assets/"
_LARGEST_CONFIG = 1 << 22  # bytes; a network of 500 layers has half a million
_EXPANSION = 10  # of the compression that somebody may have put a file through
_SPARE = 1 << 20  # bytes, of a small file that compresses well
# What h5py raises of a damaged file, and what zipfile does.
_OF_HDF5 = (OSError, RuntimeError, KeyError, ValueError, TypeError)
_OF_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)


@dataclass(frozen=True)
class KerasFile:
    """What is in a `.keras` file.

    Attributes:
        config: The configuration of its model.
        weights: What is said of each weight, by its place.
        digest: Of the configuration that was saved; None if the file does not say.
    """

    config: Mapping[str, Any]
    weights: Mapping[str, Stored]
    digest: bytes | None


def read_keras_file(path: Path) -> KerasFile:
    """Looks into a file: checksums, sizes, configuration, and what is said of each weight.

    Raises:
        UserError: if it is damaged, or unpacks to more than a file of its size may.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive.infolist(), path.stat().st_size)
            if damaged := archive.testzip():
                raise UserError(f"{damaged} fails its checksum; copy it again")
            config = bounded_json(archive.read(_CONFIG), _LARGEST_CONFIG)
            if not isinstance(config, dict):
                raise UserError(f"{_CONFIG} is no object")
            with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as file:
                return _described(config, file)
    except UserError as error:
        raise UserError(f"{path} is damaged: {error}. {HOW}") from error
    except (*_OF_HDF5, *_OF_ZIP) as error:
        raise UserError(f"{path} is damaged or not a .keras file ({error}). {HOW}") from error


def read_weights(path: Path) -> Mapping[str, Stored]:
    """What is said of each weight of a `.keras` or `.weights.h5` file, by its place.

    Raises:
        UserError: if it is damaged, or unpacks to more than a file of its size may.
    """
    if path.suffix == ".keras":
        return read_keras_file(path).weights
    try:
        with h5py.File(path, "r") as file:
            return stored_weights(file)
    except _OF_HDF5 as error:
        raise UserError(f"{path} is damaged or holds no weights ({error}).") from error


def _described(config: dict[str, Any], file: h5py.File) -> KerasFile:
    weights = stored_weights(file)
    stored = weights.pop(CONFIGURATION, None)
    return KerasFile(config, weights, stored and file[CONFIGURATION][()].tobytes())


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    """Refuses an archive that Keras did not write, by its table of contents."""
    names = [member.filename for member in members]
    if missing := [name for name in _NEEDED if name not in names]:
        raise UserError(f"it lacks {', '.join(missing)}")
    others = [n for n in names if n not in _NEEDED and not n.startswith(_ASSETS)]
    if others or len(set(names)) < len(names):
        raise UserError(f"it holds {others[0] if others else 'a member twice'}")
    packed = {member.compress_type for member in members}
    if not packed <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise UserError("it is compressed in a way that .keras files are not")
    unpacked = sum(member.file_size for member in members)
    if unpacked > _EXPANSION * size + _SPARE:
        raise UserError(f"it has {size:,} bytes and would unpack to {unpacked:,}")
