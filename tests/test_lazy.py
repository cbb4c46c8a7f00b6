"""An editor and a type checker see the lazy names: beside each stands an import for them."""

import ast
import importlib
from pathlib import Path

import pytest

import tfvae

PACKAGE = Path(tfvae.__file__).parent
LAZY = [path for path in PACKAGE.rglob("__init__.py") if "lazy(__name__" in path.read_text("utf-8")]


def test_there_are_lazy_packages():
    assert len(LAZY) >= 4


@pytest.mark.parametrize("path", LAZY, ids=lambda path: path.parent.name)
def test_what_is_imported_for_editors_is_what_the_lazy_names_are(path):
    module = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    package = importlib.import_module(module)
    shown = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                for alias in line.names:
                    assert alias.asname == alias.name  # without which it is not exported
                    shown[alias.name] = line.module
    expected = {n: f"{module}.{home}" if home else module for n, home in package._HOMES.items()}
    assert shown == expected
    assert set(shown) <= set(dir(package))


@pytest.mark.parametrize("path", LAZY, ids=lambda path: path.parent.name)
def test_no_name_is_that_of_a_module_which_would_take_its_place(path):
    """Whoever imports the module `classify` makes `uses.classify` that, and no function."""
    module = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    homes = importlib.import_module(module)._HOMES
    beside = {other.stem for other in path.parent.iterdir() if other != path}
    assert not {name for name, home in homes.items() if home is not None and name in beside}
