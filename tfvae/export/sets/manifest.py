"""`manifest.json`: what an exported set is of, and the SHA-256 of each of its files."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, TypeAlias

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from tfvae.errors import UserError
from tfvae.json_text import bounded_json

MANIFEST = "manifest.json"
MANIFEST_SCHEMA = 1
LARGEST_VERSION = 10**18 - 1  # 18 digits, which a server reads as a number of 64 bits
_LARGEST = 4 << 20  # bytes; one of 30 files has about 5,000
_BLOCK = 1 << 20


class IntegrityError(UserError):
    """An exported set whose files, manifest and place do not agree; the message says in what."""


def _inside(name: str) -> str:
    """The name of a file of a set, or `ValueError` where it could lead out of the folder."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or str(path) != name or "\\" in name or "\0" in name:
        raise ValueError("is not a plain relative path")
    if ".." in path.parts or ":" in path.parts[0]:
        raise ValueError("leaves the folder")
    return name


_Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Name = Annotated[str, AfterValidator(_inside)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Number = Annotated[float, Field(strict=True)]
_CHECKED = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class Spread:
    """What is known of nats an example of held-out data.

    Args:
        mean: over the examples.
        std: standard deviation over the examples, of the population.
        count: how many examples.
    """

    mean: _Number
    std: Annotated[_Number, Field(ge=0)]
    count: Annotated[int, Field(ge=1, strict=True)]

    __pydantic_config__ = _CHECKED


Metrics: TypeAlias = Mapping[str, Spread]


@dataclass(frozen=True)
class Manifest:
    """What a set is: the content of `manifest.json`.

    It holds no time, path or host name: two exports of one model have the same.

    Args:
        name: of the export folder, such as "mnist".
        version: the number that the servables of the set share.
        model: the class of the model.
        weights: SHA-256 of the model's weights.
        tfvae: the version that exported.
        tensorflow: likewise.
        data: of what the model was trained on "name" and, where it is known, "fingerprint".
        metrics: "elbo", "nll", "kl" of held-out examples, as far as they are known.
        files: path below the set's folder -> SHA-256.
    """

    name: _Text
    version: Annotated[int, Field(ge=1, strict=True)]
    model: _Text
    weights: _Digest
    tfvae: _Text
    tensorflow: _Text
    data: Mapping[str, str] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=dict)
    files: Mapping[_Name, _Digest] = field(default_factory=dict)

    __pydantic_config__ = _CHECKED

    def content(self) -> bytes:
        """The bytes of `manifest.json`."""
        files = dict(sorted(self.files.items()))
        found = {"schema": MANIFEST_SCHEMA, **asdict(self), "files": files}
        return (json.dumps(found, indent=2, allow_nan=False) + "\n").encode()


_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def read_manifest(directory: str | os.PathLike) -> Manifest:
    """The manifest of a set, which says what its model scored on held-out data.

    Only the manifest is looked at, and neither TensorFlow nor a file of the model is needed; see
    `verify` for whether the files are those that it names.

    Args:
        directory: an export folder, such as "export/mnist", for its published set; or a set's.

    Raises:
        IntegrityError: if it is missing, damaged, or of another schema.

    Example:
        >>> import tfvae
        >>> kl = tfvae.export.read_manifest("export/mnist").metrics["kl"]  # doctest: +SKIP
        >>> kl.mean, kl.std, kl.count  # doctest: +SKIP
        (25.4, 4.9, 10000)
    """
    path = Path(directory) / MANIFEST
    try:
        with path.open("rb") as file:
            found = bounded_json(file.read(_LARGEST + 1), _LARGEST)
    except FileNotFoundError:
        raise IntegrityError(
            f"{directory} holds no {MANIFEST}: expected an export folder, such as export/mnist, or "
            "the folder of a set."
        ) from None
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{path} is damaged: {error}.") from error
    if not isinstance(found, dict) or type(found.get("schema")) is not int:
        raise IntegrityError(f"{path} is damaged: expected an object with a schema number.")
    if found.pop("schema") != MANIFEST_SCHEMA:
        raise IntegrityError(
            f"{path} is of another schema than {MANIFEST_SCHEMA}, which this version of tfvae "
            "reads. Install the version that wrote it."
        )
    try:
        return _MANIFEST.validate_python(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise IntegrityError(f"{path} is damaged: {where}: {first['msg']}.") from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def set_id(manifest: Manifest) -> str:
    """What the folder of a set is called: its version, and the beginning of its manifest's hash."""
    return f"{manifest.version}-{hashlib.sha256(manifest.content()).hexdigest()[:12]}"


def version_of(identity: str) -> int | None:
    """The version in what `set_id` returns; None for anything else."""
    found = re.fullmatch(r"([1-9][0-9]{0,17})-[0-9a-f]{12}", identity)
    return int(found[1]) if found else None
