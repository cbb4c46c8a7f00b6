"""Signatures of minisign over a manifest, checked with the operator's public key.

    public key:  comment \n base64("Ed", key id [8], Ed25519 key [32])
    signature:   comment \n base64("ED", key id [8], signature [64]) \n trusted comment: TEXT \n
                 base64(signature of signature and TEXT [64])

"ED" signs the BLAKE2b-512 of the file, "Ed", which older versions made, the file itself.

References:
    https://jedisct1.github.io/minisign/, "Signature format" and "Public key format"
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from tfvae.errors import UserError, UserFileNotFoundError, UserImportError
from tfvae.export.sets.manifest import IntegrityError

SIGNATURE = "manifest.json.minisig"
_TRUSTED = "trusted comment: "
_LARGEST = 1 << 16  # bytes


@dataclass(frozen=True)
class PublicKey:
    """A public key of minisign's.

    Args:
        identity: 8 bytes, by which a signature says whose it is.
        key: 32 bytes, of Ed25519.
        path: where it was read.
    """

    identity: bytes
    key: bytes
    path: Path

    @classmethod
    def read(cls, path: Path) -> "PublicKey":
        """The key in a file, as `minisign -G` writes it.

        Raises:
            UserFileNotFoundError: if there is no such file.
            UserError: if it holds no key.
        """
        if not path.is_file():
            raise UserFileNotFoundError(
                f"{path} is not there: expected a public key, such as minisign.pub, which "
                "`minisign -G` writes."
            )
        try:
            lines = _lines(path)
            algorithm, identity, key = _parts(lines[1] if len(lines) > 1 else lines[0], 32)
        except ValueError as error:
            raise UserError(f"{path} holds no public key of minisign's: {error}.") from error
        if algorithm != b"Ed":
            raise UserError(f"{path} holds no public key of minisign's, which begins with 'Ed'.")
        return cls(identity, key, path)

    def check(self, path: Path) -> None:
        """Raises `IntegrityError` unless `PATH.minisig` is this key's signature of the file."""
        place = path.with_name(f"{path.name}.minisig")
        try:
            _, first, trusted, last = _lines(place)
            algorithm, identity, signature = _parts(first, 64)
            whole = base64.b64decode(last, validate=True)
            if algorithm not in (b"Ed", b"ED") or not trusted.startswith(_TRUSTED):
                raise ValueError("expected an algorithm of minisign's and a trusted comment")
        except FileNotFoundError:
            raise IntegrityError(
                f"{path} is not signed: there is no {place.name}. Sign it by `minisign -Sm {path}`."
            ) from None
        except ValueError as error:
            raise IntegrityError(f"{place} is no signature of minisign's: {error}.") from error
        if identity != self.identity:
            raise IntegrityError(f"{place} is of another key than {self.path}.")
        content = path.read_bytes()
        signed = hashlib.blake2b(content).digest() if algorithm == b"ED" else content
        comment = trusted.removeprefix(_TRUSTED).encode()
        if not self._signed(signature, signed) or not self._signed(whole, signature + comment):
            raise IntegrityError(f"{place} is no signature of {path} by {self.path}.")

    def _signed(self, signature: bytes, content: bytes) -> bool:
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        except ImportError as error:
            raise UserImportError(
                "checking a signature needs cryptography: pip install 'tfvae[signing]', or use "
                "`minisign -Vm` itself"
            ) from error
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, content)
        except (InvalidSignature, ValueError):
            return False
        return True


def _lines(path: Path) -> list[str]:
    """The lines of a small file, of which there is at least one."""
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST:,} bytes")
    return path.read_text("utf-8").splitlines() or [""]


def _parts(line: str, size: int) -> tuple[bytes, bytes, bytes]:
    """Algorithm, key's identity and value of a line of base64."""
    content = base64.b64decode(line, validate=True)
    if len(content) != 10 + size:
        raise ValueError(f"expected {10 + size} bytes in base64, received {len(content)}")
    return content[:2], content[2:10], content[10:]
