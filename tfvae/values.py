"""Values of settings: what an annotation allows, checked and read from text.

Pydantic does the checking: it knows every annotation that a constructor may have, with bounds, and
in its strict mode turns no "2" into 2 and no True into 1. tyro and jsonargparse would make the
whole command line, but both inspect live classes, and importing one of ours imports TensorFlow;
both put each member's options behind a class path or a subcommand, so that `--num-components 20`
would not do.
"""

import functools
import json
import os
import typing
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tfvae.errors import UserError
from tfvae.signatures import COMPUTED
from tfvae.suggestions import nearest

if TYPE_CHECKING:
    import pydantic

_PYDANTIC = ("Field", "PositiveInt", "NonNegativeInt", "PositiveFloat", "NonNegativeFloat")
_TYPING = ("Annotated", "Any", "Literal", "Optional", "Union")
_TYPES = {t.__name__: t for t in (bool, int, float, str, list, tuple, dict, Sequence, Mapping)}


@functools.cache
def adapter(annotation: str) -> "pydantic.TypeAdapter | None":
    """What checks values of an annotation; None where it asks for objects, such as a layer."""
    import pydantic  # a tenth of a second, which `tfvae --help` can do without

    names = {"os": os, **_TYPES, **{name: getattr(typing, name) for name in _TYPING}}
    names |= {name: getattr(pydantic, name) for name in _PYDANTIC}
    try:
        kind = eval(annotation, {"__builtins__": {}}, names)
        config = pydantic.ConfigDict(strict=True, allow_inf_nan=False)
        return pydantic.TypeAdapter(kind, config=config)
    except (NameError, AttributeError, TypeError, pydantic.PydanticUserError):
        return None


def check(annotation: str, value: Any) -> Any:
    """The value, lists as tuples, if the annotation allows it.

    Raises:
        UserError: says what was received and what was expected.
    """
    from pydantic import ValidationError

    try:
        return adapter(annotation).validate_python(as_tuples(value))
    except ValidationError as error:
        raise UserError(_refusal(value, error)) from None


def parse(annotation: str, text: str) -> Any:
    """Reads text: a number, a word, "200,200", "none", or JSON.

    Raises:
        UserError: if the annotation allows no reading of the text.
    """
    readings = [*_json(text), text, *_json(f"[{text}]"), text.split(",")]
    readings += [None, ()] if text in ("none", "default") else []
    for reading in readings:
        try:
            return check(annotation, reading)
        except UserError:
            continue
    return check(annotation, readings[0])


def as_text(value: Any) -> str:
    """The text that `parse` reads as this value."""
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple) and not any(isinstance(part, tuple) for part in value):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)


def default_text(default: Any) -> str:
    """The text of an argument's default, such as `as_text` has it."""
    return "an expression, see the text" if default is COMPUTED else as_text(default)


def metavar(annotation: str) -> str:
    """A value in a help page."""
    return _metavar(adapter(annotation).json_schema())


def as_tuples(value: Any) -> Any:
    """The value with tuples for lists, as JSON has them."""
    return tuple(map(as_tuples, value)) if isinstance(value, list | tuple) else value


def _json(text: str) -> list[Any]:
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return []


def _refusal(value: Any, error: "pydantic.ValidationError") -> str:
    problems = [p for p in error.errors() if p["type"] != "none_required"] or error.errors()
    said = " or ".join(dict.fromkeys(map(_wanted, problems)))
    words = [w.strip("' ") for w in said.replace(" or ", ",").split(",")] if "'" in said else []
    return f"received {value!r}; expected {said}.{nearest(str(value), words) if words else ''}"


def _wanted(problem: Mapping[str, Any]) -> str:
    """Pydantic's message as what follows "expected"."""
    if problem["type"] == "sequence_str":
        return "a list such as 200,200"
    said = problem["msg"].removeprefix("Input should be ")
    return f"a number {said}" if said.startswith(("greater", "less")) else said


def _metavar(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return "|".join(dict.fromkeys(map(_metavar, schema["anyOf"])))
    if "enum" in schema:
        return "|".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        parts = schema.get("prefixItems")
        return ",".join(map(_metavar, parts)) if parts else f"{_metavar(schema['items'])},..."
    names = {"integer": "INT", "number": "NUMBER", "string": "TEXT", "boolean": "true|false"}
    return {**names, "null": "none"}.get(schema.get("type"), "VALUE")
