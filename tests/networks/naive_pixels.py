"""Draws of a masked network by the loop that evaluates all of it for every position."""

import tensorflow as tf

from tfvae.networks.pixel_draws import level_at


def naive_levels(network, uniform, c=None):
    """x int32 `[N, H, W]`; the arguments are those of `draw_levels`."""
    height, width = network.image_size
    rows, size = tf.shape(uniform)[0], height * width

    def position(i, x):
        levels = tf.reshape(x, [rows, height, width])
        logits = network.logits(network.embedded(levels), c)
        logits = tf.reshape(logits, [rows, size, network.num_levels])
        drawn = level_at(tf.gather(logits, i, axis=1), tf.gather(uniform, i, axis=1))
        here = tf.cast(tf.range(size) == i, tf.int32)
        return i + 1, x + here * drawn[:, tf.newaxis]

    x = tf.zeros([rows, size], tf.int32)
    found = tf.while_loop(lambda i, _: i < size, position, (tf.constant(0), x))[1]
    return tf.reshape(found, [rows, height, width])
