"""The inputs of a draw: for each row how many, and from which seed."""

import secrets
from typing import Any

import numpy as np

from tfvae.errors import UserError, UserTypeError


def draws(num_samples: Any, seed: Any, rows: int) -> dict[str, np.ndarray]:
    """`num_samples` and `seed`, one of each for every row.

    Given seeds stay as they are; from one s, the rows get s, s + 1, ... (mod 2^32). None draws s
    from the operating system.
    """
    given = repeated("seed", secrets.randbits(32) - 2**31 if seed is None else seed, rows)
    if np.ndim(seed) == 0:
        given = (given + np.arange(rows)).astype(np.int32)  # int64, of which 32 bits are kept
    return {"num_samples": repeated("num_samples", num_samples, rows), "seed": given}


def repeated(name: str, value: Any, rows: int, dtype: Any = np.int32) -> np.ndarray:
    """One value per row, from one for all or one for each."""
    array = np.asarray(value)
    if array.dtype.kind not in ("iu" if dtype == np.int32 else "iuf"):
        raise UserTypeError(f"{name} must be {np.dtype(dtype).name}, received {value!r}.")
    if array.shape not in ((), (rows,)):
        raise UserError(
            f"{name} must be one value, or one for each of {rows} rows; received shape "
            f"{array.shape}."
        )
    if dtype == np.int32 and np.any((array < -(2**31)) | (array >= 2**31)):
        raise UserError(f"{name} must fit in 32 bits, received {value!r}.")
    return np.full(rows, array, dtype)
