"""Entries of a table that are taken away at random: data to measure imputation on."""

from typing import Any

import numpy as np

from tfvae.data.fields import Field
from tfvae.data.rows import Columns, Rows
from tfvae.errors import UserError

SEEN = "seen"


def without_some(columns: Columns, share: float, seed: int, source: Any) -> Columns:
    """Takes entries of x away completely at random (MCAR), and adds the column `seen`.

    Each entry is missing with the probability `share`, whatever it and the others are: x is 0 there
    and seen 0, elsewhere 1. Of an example of which nothing would be left one entry is kept.

    Args:
        columns: with a column x.
        share: from 0 to 1, neither.
        seed: of the choice.
        source: what messages call the data.

    Raises:
        UserError: if x is not loaded, or does not lie in memory.
    """
    rows = columns.rows.get("x")
    if rows is None or not rows.resident:
        raise UserError(
            f"missing takes entries of the column x away, and of {source} "
            f"{'none is loaded' if rows is None else 'it does not lie in memory'}. Leave it out."
        )
    x = columns.read()["x"]
    seen = chosen_entries(x.shape, 1.0 - share, seed)
    field = Field.mask(rows.field.shape)
    holes = np.where(seen, x, x.dtype.type(0))
    return columns.replaced(x=Rows(holes, rows.field), seen=Rows(seen.astype("float32"), field))


def chosen_entries(shape: tuple[int, ...], share: float, seed: int) -> np.ndarray:
    """Returns which entries `[N, ...]` are kept, each with the probability `share`, one at least.

    Example:
        >>> bool(np.all(chosen_entries((100, 3), 0.01, seed=0).sum(axis=1) >= 1))
        True
    """
    generator = np.random.default_rng(seed)
    flat = generator.random((shape[0], int(np.prod(shape[1:]))), np.float32) < share
    empty = np.flatnonzero(~flat.any(axis=1))
    flat[empty, generator.integers(0, flat.shape[1], len(empty))] = True
    return flat.reshape(shape)
