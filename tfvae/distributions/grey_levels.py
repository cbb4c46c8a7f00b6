"""Equally spaced levels from 0 to 1, each with a probability of its own."""

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.log_probabilities import log_probabilities

tfd = tfp.distributions


class GreyLevels(tfd.Distribution):
    """P(x = k / (L - 1)) = softmax(logits)_k,  k = 0 .. L - 1.

    A value between levels counts as the nearest; that there are none, is checked where data enter.

    Args:
        logits: `[..., L]`.
    """

    def __init__(self, logits: tf.Tensor):
        parameters = dict(locals())
        self.logits = tf.convert_to_tensor(logits)
        super().__init__(
            dtype=self.logits.dtype,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=False,
            parameters=parameters,
            name="GreyLevels",
        )

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        return {"logits": tfp.util.ParameterProperties(event_ndims=1)}

    @property
    def _last(self) -> int:
        return self.logits.shape[-1] - 1

    def _event_shape(self) -> tf.TensorShape:
        return tf.TensorShape([])

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.constant([], tf.int32)

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        level = tf.cast(tf.round(value * self._last), tf.int32)
        # A product with zeros and ones: where levels are few, it is faster than a gather and its
        # gradient, and logarithms are finite.
        chosen = tf.one_hot(level, self._last + 1, dtype=self.dtype)
        return tf.reduce_sum(chosen * log_probabilities(self.logits), axis=-1)

    def _values(self) -> tf.Tensor:
        return tf.range(self._last + 1, dtype=self.dtype) / self._last

    def _mean(self) -> tf.Tensor:
        return tf.reduce_sum(tf.exp(log_probabilities(self.logits)) * self._values(), axis=-1)

    def _variance(self) -> tf.Tensor:
        away = tf.square(self._values() - self._mean()[..., tf.newaxis])
        return tf.reduce_sum(tf.exp(log_probabilities(self.logits)) * away, axis=-1)

    def _quantile(self, value: tf.Tensor) -> tf.Tensor:
        below = tf.cumsum(tf.exp(log_probabilities(self.logits)), axis=-1)[..., :-1]
        passed = tf.cast(value[..., tf.newaxis] > below, self.dtype)
        return tf.reduce_sum(passed, axis=-1) / self._last

    def _sample_n(self, n: Any, seed: Any = None) -> tf.Tensor:
        shape = tf.concat([[n], tf.shape(self.logits)[:-1]], axis=0)
        seed = tfp.random.sanitize_seed(seed)
        return self._quantile(tf.random.stateless_uniform(shape, seed, dtype=self.dtype))
