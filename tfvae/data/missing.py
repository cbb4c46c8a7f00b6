"""Entries that are taken away from x: data to measure imputation on."""

import math
from typing import Any

import numpy as np

from tfvae.data.fields import Field
from tfvae.data.rows import Columns, Rows
from tfvae.errors import UserError

SEEN = "seen"
PATTERNS = ENTRIES, BLOCK, LARGE = ("entries", "block", "large")


def without_some(columns: Columns, share: float, pattern: str, seed: int, source: Any) -> Columns:
    """Takes entries of x away, and adds the column `seen`: x and seen are 0 there.

    Args:
        columns: with a column x.
        share: from 0 to 1, neither.
        pattern: "entries", each with the probability `share`, whatever it and the others are
            (completely at random); see `chosen_entries`. "block", of images a rectangle of that
            share of the pixels; see `all_but_a_block`. "large", what is above its mean in that
            share of the columns (not at random); see `small_entries`.
        seed: of the choice.
        source: what messages call the data.

    Raises:
        UserError: if x is not loaded, does not lie in memory, or has not the shape for a block.
    """
    rows = columns.rows.get("x")
    if rows is None or not rows.resident:
        raise UserError(
            f"missing takes entries of the column x away, and of {source} "
            f"{'none is loaded' if rows is None else 'it does not lie in memory'}. Leave it out."
        )
    x = columns.read()["x"]
    if pattern == BLOCK and x.ndim != 4:
        raise UserError(
            f"missing_pattern is {pattern!r}, a rectangle of images, and x of {source} has the "
            f"shape {x.shape[1:]}: choose {ENTRIES!r} or {LARGE!r}."
        )
    if pattern == BLOCK:
        seen = all_but_a_block(x.shape, share, seed)
    else:
        large = pattern == LARGE
        seen = small_entries(x, share) if large else chosen_entries(x.shape, 1.0 - share, seed)
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


def all_but_a_block(shape: tuple[int, ...], share: float, seed: int) -> np.ndarray:
    """Returns which entries `[N, H, W, C]` lie outside a rectangle of a share of the pixels.

    Its sides are as the image's, and its place is uniform. At least a pixel is in it, and one not.

    Example:
        >>> int((~all_but_a_block((1, 8, 8, 1), 0.25, seed=0)).sum())
        16
    """
    generator = np.random.default_rng(seed)
    inside = np.ones(shape[0], bool)
    for axis, size in enumerate(shape[1:3]):
        length = min(max(1, round(size * math.sqrt(share))), max(1, size - 1))
        first = generator.integers(0, size - length + 1, shape[0])[:, np.newaxis]
        place = np.arange(size)
        along = (place >= first) & (place < first + length)
        inside = inside[..., np.newaxis] & (along if axis == 0 else along[:, np.newaxis])
    return np.broadcast_to(~inside[..., np.newaxis], shape).copy()


def small_entries(x: np.ndarray, share: float) -> np.ndarray:
    """Returns which entries of x `[N, ...]` are not above their mean, or of no chosen column.

    The first `share` of the columns are chosen, at least one and not all. What is missing is so
    because of its own value, as in the experiments of Ipsen, Mattei and Frellsen 2021.

    Example:
        >>> small_entries(np.array([[1.0, 1.0], [3.0, 3.0]]), 0.5).tolist()
        [[True, True], [False, True]]
    """
    flat = x.reshape(len(x), -1)
    count = min(max(1, round(share * flat.shape[1])), flat.shape[1] - 1)
    seen = np.ones(flat.shape, bool)
    seen[:, :count] = flat[:, :count] <= flat[:, :count].mean(axis=0)
    return seen.reshape(x.shape)
