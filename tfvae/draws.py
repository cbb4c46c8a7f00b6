"""Noise that depends on a row's seed and the draw's number, and on nothing else."""

from collections.abc import Callable

import tensorflow as tf

import tfvae.random


def normals(seeds: tf.Tensor, streams: tf.Tensor, size: int) -> tf.Tensor:
    """Returns standard normal draws `[S, B, size]`.

    Draw s of row b is a function of `seeds[b]` and `streams[s]` alone: it changes neither with the
    number of rows nor with the way the draws are cut into chunks.

    Args:
        seeds: `[B]`, int32 or uint32.
        streams: `[S]`, int32.
        size: D.
    """
    rows, count = tf.size(seeds), tf.size(streams)
    pairs = tf.tile(seeds, [count]), tf.repeat(streams, rows)
    flat = for_each_row(lambda pair: tfvae.random.normal((size,), pair[0], pair[1]), pairs)
    return tf.reshape(flat, [count, rows, size])


def for_each_row(function: Callable[..., tf.Tensor], rows: tuple[tf.Tensor, ...]) -> tf.Tensor:
    """Stacks `function((a[b], c[b], ...))` over rows b: vectorised in a graph, a loop outside."""
    if tf.executing_eagerly():
        return tf.map_fn(function, rows, fn_output_signature=tf.float32)
    return tf.vectorized_map(function, rows)
