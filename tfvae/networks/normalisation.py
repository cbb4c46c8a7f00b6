"""Batch normalisation of maps by the fused operation, which Keras does not use."""

from typing import Any

import keras
import tensorflow as tf


class MapNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the batch and all places of maps `[B, H, W, C]`.

    Weights, values and moving statistics are Keras'. In training it is one operation of
    TensorFlow, `FusedBatchNormV3`, where Keras 3.15 takes moments, difference, product and sum
    one by one: with its gradient and a swish it takes half as long on a CPU
    (`python -m tests.benchmark.normalisation`).
    """

    def call(
        self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Returns the normalised maps, and moves the statistics in training."""
        if mask is not None or not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        maps = tf.cast(inputs, tf.float32)
        channels = maps.shape[-1]
        gamma = self.gamma if self.scale else tf.ones([channels])
        beta = self.beta if self.center else tf.zeros([channels])
        maps, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            maps, gamma, beta, epsilon=self.epsilon, is_training=True
        )
        # The operation's variance is that of a sample, divided by n - 1; Keras divides by n.
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * (count - 1.0) / count)
        return tf.cast(maps, self.compute_dtype)

    def _move(self, average: Any, value: tf.Tensor) -> None:
        average.assign(average * self.momentum + value * (1.0 - self.momentum))
