"""JSON with arrays in it, to and from text: by `orjson` where it is installed.

`orjson` writes a float32 array 20 times as fast as `json` does, and in half the digits, but neither
writes nor reads `NaN` and `Infinity`, which TensorFlow Serving's JSON has: those go by `json`.
"""

import contextlib
import gc
import json
import math
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tfvae.errors import UserError

try:
    import orjson
except ImportError:
    orjson = None


def dumps(value: Any, arrays: Iterable[np.ndarray]) -> bytes:
    """A value that holds arrays, as JSON.

    Args:
        value: dictionaries and lists, with arrays in place of nested lists.
        arrays: those that it holds, or holds rows of.
    """
    if orjson is not None and all(_finite(array) for array in arrays):
        try:
            return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
        except TypeError:  # a type or a layout that it doesn't know
            pass
    return json.dumps(value, separators=(",", ":"), default=_listed).encode("ascii")


def loads(text: bytes) -> Any:
    """The value that JSON text describes.

    Raises:
        ValueError: for what is no JSON.
        RecursionError: for what is nested too deeply.
    """
    with _without_collecting():
        if orjson is not None:
            try:
                return orjson.loads(text)
            except ValueError:  # NaN, an integer of many digits, or an error that json words
                pass
        return json.loads(text.decode("utf-8"), parse_float=_bounded)


def _bounded(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise UserError(f"number too big to be a double: {text[:40]}")
    return value


_LOCK = threading.Lock()
_readers = 0
_collecting = False  # before the first of the readers


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """No garbage collection while JSON is read.

    256 images are 200,000 lists of one number. Making so many starts collections of everything that
    TensorFlow keeps, which took seconds on a loaded machine. What is read has no cycles to find.
    """
    global _readers, _collecting
    with _LOCK:
        if _readers == 0:
            _collecting = gc.isenabled()
            gc.disable()
        _readers += 1
    try:
        yield
    finally:
        with _LOCK:
            _readers -= 1
            if _readers == 0 and _collecting:
                gc.enable()


def _finite(array: np.ndarray) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _listed(value: Any) -> Any:
    return value.tolist()
