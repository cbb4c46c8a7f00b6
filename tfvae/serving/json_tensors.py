"""Tensors in TensorFlow Serving's JSON: nested lists, `{"b64": ...}` for bytes.

Both sides use this: the client writes requests and reads replies, the server the reverse. JSON's
numbers may be `NaN`, `Infinity` and `-Infinity` (Python's reader and writer agree with TensorFlow
Serving's on that).

References:
    https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import binascii
import itertools
from typing import Any

import numpy as np

from tfvae.errors import UserError

MAX_RANK = 32
_NUMBERS = {int, float}


def to_json(array: np.ndarray, as_bytes: bool = False) -> Any:
    """What `json_text.dumps` takes: numbers as they are; bytes as lists of text or base64."""
    if not array.dtype.hasobject:
        return np.ascontiguousarray(array) if array.ndim else array[()]
    flat = np.empty(array.size, object)
    flat[:] = [_string(value, as_bytes) for value in array.ravel()]
    return flat.reshape(array.shape).tolist()


def from_json(value: Any, dtype: Any) -> np.ndarray:
    """The array of a given type that nested lists hold; nothing is converted but int to float.

    Args:
        value: what a JSON reader returned.
        dtype: a NumPy type; `object` for bytes.

    Raises:
        ValueError: for ragged lists, a value of another type, or a number out of range.
    """
    flat, shape = flatten(value)
    dtype = np.dtype(dtype)
    if dtype.hasobject:
        array = np.empty(len(flat), object)
        array[:] = [_bytes(item) for item in flat]
        return array.reshape(shape)
    allowed = {"f": _NUMBERS, "i": {int}, "u": {int}, "b": {bool}}.get(dtype.kind)
    if allowed is None:
        raise UserError(f"Conversion of JSON values to type {dtype.name} is not supported")
    if not set(map(type, flat)) <= allowed:
        wrong = next(item for item in flat if type(item) not in allowed)
        raise UserError(f"JSON Value: {_show(wrong)} is not of expected type: {dtype.name}")
    if dtype.kind == "f":
        return _floats(flat, dtype).reshape(shape)
    try:
        return np.array(flat, dtype).reshape(shape)
    except OverflowError:
        raise UserError(f"JSON number out of range of type {dtype.name}") from None


def flatten(value: Any) -> tuple[list, tuple[int, ...]]:
    """The leaves of nested lists, and their shape.

    Raises:
        ValueError: if sizes or depths differ, or the depth is above `MAX_RANK`.
    """
    level, shape = [value], []
    while level and isinstance(level[0], list):
        if len(shape) == MAX_RANK:
            raise UserError(f"Encountered lists nested deeper than {MAX_RANK} levels")
        if set(map(type, level)) != {list}:
            odd = next(item for item in level if not isinstance(item, list))
            raise UserError(f"Encountered {_show(odd)} at level: {len(shape)} beside a list")
        sizes = sorted(set(map(len, level)))
        if len(sizes) > 1:
            raise UserError(
                f"Encountered lists of unexpected size at level: {len(shape)}: {sizes[:5]}"
            )
        shape.append(sizes[0])
        level = list(itertools.chain.from_iterable(level))
    if list in set(map(type, level)):
        raise UserError(f"Encountered list at unexpected level: {len(shape)}")
    return level, tuple(shape)


def is_base64(value: Any) -> bool:
    """Whether a JSON value is `{"b64": "..."}`."""
    return isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str)


def _floats(flat: list, dtype: np.dtype) -> np.ndarray:
    try:
        exact = np.array(flat, np.float64)
    except OverflowError:  # an integer beyond 1e308
        exact = None
    if exact is None or np.any(np.isfinite(exact) & (np.abs(exact) > np.finfo(dtype).max)):
        raise UserError(f"Cannot convert JSON value to {dtype.name} without loss of precision.")
    return exact.astype(dtype)


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if not is_base64(value):
        raise UserError(f"JSON Value: {_show(value)} is not a string or base64 data")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise UserError("Unable to base64 decode") from None


def _string(value: bytes, as_bytes: bool) -> Any:
    if as_bytes:
        return {"b64": base64.b64encode(value).decode("ascii")}
    return value.decode("utf-8", "replace")


def _show(value: Any) -> str:
    """A value in a message: a short one, however long or deep it is."""
    if isinstance(value, (dict, list)):
        return "Object" if isinstance(value, dict) else "Array"
    text = "a long number" if isinstance(value, int) and abs(value) > 1e18 else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
