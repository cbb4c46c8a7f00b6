"""What a user passes, checked and as arrays, before anything is sent."""

import secrets
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfvae.errors import UserError, UserTypeError
from tfvae.serving.json_tensors import NamedArrays


def named(fields: Mapping[str, Any]) -> NamedArrays:
    """Each field as `numbers`."""
    return {name: numbers(name, values) for name, values in fields.items()}


def numbers(name: str, values: Any, holes: bool = False) -> np.ndarray:
    """Finite values, one row at least: floats as float32, whole numbers as int32.

    Args:
        name: what messages call them.
        values: anything that NumPy makes an array of.
        holes: whether NaN stands for what is missing.
    """
    array = np.asarray(values)
    if array.ndim == 0 or array.size == 0:
        raise UserError(f"{name} must hold one row or more, received shape {array.shape}.")
    if array.dtype.kind in "iu" and array.min() >= -(2**31) and array.max() < 2**31:
        return array.astype(np.int32)
    if array.dtype.kind not in "fb":
        raise UserTypeError(f"{name} must be float or int32 numbers, received {array.dtype}.")
    array = array.astype(np.float32, copy=False)
    if not np.all(np.isfinite(array) | (np.isnan(array) & holes)):
        allowed, wrong = ("finite or NaN", "") if holes else ("finite", "NaN or ")
        raise UserError(f"{name} must be {allowed}, received {wrong}infinity.")
    return array


def holes_filled(values: Any, seen: Any) -> Any:
    """The same with 0 for NaN where `seen` is 0, if these are floats; NaN elsewhere stays."""
    array, mask = np.asarray(values), np.asarray(seen)
    fits = mask.ndim == array.ndim and all(
        of_mask in (1, size) for of_mask, size in zip(mask.shape, array.shape, strict=True)
    )
    if array.dtype.kind != "f" or not fits:
        return values
    return np.where(np.isnan(array) & (mask == 0), array.dtype.type(0), array)


def row_count(inputs: NamedArrays) -> int:
    """The number of rows; `UserError` where inputs differ in it."""
    lengths = {name: len(array) for name, array in inputs.items()}
    if len(set(lengths.values())) != 1:
        raise UserError(f"each input needs one value per row, received rows: {lengths}.")
    return next(iter(lengths.values()))


def seeds(seed: Any, rows: int) -> np.ndarray:
    """One seed a row: given ones as they are; from one s: s, s + 1, ... (mod 2^32).

    None draws s from the operating system.
    """
    array = np.asarray(secrets.randbits(32) - 2**31 if seed is None else seed)
    if array.dtype.kind not in "iu" or array.shape not in ((), (rows,)):
        raise UserTypeError(f"seed {seed!r} is no int32, nor one for each of {rows} rows.")
    if np.any((array < -(2**31)) | (array >= 2**31)):
        raise UserError(f"seed must fit in 32 bits, received {seed!r}.")
    counted = array if array.ndim else array + np.arange(rows)
    return counted.astype(np.int32)  # of int64, 32 bits are kept
