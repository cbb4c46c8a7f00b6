"""CITATION.cff is what those who read it want, and of this version."""

import re
import runpy

import pytest
import setuptools
import yaml

import tfvae
from tests.docs.pages import ROOT


@pytest.fixture(scope="module")
def citation():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))


def test_it_has_what_the_schema_requires(citation):
    """The keys that Citation File Format 1.2.0 requires, and what it allows for authors."""
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "version", "license"} <= set(citation)
    for author in citation["authors"]:
        assert "name" in author or {"family-names", "given-names"} <= set(author)
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= set(reference)


def test_it_is_of_this_version_and_license(citation, monkeypatch):
    passed = {}
    monkeypatch.setattr(setuptools, "setup", lambda **arguments: passed.update(arguments))
    runpy.run_path(str(ROOT / "setup.py"))
    assert citation["version"] == tfvae.__version__ == passed["version"]
    assert citation["license"] == passed["license"]


def test_the_changelog_begins_with_this_version():
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert first[1] == tfvae.__version__


def test_the_readme_is_read_in_two_minutes():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 100
