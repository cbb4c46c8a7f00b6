"""Signatures read from source files, nothing being imported.

A member's module imports TensorFlow, which takes seconds; a help page, a list of members or a
mistyped option can't wait for that. So `ast` reads what `inspect` would say.
"""

import ast
import dataclasses
import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tfvae import docstrings
from tfvae.errors import UserError
from tfvae.suggestions import nearest


class _Mark:
    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


REQUIRED = _Mark("required")
COMPUTED = _Mark("computed")  # a default that is an expression: the constructor's own affair


@dataclass(frozen=True)
class Argument:
    """One argument of a constructor.

    Attributes:
        name: As Python has it.
        annotation: The source of its annotation, "Any" where there is none.
        default: A literal, `REQUIRED` or `COMPUTED`.
        text: What the docstring says of it, on one line.
    """

    name: str
    annotation: str
    default: Any
    text: str

    def replace(self, **changes: Any) -> "Argument":
        """The same with changes."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Signature:
    """A class or function as its source describes it.

    Attributes:
        path: "package.module:Name".
        arguments: By name, in order, with those that `**kwargs` hands on to base classes.
        named: Whether it takes a `name`, as Keras layers do.
        doc: The docstring.
    """

    path: str
    arguments: dict[str, Argument]
    named: bool
    doc: str


@functools.cache
def read(path: str) -> Signature:
    """The signature of "package.module:Name".

    Raises:
        UserError: if there is no such package, module or name.
    """
    module, _, name = path.partition(":")
    home, node = _definition(module, name)
    doc = ast.get_docstring(node) or ""
    if isinstance(node, ast.ClassDef):
        arguments, is_open = _constructor(home, node)
    else:
        arguments, is_open = _arguments(home, node, doc), False
    return Signature(path, arguments, is_open or "name" in arguments, doc)


@functools.cache
def _module(name: str) -> ast.Module | None:
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


def _definition(module: str, name: str) -> tuple[str, ast.ClassDef | ast.FunctionDef]:
    """The module that defines a class or function, imports being followed, and its syntax."""
    tree = _module(module)
    if tree is None:
        raise UserError(
            f"No module {module!r}: install its package, or mend the name. Expected "
            f"'package.module:{name or 'Class'}'."
        )
    defined = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    if name in defined:
        return module, defined[name]
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            package = module.rsplit(".", node.level)[0] + "." if node.level else ""
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _definition(f"{package}{node.module or ''}", alias.name)
    known = [name for name in defined if not name.startswith("_")]
    raise UserError(f"Module {module!r} defines no {name!r}.{nearest(name, known)}")


def _constructor(module: str, node: ast.ClassDef) -> tuple[dict[str, Argument], bool]:
    """A class' arguments, and whether Keras or another package takes more of them.

    Those of the base class follow where `super().__init__(first, **kwargs)` hands them on; what the
    call itself fills in is not asked for.
    """
    own = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
    doc = ast.get_docstring(node) or ""
    arguments = _arguments(module, own[0], doc) if own else {}
    if own and own[0].args.kwarg is None:
        return arguments, False
    filled = _super_call(own[0]) if own else ast.Call(func=ast.Name("super"), args=[], keywords=[])
    base = next((base.id for base in node.bases if isinstance(base, ast.Name)), None)
    try:
        home, base_node = _definition(module, base or "")
    except UserError:
        return arguments, True
    inherited, is_open = _constructor(home, cast(ast.ClassDef, base_node))
    taken = {*list(inherited)[: len(filled.args)], *(k.arg for k in filled.keywords)}
    texts = docstrings.arguments(doc)
    for name, argument in inherited.items():
        if name not in taken:
            text = texts.get(name, argument.text)
            arguments.setdefault(name, argument.replace(text=text))
    return arguments, is_open


def _super_call(init: ast.FunctionDef) -> ast.Call:
    calls = [n for n in ast.walk(init) if isinstance(n, ast.Call)]
    return next(
        call
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"
    )


def _arguments(module: str, node: ast.FunctionDef, doc: str) -> dict[str, Argument]:
    given, texts = node.args, docstrings.arguments(doc)
    names = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(names) - len(given.defaults)) + given.defaults
    pairs = [*zip(names, defaults, strict=True)]
    pairs += zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return {
        arg.arg: Argument(
            arg.arg,
            ast.unparse(_value(module, arg.annotation)) if arg.annotation else "Any",
            REQUIRED if default is None else _literal(_value(module, default)),
            texts.get(arg.arg, ""),
        )
        for arg, default in pairs
        if arg.arg != "self"
    }


def _value(module: str, node: ast.expr) -> ast.expr:
    """What a name of the module stands for; any other expression as it is."""
    if not isinstance(node, ast.Name):
        return node
    for line in _module(module).body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == node.id:
            return line.value
    return node


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return COMPUTED
