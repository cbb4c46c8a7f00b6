"""Signatures read from source files, nothing being imported.

A member's module imports TensorFlow, which takes seconds; a help page, a list of members or a
mistyped option can't wait for that. So `ast` reads what `inspect` would say.
"""

import ast
import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfvae import docstrings, sources
from tfvae.errors import UserError
from tfvae.sources import Definition
from tfvae.suggestions import nearest


class _Mark:
    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


REQUIRED = _Mark("required")
COMPUTED = _Mark("computed")  # a default that is an expression: the constructor's own affair

# Of a constructor that calls no other.
_NO_CALL = ast.Call(ast.Name("super"), args=[], keywords=[])


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
def read_signature(path: str) -> Signature:
    """The signature of "package.module:Name".

    Raises:
        UserError: if there is no such package, module or name.
    """
    module, _, name = path.partition(":")
    definition = _definition(module, name)
    doc = ast.get_docstring(definition.node) or ""
    if isinstance(definition.node, ast.ClassDef):
        arguments, is_open = _constructor(sources.linearised(definition))
    else:
        arguments, is_open = _arguments(definition.module, definition.node, doc), False
    return Signature(path, arguments, is_open or "name" in arguments, doc)


def _definition(module: str, name: str) -> Definition:
    """The class or function that a name of a module is, imports being followed."""
    tree = sources.module(module)
    if tree is None:
        raise UserError(
            f"No module {module!r}: install its package, or mend the name. Expected "
            f"'package.module:{name or 'Class'}'."
        )
    found = sources.find(module, name)
    if isinstance(found, Definition):
        return found
    known = [name for name in sources.definitions(tree) if not name.startswith("_")]
    raise UserError(f"Module {module!r} defines no {name!r}.{nearest(name, known)}")


def _constructor(order: Sequence[Definition]) -> tuple[dict[str, Argument], bool]:
    """A class' arguments, and whether Keras or another package takes more of them.

    Those of the next class follow where `super().__init__(first, **kwargs)` hands them on; what the
    call itself fills in is not asked for.

    Args:
        order: The class, and its bases in the order in which `super()` asks them.
    """
    if not order:
        return {}, True
    (module, node), *bases = order
    doc = ast.get_docstring(node) or ""
    init = sources.definitions(node).get("__init__")
    arguments: dict[str, Argument] = {}
    filled = _NO_CALL
    if isinstance(init, ast.FunctionDef):
        arguments = _arguments(module, init, doc)
        filled = _super_call(init)
        if init.args.kwarg is None or all(k.arg is not None for k in filled.keywords):
            return arguments, False
    inherited, is_open = _constructor(bases)
    taken = {*list(inherited)[: len(filled.args)], *(k.arg for k in filled.keywords)}
    texts = docstrings.argument_texts(doc)
    for name, argument in inherited.items():
        if name not in taken:
            text = texts.get(name, argument.text)
            arguments.setdefault(name, argument.replace(text=text))
    return arguments, is_open


def _super_call(init: ast.FunctionDef) -> ast.Call:
    """`super().__init__(...)`, or the like of `Base.__init__(self, ...)`, without self."""
    for call in ast.walk(init):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        if call.func.attr == "__init__":
            by_super = isinstance(call.func.value, ast.Call)
            args = call.args if by_super else call.args[1:]
            return ast.Call(func=call.func, args=args, keywords=call.keywords)
    return _NO_CALL


def _arguments(module: str, node: ast.FunctionDef, doc: str) -> dict[str, Argument]:
    given, texts = node.args, docstrings.argument_texts(doc)
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
    found = sources.assigned(module, node.id) if isinstance(node, ast.Name) else None
    return node if found is None else found


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return COMPUTED
