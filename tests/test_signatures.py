"""Base classes are followed as Python finds them, and nothing is imported."""

import inspect
import sys

import pytest

import tfvae
from tfvae import signatures

PARTS = '''
import keras
from typing import Literal

Colour = Literal["red", "blue"]
WIDTH = 7


class Module:
    class Base(keras.layers.Layer):
        """Args:
            depth: Of the base.
        """

        def __init__(self, size: int, depth: int = 3, **kwargs):
            super().__init__(**kwargs)


class Left(Module.Base):
    def __init__(self, size: int, left: float = 1.0, **kwargs):
        super().__init__(size, **kwargs)


class Right(Module.Base):
    def __init__(self, size: int, right: float = 2.0, **kwargs):
        super().__init__(size=size, **kwargs)


class Fixed(Module.Base):
    def __init__(self, **kwargs):
        Module.Base.__init__(self, 7, **kwargs)
'''
MODELS = '''
import keras
import tfvae
import tfvae.models.vae
import tfvae.models.vae as v
import strangers2.parts as parts
from tfvae import models
from tfvae.models import *
from . import parts as mine
from .parts import Left, Module as Enclosing
from strangers2.parts import Colour as Paint, WIDTH

Alias = parts.Module.Base


class Lazy(tfvae.VAE):
    """Args:
        warmth: Of mine.
    """

    def __init__(self, encoder, decoder, warmth: float = 0.5, **kwargs):
        super().__init__(encoder, decoder, **kwargs)


class Renamed(v.VAE): pass
class Dotted(tfvae.models.vae.VAE): pass
class Packaged(models.VAE): pass
class Starred(VAE): pass
class Nested(parts.Module.Base): pass
class Relative(mine.Module.Base): pass
class Both(Left, mine.Right): pass
class Aliased(Alias): pass
class Named(Enclosing.Base): pass
class Fixed(parts.Fixed): pass
class Painted(keras.layers.Layer):
    def __init__(self, colour: Paint = "red", width: int = WIDTH, **kwargs):
        super().__init__(**kwargs)
class Foreign(keras.Model):
    def __init__(self, size: int, **kwargs):
        super().__init__(**kwargs)
'''


@pytest.fixture
def strangers(tmp_path, monkeypatch):
    folder = tmp_path / "strangers2"
    folder.mkdir()
    (folder / "__init__.py").write_text("", "utf-8")
    (folder / "parts.py").write_text(PARTS, "utf-8")
    (folder / "models.py").write_text(MODELS, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield "strangers2.models"
    for name in [n for n in sys.modules if n.startswith("strangers2")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["Lazy", "Renamed", "Dotted", "Packaged", "Starred"])
def test_a_vae_of_ones_own_has_the_arguments_of_a_vae(strangers, name):
    read = signatures.read_signature(f"{strangers}:{name}")
    wanted = {p for p in inspect.signature(tfvae.VAE).parameters if p != "kwargs"}
    assert wanted | ({"warmth"} if name == "Lazy" else set()) == set(read.arguments)
    assert read.named
    assert strangers not in sys.modules


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Nested", ["size", "depth"]),
        ("Relative", ["size", "depth"]),
        ("Aliased", ["size", "depth"]),
        ("Named", ["size", "depth"]),
        ("Both", ["size", "left", "right", "depth"]),
        ("Fixed", ["depth"]),
        ("Foreign", ["size"]),
    ],
)
def test_bases_are_followed_wherever_they_are(strangers, name, arguments):
    read = signatures.read_signature(f"{strangers}:{name}")
    assert sorted(read.arguments) == sorted(arguments)
    assert read.named
    assert "depth" not in arguments or read.arguments["depth"].default == 3


def test_types_and_defaults_may_be_imported(strangers):
    read = signatures.read_signature(f"{strangers}:Painted").arguments
    assert read["colour"].annotation == "Literal['red', 'blue']"
    assert read["width"].default == 7


def test_the_command_line_offers_and_takes_them(strangers, tmp_path, capfd):
    from tfvae.cli.main import main

    def run(*arguments):
        code = 0
        try:
            main(["train", "digits", "--model", f"{strangers}:Lazy", *arguments])
        except SystemExit as request:
            code = request.code
        captured = capfd.readouterr()
        return code, captured.out + captured.err

    code, said = run("--help")
    assert code == 0
    for option in ("--warmth", "--posterior NAME", "--prior NAME", "--objective NAME"):
        assert option in said
    code, said = run("--warmth", "much")
    assert code == 2
    assert "--warmth" in said
    from tfvae import presets

    settings = presets.get("digits", model=f"{strangers}:Lazy", warmth=2.0, units=(8,))
    assert settings["model.warmth"] == 2.0
    assert type(settings.model()).__name__ == "Lazy"
