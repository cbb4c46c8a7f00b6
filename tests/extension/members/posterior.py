"""A posterior that is no Normal: neither its mean nor its KL has a closed form."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.heads.base import LatentHead

log1mexp = tfp.math.log1mexp  # log(1 - e^x) of x < 0, for x near 0 and far below


class LogitKumaraswamy(tfp.distributions.Distribution):
    """z = logit(v), F(v) = 1 - (1 - v^a)^b, entry by entry, in logarithms: no v rounds to 1."""

    def __init__(self, a, b, name="LogitKumaraswamy"):
        parameters, self.a, self.b = {"a": a, "b": b, "name": name}, a, b
        kind = tfp.distributions.FULLY_REPARAMETERIZED
        super().__init__(a.dtype, kind, False, False, parameters=parameters, name=name)

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return dict.fromkeys("ab", tfp.util.ParameterProperties(event_ndims=1))

    def _event_shape(self):
        return self.a.shape[-1:]

    def _sample_n(self, n, seed=None):
        return self._quantile(tf.random.stateless_uniform((n, *self.a.shape), seed, minval=1e-7))

    def _quantile(self, u):
        log_v = log1mexp(tf.math.log1p(-u) / self.b) / self.a
        return log_v - log1mexp(log_v)

    def _log_prob(self, z):
        log_v, log_rest = -tf.math.softplus(-z), -tf.math.softplus(z)
        entries = self.a * log_v + (self.b - 1.0) * log1mexp(self.a * log_v) + log_rest
        return tf.reduce_sum(tf.math.log(self.a * self.b) + entries, axis=-1)


@keras.saving.register_keras_serializable("stranger")
class Kumaraswamy(LatentHead):
    """q(z|x): the logit of a Kumaraswamy variable in each dimension."""

    def __init__(self, latent_size: int, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.projection = keras.layers.Dense(2 * latent_size, dtype="float32", name="projection")

    def build(self, features_shape):
        self.projection.build(self.flatten.compute_output_shape(features_shape))

    def parameters(self, features):  # 1 where the projection is zero, and away from 0
        a, b = tf.split(self.projection(self.flatten(features)), 2, axis=-1)
        return {"a": tf.math.softplus(a + 0.372) + 0.1, "b": tf.math.softplus(b + 0.372) + 0.1}

    def distribution(self, a, b):
        return LogitKumaraswamy(a, b)
