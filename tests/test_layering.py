"""The layout as the design draws it: a module imports only what stands above it.

Imports inside functions and under TYPE_CHECKING count as well; they would hide a cycle, and not
remove it. `import tfvae`, the root whose names are found when they are used, does not.
"""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "tfvae"
LAYERS = (
    ("suggestions", "checks", "errors", "complaints", "lazy", "docstrings", "json_text"),
    ("sources", "signatures", "values"),
    ("random", "replica"),
    ("noise",),
    ("data",),
    ("corruptions",),
    ("missingness",),
    ("distributions",),
    ("networks",),
    ("quantisers",),
    ("flows",),
    ("heads",),
    ("priors",),
    ("inference",),
    ("objectives",),
    ("training",),
    ("models",),
    ("evaluation",),
    ("callbacks",),
    ("uses",),
    ("export",),
    ("serving",),
    ("catalogue",),
    ("registration",),
    ("settings",),
    ("presets",),
    ("runs",),
    ("benchmark",),
    ("reproduce",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def layer(path):
    """The name of a module's layer: of its folder right under tfvae/, or its own."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree, package):
    """Dotted names of the modules of tfvae, and of the names, that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            yield from ((f"{origin}.{alias.name}", node.lineno) for alias in node.names)


def violations(source, path):
    """What a module imports of the layers below its own, or of none."""
    package = ["tfvae", *path.relative_to(PACKAGE).parts[:-1]]
    for name, line in imported(ast.parse(source), package):
        parts = name.split(".")
        if parts[0] != "tfvae" or parts[1:] in ([], ["__version__"]):
            continue
        # A class of the root (`from tfvae import VAE`) has no layer, and is nobody's to import.
        if RANK.get(parts[1], len(LAYERS)) > RANK[layer(path)]:
            yield f"{path.relative_to(PACKAGE.parent)}:{line} imports {name}"


def test_every_module_has_a_layer():
    assert len(MODULES) > 100
    assert {layer(path) for path in MODULES} <= set(RANK)


@pytest.mark.parametrize("name", sorted({layer(path) for path in MODULES} & set(RANK)))
def test_a_layer_imports_only_what_stands_above_it(name):
    found = [
        violation
        for path in MODULES
        if layer(path) == name
        for violation in violations(path.read_text(), path)
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("import tfvae", 0),
        ("import tfvae.random\nfrom tfvae.checks import real", 0),
        ("from tfvae.heads.posteriors.x import Head\nfrom . import base\nfrom .. import noise", 0),
        ("import tfvae.priors", 1),
        ("from tfvae import models, VAE", 2),
        ("from ..models.base import LatentVariableModel", 1),
        ("def f():\n    from tfvae.training import xla", 1),
        ("if TYPE_CHECKING:\n    from tfvae.models import VAE", 1),
    ],
)
def test_it_finds_what_it_looks_for(source, count):
    assert len(list(violations(source, PACKAGE / "heads" / "base.py"))) == count
