"""Signatures of minisign: those that it made itself, and those of sets."""

import base64
import hashlib
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.export.made import export_text
from tfvae.cli.main import main
from tfvae.errors import UserError
from tfvae.export import IntegrityError, verify
from tfvae.export.sets.signing import PublicKey

# By minisign 0.11, of a file with this content, as it signs by default and with -l.
CONTENT = b'{"schema": 1}\n'
PUBLIC = """untrusted comment: minisign public key AADE26605745698B
RWSLaUVXYCbeqsSvuKt0n6tAA2O/NzOlrygy89lROD8aFUbhhGemcFQn
"""
HASHED = """untrusted comment: signature from minisign secret key
RUSLaUVXYCbeqhSeKBBPQv5LHNA5fErtuyo3Jwlr3e3Y3zRlbJzmZKo338KcnwTrvK5Rfl4z7GaTKQL/4rjXgrl2gi2Kna3h9AQ=
trusted comment: tfvae mnist 5
dPTa2E/Z9+w5y0rjG+OeWES5up3O5GE6h4bYqpxb6/r88xs3cS1IE27VxArihxQwAXg8DFuNqOeZQwuqGyR5CA==
"""
LEGACY = """untrusted comment: signature from minisign secret key
RWSLaUVXYCbeqpSTg/s0GIyKEjsrBsag/J665q+qDhW9cPEF+visEj6Vl2G/FB9oItzCnTj2v7oezvNBtjDeqDTRXYofwU9b4Qo=
trusted comment: tfvae mnist 5
8wdUQTKMykKspjGDGepfWs9G4o8kKYwQRDE89FyaopMOCZW816QM4Iu+a0KhK1yJ3KbVEjmB8D+Ys6m9mamtBA==
"""


def base64_of(*parts):
    return base64.b64encode(b"".join(parts)).decode()


class Operator:
    """A key of an operator's, that signs as minisign does."""

    def __init__(self, folder, name="minisign", identity=b"12345678"):
        self.secret, self.identity = Ed25519PrivateKey.generate(), identity
        self.public = folder / f"{name}.pub"
        key = self.secret.public_key().public_bytes_raw()
        self.public.write_text(f"untrusted comment: x\n{base64_of(b'Ed', identity, key)}\n")

    def sign(self, path, comment="of the operator"):
        signature = self.secret.sign(hashlib.blake2b(path.read_bytes()).digest())
        lines = [
            "untrusted comment: x",
            base64_of(b"ED", self.identity, signature),
            f"trusted comment: {comment}",
            base64_of(self.secret.sign(signature + comment.encode())),
        ]
        path.with_name(f"{path.name}.minisig").write_text("\n".join(lines) + "\n")


@pytest.fixture
def signed(tmp_path):
    """A file, its signature's file and the key, by minisign itself."""
    path, key = tmp_path / "manifest.json", tmp_path / "minisign.pub"
    path.write_bytes(CONTENT)
    key.write_text(PUBLIC)
    return path, tmp_path / "manifest.json.minisig", key


@pytest.mark.parametrize("signature", [HASHED, LEGACY])
def test_what_minisign_signed_is_signed(signed, signature):
    path, place, key = signed
    place.write_text(signature)
    PublicKey.read(key).check(path)
    key.write_text(PUBLIC.splitlines()[1])  # as it stands on minisign's own command line
    PublicKey.read(key).check(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mnist 5", "mnist 6"),  # the trusted comment is signed as well
        ("RUSLaUVXYCbeqhSe", "RUSLaUVXYCbeqhSf"),
        ("dPTa2E/Z9", "dPTa2E/Z8"),
        ("RUSLaUVXYCbeqhSe", "RWSLaUVXYCbeqhSe"),  # the other algorithm
        ("RUSLaUVXYCbeqhSe", "RUSLaUVXYCberhSe"),  # another key's
        ("RUSLaUVXYCbeqhSe", "AAALaUVXYCbeqhSe"),
        ("trusted comment: tfvae", "comment: tfvae"),
        ("dPTa2E/Z9", "dPTa2E/Z"),
        ("dPTa2E", "d!Ta2E"),
        (HASHED[-60:], ""),
        (HASHED, ""),
        (HASHED, "x" * 100_000),
    ],
)
def test_a_signature_that_was_changed_is_none(signed, old, new):
    path, place, key = signed
    assert old in HASHED
    place.write_text(HASHED.replace(old, new))
    with pytest.raises(IntegrityError, match=r"manifest.json.minisig is (no signature|of another)"):
        PublicKey.read(key).check(path)


def test_a_file_that_was_changed_is_not_signed(signed):
    path, place, key = signed
    place.write_text(HASHED)
    path.write_bytes(CONTENT + b" ")
    with pytest.raises(IntegrityError, match=r"is no signature of .*manifest.json by .*minisign"):
        PublicKey.read(key).check(path)


@pytest.mark.parametrize("content", ["", "x", "untrusted comment: x\nRUSL", "AAAL" * 14 + "\n"])
def test_a_file_that_holds_no_key_is_refused(tmp_path, content):
    (tmp_path / "key").write_text(content)
    with pytest.raises(UserError, match="holds no public key of minisign's"):
        PublicKey.read(tmp_path / "key")
    with pytest.raises(FileNotFoundError, match="is not there: expected a public key"):
        PublicKey.read(tmp_path / "nowhere")


def test_a_signed_set_is_verified_and_the_next_one_has_to_be_signed_anew(tmp_path, capfd):
    operator, stranger = Operator(tmp_path), Operator(tmp_path, "other", b"87654321")
    directory = tmp_path / "mnist"
    for weights in "ab":
        export_text(directory, weights)
        with pytest.raises(IntegrityError, match=r"is not signed: there is no .*minisig"):
            verify(directory, operator.public)
        operator.sign(directory / "current" / "manifest.json")
        assert verify(directory, operator.public)
        assert verify(directory)  # a signature is no part of the set
    main(["verify", str(directory), "--public-key", str(operator.public)])
    assert ", signed" in capfd.readouterr().out
    with pytest.raises(SystemExit):
        main(["verify", str(directory), "--public-key", str(stranger.public)])
    assert "is of another key than" in capfd.readouterr().err
    stranger.sign(next((directory / "sets").glob("1-*")) / "manifest.json")
    with pytest.raises(IntegrityError, match=r"sets/1-.* is of another key"):
        verify(directory, operator.public)


def test_without_cryptography_the_message_says_what_to_install(signed, monkeypatch):
    path, place, key = signed
    place.write_text(HASHED)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(ImportError, match=r"pip install 'tfvae\[signing\]'"):
        PublicKey.read(key).check(path)
