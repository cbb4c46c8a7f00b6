"""Strangers are strangers: small, and made of public names alone; tfvae has never heard of them."""

import ast
import re
from pathlib import Path

import pytest

import tfvae

MEMBERS = sorted(Path(__file__).with_name("members").glob("*.py"))
PACKAGE = Path(tfvae.__file__).parent


@pytest.mark.parametrize("path", MEMBERS, ids=[path.stem for path in MEMBERS])
def test_a_member_is_short(path):
    assert len(path.read_text("utf-8").splitlines()) < 60


@pytest.mark.parametrize("path", MEMBERS, ids=[path.stem for path in MEMBERS])
def test_a_member_touches_nothing_private(path):
    """Names with an underscore are its own, defined where they are used."""
    tree = ast.parse(path.read_text("utf-8"))
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tfvae"):
            used |= {*node.module.split("."), *(alias.name for alias in node.names)}
    private = {name for name in used if re.match("_(?!_)", name)}
    assert private <= defined


def test_the_package_does_not_know_them():
    names = set()
    for member in MEMBERS:
        tree = ast.parse(member.read_text("utf-8"))
        names |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert len(names) >= 3
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        assert "tests.extension" not in text, path
        assert "stranger" not in text, path
        assert not names & set(re.findall(r"^class (\w+)", text, re.MULTILINE)), path
