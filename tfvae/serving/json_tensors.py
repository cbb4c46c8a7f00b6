"""Tensors in TensorFlow Serving's JSON: nested lists, and `{"b64": ...}` for bytes.

orjson writes a float32 array 20 times as fast as `json` does, and in half the digits, but it has no
`NaN` and `Infinity`, which TensorFlow Serving's JSON has: those go by `json`.
"""

import base64
import json
import reprlib
from collections.abc import Iterable
from operator import methodcaller
from typing import Any

import numpy as np
import orjson

from tfvae.errors import UserError

_listed = methodcaller("tolist")
NamedArrays = dict[str, np.ndarray]
# NumPy's kind of a type -> what JSON may hold for it. Nothing is converted but integers to floats.
_ALLOWED: dict[str, set[type]] = {"f": {int, float}, "i": {int}, "u": {int}, "b": {bool}}


def dumps(value: Any, arrays: Iterable[np.ndarray]) -> bytes:
    """Dictionaries and lists of what `to_json` returned for some arrays, as JSON."""
    if all(array.dtype.kind != "f" or np.isfinite(array).all() for array in arrays):
        return orjson.dumps(value, _listed, orjson.OPT_SERIALIZE_NUMPY)
    return json.dumps(value, separators=(",", ":"), default=_listed).encode("ascii")


def loads(text: bytes) -> Any:
    """The value that JSON text describes; `UserError` if it is none, or nested too deeply."""
    try:
        return orjson.loads(text)
    except ValueError:  # NaN, an integer of many digits, or an error that json words better
        pass
    try:
        return json.loads(text.decode("utf-8"))
    except RecursionError:
        raise UserError("nested too deeply") from None
    except ValueError as error:
        raise UserError(str(error)) from None


def to_json(array: np.ndarray, as_bytes: bool = False) -> Any:
    """What `dumps` takes: numbers as they are; bytes as lists of text, or of base64."""
    if not array.dtype.hasobject:
        return np.ascontiguousarray(array) if array.ndim else array[()]
    flat = np.empty(array.size, object)
    flat[:] = [
        {"b64": base64.b64encode(value).decode()} if as_bytes else value.decode("utf-8", "replace")
        for value in array.ravel()
    ]
    return flat.reshape(array.shape).tolist()


def from_json(value: Any, dtype: Any) -> np.ndarray:
    """The array that nested lists hold, of a given type; of bytes it is `object`.

    Ragged lists, a value of another type and a number out of range are refused by `UserError`.
    """
    array, dtype = np.array(value, object), np.dtype(dtype)
    flat = array.ravel().tolist()
    kinds = set(map(type, flat))
    if list in kinds:  # NumPy goes no deeper than lists are of one length, and 64 levels
        raise UserError("lists of unequal lengths, values beside lists, or nested too deeply")
    if dtype.hasobject:
        array.ravel()[:] = [_bytes(item) for item in flat]
        return array
    if not kinds <= _ALLOWED.get(dtype.kind, set()):
        wrong = next(item for item in flat if type(item) not in _ALLOWED.get(dtype.kind, set()))
        raise UserError(f"JSON value {reprlib.repr(wrong)} is not of the expected type {dtype}")
    try:
        if dtype.kind == "f" and any(type(item) is int and abs(item) > 2**24 for item in flat):
            raise OverflowError  # float32 has not each of them: TensorFlow Serving refuses all
        with np.errstate(over="raise"):  # of a number that float32 has no room for
            return array.astype(np.float64 if dtype.kind == "f" else dtype).astype(dtype)
    except (OverflowError, FloatingPointError):
        raise UserError(f"JSON number out of range of type {dtype}") from None


def is_base64(value: Any) -> bool:
    """Whether a JSON value is `{"b64": "..."}`."""
    return isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str)


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if not is_base64(value):
        raise UserError(f"JSON value {reprlib.repr(value)} is not a string or base64 data")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except ValueError:
        raise UserError("unable to base64 decode") from None
