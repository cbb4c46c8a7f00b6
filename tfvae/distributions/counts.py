"""Counts: quantiles by bisection, which TFP's Poisson and negative binomial lack."""

from collections.abc import Callable

import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

_BITS = 24  # of the largest count: whole numbers up to 2^24 are exact in float32


def count_quantile(
    cdf: Callable[[tf.Tensor], tf.Tensor], probabilities: tf.Tensor, shape: tf.Tensor
) -> tf.Tensor:
    """Returns the least whole number k, up to 2^24 - 1, with P(X <= k) >= probabilities.

    Args:
        cdf: P(X <= k) of counts k.
        probabilities: in (0, 1).
        shape: of the result, to which both broadcast.
    """
    found = tf.zeros(shape, probabilities.dtype)
    for bit in reversed(range(_BITS)):  # the greatest number of which all below are too small
        step = float(2**bit)
        found = tf.where(cdf(found + step - 1.0) < probabilities, found + step, found)
    return found


class PoissonCounts(tfd.Poisson):
    """`tfd.Poisson` with quantiles."""

    def _quantile(self, value: tf.Tensor) -> tf.Tensor:
        shape = tf.broadcast_dynamic_shape(tf.shape(value), self.batch_shape_tensor())
        return count_quantile(self.cdf, value, shape)


class NegativeBinomialCounts(tfd.NegativeBinomial):
    """`tfd.NegativeBinomial` with quantiles."""

    def _quantile(self, value: tf.Tensor) -> tf.Tensor:
        shape = tf.broadcast_dynamic_shape(tf.shape(value), self.batch_shape_tensor())
        return count_quantile(self.cdf, value, shape)
