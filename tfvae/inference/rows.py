"""Noise that depends on a row's seed and the draw's number alone, and Normals made of noise."""

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


def matvec(scale: tf.linalg.LinearOperator, noise: tf.Tensor) -> tf.Tensor:
    """Returns L eps `[S, B, D]` for S draws of noise `[S, B, D]` for each of B examples.

    Args:
        scale: L, batch shape `[B]` or `[]`.
        noise: eps.
    """
    if noise.shape[0] == 1:
        return scale.matvec(noise[0])[tf.newaxis]
    if not isinstance(scale, tf.linalg.LinearOperatorLowerTriangular):
        return scale.matvec(noise)
    # One product for each example, instead of one for each draw.
    return tf.transpose(scale.matmul(tf.transpose(noise, [1, 2, 0])), [2, 0, 1])
