"""One name for one thing: no two modules define the same public name for different ones."""

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "tfvae"
# What is the same thing, or the same place in the same frame, wherever it is defined.
SHARED = {
    "tfd": "TFP's distributions, by the name that its documentation gives them",
    "T": "a type variable",
    "NamedArrays": "a type: name -> array",
    "command": "each module of the command line has the one that it is named for",
    "read": "each source of data reads what it is named for",
    "TEST_FRACTION": "each source's own",
    "names": "presets.names() and data.names(): the two public lists",
    "kl_per_dimension": "one quantity: of distributions, and its mean over data",
}


def public_names(tree):
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_no_public_name_is_defined_twice():
    modules = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for name in public_names(ast.parse(path.read_text("utf-8"))):
            if not name.startswith("_"):
                modules[name].add(str(path.relative_to(PACKAGE)))
    twice = {name: sorted(places) for name, places in modules.items() if len(places) > 1}
    assert {name: places for name, places in twice.items() if name not in SHARED} == {}
    assert not set(SHARED) - set(twice), "no longer shared"
