"""From grey levels to bits: each pixel is a Bernoulli draw whose probability is its grey level."""

from typing import Any

import numpy as np
import tensorflow as tf

from tfvae import random
from tfvae.data.catalogue import BINARISATIONS
from tfvae.data.rows import ROWS_AT_ONCE, Rows
from tfvae.errors import UserError
from tfvae.suggestions import nearest

_STEP = 16843009  # (2**32 - 1) / 255, an integer


def check_name(binarisation: str) -> str:
    """Return the name, or refuse it.

    Raises:
        UserError: not "dynamic", "static" or "none".
    """
    if binarisation not in BINARISATIONS:
        raise UserError(
            f"binarisation is {binarisation!r}.{nearest(binarisation, BINARISATIONS)} Expected "
            '"dynamic" (fresh bits each time an image is shown), "static" (bits drawn once) or '
            '"none" (grey levels).'
        )
    return binarisation


def scale(values: tf.Tensor) -> tf.Tensor:
    """uint8 -> float32 value / 255; everything else stays as it is."""
    if values.dtype == tf.uint8:
        return tf.cast(values, tf.float32) / 255.0
    return values


def bernoulli(pixels: tf.Tensor, seed: Any) -> tf.Tensor:
    """Bernoulli bits as float32 0/1; the same seed gives the same bits.

    A byte p becomes 1 when a uniform 32-bit word is below p (2^32 - 1) / 255, a whole number, so
    P(1) = p / 255 (1 - 2^-32). A float x becomes 1 with a probability within 2^-23 of x: uniforms
    have 23 bits; multiples of 2^-23 (0, 1 and the digits' k / 16 among them) are exact.

    Args:
        pixels: uint8 or float32 in [0, 1], any shape.
        seed: two integers.
    """
    shape = tf.shape(pixels)
    if pixels.dtype == tf.uint8:
        words = tf.random.stateless_uniform(
            shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg="philox"
        )
        bits = words < tf.cast(pixels, tf.uint32) * tf.constant(_STEP, tf.uint32)
    else:
        bits = tf.random.stateless_uniform(shape, seed, alg="philox") < pixels
    return tf.cast(bits, tf.float32)


def draw_batch(pixels: tf.Tensor, seed: int, epoch: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Fresh Bernoulli bits for one batch of an epoch, as cheap inside an XLA step as they can be.

    Distributed as those of `bernoulli`, from the counter-based words of `tfvae.random`: inside one
    XLA step `stateless_uniform` takes four times as long as all the matrix products together.

    Args:
        pixels: uint8 or float32 in [0, 1], `[B, ...]`; the other axes are static.
        seed: of the data set.
        epoch, number: integer scalars, from 0.
    """
    shape = (pixels.shape[0] or tf.shape(pixels)[0], *pixels.shape[1:])
    low_word = int(np.uint32(seed % 2**32).view(np.int32))
    key = random.bits((), low_word, tf.cast(epoch, tf.int32))
    number = tf.cast(number, tf.int32)
    if pixels.dtype == tf.uint8:
        threshold = tf.cast(pixels, tf.uint32) * tf.constant(_STEP, tf.uint32)
        return tf.cast(random.bits(shape, key, number) < threshold, tf.float32)
    return tf.cast(random.uniform(shape, key, number) < pixels, tf.float32)


def freeze(rows: Rows, seed: int) -> Rows:
    """Draw every resident image once: uint8 rows of 0 and 255."""
    frozen = np.empty((len(rows), *rows.field.shape), np.uint8)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = tf.constant(rows.read(slice(start, start + ROWS_AT_ONCE)))
        key = tf.constant([seed, start], tf.int64)
        frozen[start : start + ROWS_AT_ONCE] = bernoulli(chunk, key).numpy() * 255
    return Rows(frozen, rows.field)


def draw_by_row(pixels: tf.Tensor, rows: tf.Tensor, seed: int) -> tf.Tensor:
    """Bits that depend on the row number alone, for static bits of rows that are not resident."""

    def one(row_and_image: Any) -> Any:
        row, image = row_and_image
        return bernoulli(image, tf.stack([tf.constant(seed, tf.int64), row]))

    spec = tf.TensorSpec(pixels.shape[1:], tf.float32)
    return tf.map_fn(one, (rows, pixels), fn_output_signature=spec)
