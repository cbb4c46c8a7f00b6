"""JSON that somebody else may have written: bounded before anything is made of it.

Whoever walks a configuration recurs, as Python's own reader does, and makes objects of a hundred
times the size of their text.
"""

import json
from typing import Any

from tfvae.errors import UserError

_DEEPEST = 100  # levels; a Keras layer inside of another one takes three
_MOST_VALUES = 200_000  # a network of 500 layers has 30,000


def bounded_json(text: str | bytes, largest: int, most: int = _MOST_VALUES) -> Any:
    """Reads JSON of bounded size and depth.

    Args:
        text: UTF-8, where it is bytes.
        largest: How many bytes, or characters, there may be.
        most: How many values, of which each may become a layer.

    Raises:
        UserError: says what there is too much of; the caller says where.
        ValueError: if it is no JSON, or has a key twice in one object.
    """
    if len(text) > largest:
        raise UserError(f"it has more than {largest:,} bytes")
    try:
        level = [json.loads(text, object_pairs_hook=_once)]
    except RecursionError:
        raise UserError(_TOO_DEEP) from None
    value, depth, count = level[0], 0, 1
    while level := [part for parts in level for part in _parts(parts)]:
        depth, count = depth + 1, count + len(level)
        if depth > _DEEPEST:
            raise UserError(_TOO_DEEP)
        if count > most:
            raise UserError(f"it has more than {most:,} values")
    return value


_TOO_DEEP = f"it is nested more than {_DEEPEST} levels deep"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are there once: readers differ in which of two they take."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _parts(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
