"""Nothing but the catalogues and the presets asks for a member by its name.

Who wants to know something of a member asks the member: a comparison with its name would be wrong
for the next one, and for a stranger's.
"""

import ast
from pathlib import Path

import pytest

import tfvae
from tfvae import catalogue
from tfvae.data.catalogue import CATALOGUE

PACKAGE = Path(tfvae.__file__).parent
MEMBERS = {name for kind in catalogue.KINDS for name in catalogue.KINDS[kind].members}
NAMES = MEMBERS | set(CATALOGUE)
ALLOWED = {"catalogue.py", "presets.py", "data/catalogue.py"}


def compared(tree):
    """The texts that a module compares with, or looks up in a literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            sides = [node.value]
        else:
            continue
        for side in sides:
            literals = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
            for literal in literals:
                if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                    yield literal.value


def found(source):
    return [value for value in compared(ast.parse(source)) if value in NAMES]


def test_no_module_compares_with_the_name_of_a_member():
    culprits = [
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() not in ALLOWED
        for name in found(path.read_text("utf-8"))
    ]
    assert not culprits, "\n".join(culprits)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('x == "bernoulli"', 1),
        ('"mnist" != x', 1),
        ('x in ("tril", "diag")', 2),
        ('match x:\n    case "mixture":\n        pass', 1),
        ('x == "scale" or f("bernoulli")', 0),
    ],
)
def test_it_finds_what_it_looks_for(source, count):
    assert len(found(source)) == count
