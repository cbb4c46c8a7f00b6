"""From levels to real numbers: uniform noise, under which densities bound probabilities."""

import math
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

import tfvae.random
from tfvae.data.catalogue import NONE
from tfvae.data.fields import Field
from tfvae.data.loaded import LoadedSet
from tfvae.data.rows import Columns
from tfvae.data.validate import check_values
from tfvae.errors import UserError
from tfvae.noise import Noise

MOST_LEVELS = 1 << 16  # the noise has 23 bits, of which float32 keeps 7 beside the last level


def dequantised(
    values: tf.Tensor, levels: int, seed: int, epoch: tf.Tensor, rows: tf.Tensor
) -> tf.Tensor:
    """Spreads each level over its share of [0, 1]: y = (k + u) / L, u uniform in (0, 1).

    With the density p of y, that of k + u is p(y) L^-D, and for the D entries of an example

        log P(k) = log E_u[p(y)] - D log L  >=  E_u[log p(y)] - D log L.

    The noise is a function of seed, epoch and row number alone, whatever the batches. Beside
    the greatest of 256 levels float32 keeps 16 of its bits, and y may round to 1.

    Args:
        values: uint8, read as value / 255, or float32 in [0, 1], `[B, ...]`; the other axes are
            static. They are multiples of 1 / (L - 1).
        levels: L.
        seed: of the data set.
        epoch: integer scalar.
        rows: row numbers `[B]`, integers.

    References:
        L. Theis, A. van den Oord, M. Bethge, 2016, "A note on the evaluation of generative
        models", arXiv:1511.01844, section 3.1.
    """
    real = tf.cast(values, tf.float32) / 255.0 if values.dtype == tf.uint8 else values
    low_word = int(np.uint32(seed % 2**32).view(np.int32))
    key = tfvae.random.bits((), low_word, tf.cast(epoch, tf.int32))
    of_rows = Noise(Noise(key, row=tf.cast(rows, tf.int32)).words())
    noise = tf.reshape(of_rows.uniform(math.prod(values.shape[1:])), tf.shape(values))
    return (tf.round(real * (levels - 1)) + noise) / levels


def dequantised_mean(mean: np.ndarray, levels: int) -> np.ndarray:
    """The mean of dequantised values whose levels k / (L - 1) have this mean."""
    return ((mean * (levels - 1) + 0.5) / levels).astype(np.float32)


def level_volume(shape: Sequence[int], levels: int) -> float:
    """-D log L: what makes a log-density of y one in the unit of a level."""
    return -math.prod(shape) * math.log(levels)


def num_levels(dataset: tf.data.Dataset) -> int | None:
    """Returns how many levels the x of a data set had before noise was added to it.

    Args:
        dataset: as `tfvae.data.load` returned it; None of any other, and of what has no noise.

    Example:
        >>> from tfvae.data import load
        >>> num_levels(load("digits", dequantise=17)[0])
        17
    """
    return dataset.recipe.levels if isinstance(dataset, LoadedSet) else None


def check_levels(
    parts: Sequence[Columns], levels: int, binarisation: str | None, source: str | os.PathLike
) -> None:
    """Checks that x has so many levels.

    Args:
        parts: to train on, and held out.
        levels: L.
        binarisation: as it was asked for.
        source: what messages call the data.

    Raises:
        UserError: if x has no pixels, is binarised as well, or lies between the levels.
    """
    if binarisation not in (None, NONE):
        raise UserError(
            f"dequantise={levels} is of grey levels, and binarisation={binarisation!r} makes bits "
            'of them. Leave one out, or use binarisation="none".'
        )
    x = parts[0].fields.get("x")
    if x is None or not x.of_pixels:
        found = "no column x is loaded" if x is None else f"x has {x.values}"
        raise UserError(
            f"dequantise={levels} is for pixels in [0, 1], and of {source} {found}. Leave it out."
        )
    field = Field(x.shape, spacing=1.0 / (levels - 1))
    for columns in parts:
        rows = columns.rows["x"]
        if levels == 256 and rows.dtype == np.uint8:
            continue  # bytes have no other values
        for chunk in rows.chunks():
            check_values(chunk, field, f"With dequantise={levels}, x of {source}")
