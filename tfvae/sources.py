"""What the names in source files stand for, nothing being imported.

Imports of every form are followed, attributes of modules and of classes, the lazy names of packages
(`tfvae.lazy`), and the order in which Python asks the bases of a class.
"""

import ast
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

# Whose classes end a search: their arguments are no settings.
_FOREIGN = ("keras", "tensorflow", "tensorflow_probability", "tf_keras")


class Definition(NamedTuple):
    """A class or function, and the module that defines it."""

    module: str
    node: ast.ClassDef | ast.FunctionDef


Found = Definition | str | None  # a definition, the name of a module, or neither
_Block = ast.Module | ast.ClassDef | ast.FunctionDef | ast.If | ast.Try  # what has a body


@functools.cache
def module(name: str) -> ast.Module | None:
    """The parsed source, or None where there is none; parents of `name` are not imported."""
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations is None:
        files = [] if rest or spec.origin is None else [Path(spec.origin)]
    else:
        places = [Path(folder, *rest) for folder in spec.submodule_search_locations]
        files = [p / "__init__.py" for p in places]
        files += [p.with_name(f"{p.name}.py") for p in places if rest]
    found = next((file for file in files if file.suffix == ".py" and file.is_file()), None)
    return None if found is None else ast.parse(found.read_text("utf-8"))


def definitions(tree: _Block) -> dict[str, ast.ClassDef | ast.FunctionDef]:
    """The classes and functions of a module or a class by name."""
    return {n.name: n for n in _statements(tree) if isinstance(n, ast.ClassDef | ast.FunctionDef)}


def assigned(home: str, name: str) -> ast.expr | None:
    """The value that a module gives a name of its own, or that it imports by `from`; or None."""
    tree = module(home)
    for line in () if tree is None else tree.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == name:
            return line.value
        if isinstance(line, ast.ImportFrom) and line.module and not line.level:
            there = {alias.asname or alias.name: alias.name for alias in line.names}.get(name)
            if there is not None and line.module.split(".")[0] not in _FOREIGN:
                return assigned(line.module, there)
    return None


def find(home: str, name: str, asked: frozenset = frozenset()) -> Found:
    """What a name of a module is.

    Args:
        home: The module.
        name: A global of it.
        asked: Names whose search led here: none is asked for twice.
    """
    tree = module(home)
    if tree is None or (home, name) in asked or home.split(".")[0] in _FOREIGN:
        return None
    if name in (defined := definitions(tree)):
        return Definition(home, defined[name])
    asked = asked | {(home, name)}
    for node in _statements(tree):
        found: Found = None
        if isinstance(node, ast.Import):
            found = _imported(node, name)
        elif isinstance(node, ast.ImportFrom):
            found = _imported_from(home, node, name, asked)
        elif isinstance(node, ast.Assign) and _is_lazy(node.value):
            found = _lazy(home, node.value, name, asked)
        elif isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
            found = resolve(home, node.value, asked)
        if found is not None:
            return found
    below = f"{home}.{name}"
    return below if module(below) is not None else None


def resolve(home: str, node: ast.expr, asked: frozenset = frozenset()) -> Found:
    """What an expression of names and attributes is, such as `models.vae.VAE`."""
    if isinstance(node, ast.Name):
        return find(home, node.id, asked)
    if isinstance(node, ast.Subscript):  # a generic base, such as Base[int]
        return resolve(home, node.value, asked)
    if not isinstance(node, ast.Attribute):
        return None
    owner = resolve(home, node.value, asked)
    if isinstance(owner, str):
        return find(owner, node.attr, asked)
    if owner is None or node.attr not in (nested := definitions(owner.node)):
        return None
    return Definition(owner.module, nested[node.attr])


def linearised(definition: Definition) -> list[Definition]:
    """A class and its bases in the order in which Python asks them (C3), foreign ones left out."""
    assert isinstance(definition.node, ast.ClassDef), "A function has no bases."
    found = [resolve(definition.module, base) for base in definition.node.bases]
    bases = [b for b in found if isinstance(b, Definition) and isinstance(b.node, ast.ClassDef)]
    sequences = [*map(linearised, bases), bases]
    order = [definition]
    while sequences := [sequence for sequence in sequences if sequence]:
        heads = [sequence[0] for sequence in sequences]
        later = [each for sequence in sequences for each in sequence[1:]]
        chosen = next((head for head in heads if head not in later), heads[0])
        order.append(chosen)
        sequences = [[each for each in s if each != chosen] for s in sequences]
    return order


def _statements(tree: _Block) -> Iterator[ast.stmt]:
    """The statements of a body, and those under `if` and `try`."""
    for node in tree.body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _statements(node)


def _imported(node: ast.Import, name: str) -> str | None:
    for alias in node.names:
        if (alias.asname or alias.name.split(".")[0]) == name:
            return alias.name if alias.asname else name
    return None


def _imported_from(home: str, node: ast.ImportFrom, name: str, asked: frozenset) -> Found:
    source = node.module or ""
    if node.level:
        parts = home.split(".")
        is_package = module(f"{home}.__init__") is not None
        above = parts[: len(parts) - node.level + is_package]
        source = ".".join([*above, *filter(None, [node.module])])
    for alias in node.names:
        if alias.name == "*" or (alias.asname or alias.name) == name:
            wanted = name if alias.name == "*" else alias.name
            found = find(source, wanted, asked)
            below = f"{source}.{wanted}"
            if found is None and alias.name != "*" and module(below) is not None:
                return below
            if found is not None:
                return found
    return None


def _is_lazy(node: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "lazy"


def _lazy(home: str, call: ast.Call, name: str, asked: frozenset) -> Found:
    """A name that `tfvae.lazy.lazy(__name__, HOMES)` gives a package."""
    homes = call.args[1]
    if isinstance(homes, ast.Name):
        homes = assigned(home, homes.id) or homes
    places = ast.literal_eval(homes)
    if name not in places:
        return None
    return find(f"{home}.{places[name]}", name, asked) if places[name] else f"{home}.{name}"
