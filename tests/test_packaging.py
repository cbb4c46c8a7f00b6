"""The two lists of dependencies agree with each other and with what the tests run with."""

import importlib.metadata
import re
import runpy
from pathlib import Path

import pytest
import setuptools
from packaging.requirements import Requirement

import tfvae

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def pinned():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-e"))]


@pytest.fixture
def arguments(monkeypatch):
    """What setup.py passes to setuptools."""
    passed = {}
    monkeypatch.setattr(setuptools, "setup", lambda **kwargs: passed.update(kwargs))
    runpy.run_path(str(ROOT / "setup.py"))
    return passed


def test_exact_versions_are_those_installed(pinned):
    for requirement in pinned:
        if requirement.marker is None or requirement.marker.evaluate():
            installed = importlib.metadata.version(requirement.name)
            assert requirement.specifier.contains(installed), requirement


def test_exact_versions_lie_within_the_bounds(pinned, arguments):
    extras = [name for names in arguments["extras_require"].values() for name in names]
    for bound in map(Requirement, [*arguments["install_requires"], *extras]):
        pins = [pin for pin in pinned if pin.name == bound.name]
        assert pins, f"{bound.name} is not in requirements.txt"
        for pin in pins:
            version = re.fullmatch("==(.+)", str(pin.specifier))[1]
            assert bound.specifier.contains(version), (bound, pin)
        assert {clause.operator for clause in bound.specifier} >= {">="}, bound


def test_setup_names_version_packages_and_command(arguments):
    assert arguments["version"] == tfvae.__version__
    assert {"tfvae", "tfvae.cli", "tfvae.data.sources", "tfvae.runs"} <= set(arguments["packages"])
    assert not [name for name in arguments["packages"] if name.startswith("tests")]
    assert arguments["entry_points"] == {"console_scripts": ["tfvae = tfvae.cli.main:main"]}


def test_lists_name_no_registry():
    for name in ("requirements.txt", "setup.py"):
        text = (ROOT / name).read_text("utf-8")
        assert not re.search(r"https?://|--index-url|--hash", text), name
