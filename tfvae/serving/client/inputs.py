"""Checks and conversions of what a caller hands to the client."""

import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfvae.errors import UserError, UserTypeError

_INT32 = 2**31


def image_inputs(images: Any) -> tuple[str, dict[str, np.ndarray]]:
    """Which form of a signature takes these images, and its input.

    Args:
        images: float or bool `[B, H, W, C]` in [0, 1]; or uint8, 0 to 255; or a sequence of `bytes`
            that hold one PNG or JPEG file each.

    Returns:
        The signature's ending ("", "_uint8" or "_image_bytes") and its input by name.

    Raises:
        TypeError: for another type.
        ValueError: for no images, or for floats outside [0, 1].
    """
    if isinstance(images, (bytes, bytearray)):
        raise UserTypeError("images is one file's bytes, expected a list of such files.")
    if isinstance(images, Sequence) and images and isinstance(images[0], (bytes, bytearray)):
        files = np.empty(len(images), object)
        files[:] = [bytes(file) for file in images]
        return "_image_bytes", {"image_bytes": files}
    array = np.asarray(images)
    if array.dtype == np.uint8:
        return "_uint8", {"images": rows("images", array)}
    return "", {"images": unit_interval("images", array)}


def unit_interval(name: str, images: Any) -> np.ndarray:
    """Images as float32, checked to lie in [0, 1]."""
    array = floats(name, images)
    if array.min() < 0 or array.max() > 1:
        raise UserError(
            f"{name} must lie in [0, 1], received values from {array.min():g} to {array.max():g}. "
            "Scale them, or send uint8 images, which the model scales itself."
        )
    return array


def floats(name: str, values: Any) -> np.ndarray:
    """Finite values as float32, with one row at least."""
    array = np.asarray(values)
    if array.dtype.kind not in "fb":
        raise UserTypeError(f"{name} must be floating-point numbers, received {array.dtype}.")
    array = rows(name, array).astype(np.float32, copy=False)
    if not np.all(np.isfinite(array)):
        raise UserError(f"{name} must be finite, received NaN or infinity.")
    return array


def rows(name: str, array: np.ndarray) -> np.ndarray:
    """The array, checked to have rows along its first axis."""
    if array.ndim == 0 or array.size == 0:
        raise UserError(f"{name} must hold one row or more, received shape {array.shape}.")
    return array


def repeated(name: str, value: Any, count: int, dtype: Any = np.int32) -> np.ndarray:
    """One value per row, from one for all or one for each."""
    array = np.asarray(value)
    kinds = "iu" if np.dtype(dtype) == np.int32 else "iuf"
    if array.dtype.kind not in kinds:
        raise UserTypeError(f"{name} must be {np.dtype(dtype).name}, received {value!r}.")
    if array.shape not in ((), (count,)):
        raise UserError(
            f"{name} must be one value, or one for each of {count} rows; received shape "
            f"{array.shape}."
        )
    if dtype == np.int32 and np.any((array < -_INT32) | (array >= _INT32)):
        raise UserError(f"{name} must fit in 32 bits, received {value!r}.")
    return np.ascontiguousarray(np.broadcast_to(array, (count,)).astype(dtype))


def seeds(seed: Any, count: int) -> np.ndarray:
    """A seed per row: given ones as they are; from one s, the rows get s, s + 1, ... (mod 2^32).

    None draws s from the operating system.
    """
    if seed is None:
        seed = secrets.randbits(32) - _INT32
    given = repeated("seed", seed, count)
    if np.ndim(seed):
        return given
    wrapped = (given.astype(np.int64) + np.arange(count) + _INT32) % 2**32 - _INT32
    return wrapped.astype(np.int32)
