"""Maps of codes in one row of whole numbers, the top map first, each row by row."""

import math
from collections.abc import Mapping

import tensorflow as tf

Sizes = Mapping[str, tuple[int, int]]
"""Level -> (height, width), `z1`, the bottom, first."""


def in_row(maps: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Returns maps `[B, h, w]`, from the top down, as one row `[B, P]`."""
    return tf.concat([tf.reshape(z, [-1, math.prod(z.shape[1:])]) for z in maps.values()], axis=1)


def in_maps(z: tf.Tensor, sizes: Sizes) -> dict[str, tf.Tensor]:
    """Returns a row `[..., P]` as maps `[..., h, w]` by level, from the top down."""
    top_down = {name: sizes[name] for name in reversed(list(sizes))}
    parts = tf.split(z, [math.prod(size) for size in top_down.values()], axis=-1)
    leading = tf.shape(z)[:-1]
    found = {}
    for (name, size), part in zip(top_down.items(), parts, strict=True):
        found[name] = tf.reshape(part, tf.concat([leading, size], axis=0))
        found[name].set_shape([*z.shape[:-1], *size])
    return found
