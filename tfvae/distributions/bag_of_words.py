"""Counts of words, given their total."""

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.draws import Draw, draw_of, refuse_temperature
from tfvae.distributions.log_probabilities import log_probabilities
from tfvae.noise import Noise

tfd = tfp.distributions


class BagOfWords(tfd.Distribution):
    """P(x | n) = n! / prod_i x_i!  prod_i softmax(logits)_i^x_i,  n the total of x itself.

    Its probabilities sum to 1 over the bags of each total. The mean, the variance and draws are
    those of bags of `total_count` words.

    Args:
        logits: `[..., V]`.
        total_count: An int, at least 1.
    """

    def __init__(self, logits: tf.Tensor, total_count: int):
        parameters = dict(locals())
        self.logits, self.total_count = tf.convert_to_tensor(logits), total_count
        super().__init__(
            dtype=self.logits.dtype,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=False,
            parameters=parameters,
            name="BagOfWords",
        )

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        return {"logits": tfp.util.ParameterProperties(event_ndims=1)}

    def _event_shape(self) -> tf.TensorShape:
        return self.logits.shape[-1:]

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.shape(self.logits)[-1:]

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        orders = tf.math.lgamma(tf.reduce_sum(value, axis=-1) + 1.0)
        orders -= tf.reduce_sum(tf.math.lgamma(value + 1.0), axis=-1)
        return orders + tf.reduce_sum(value * log_probabilities(self.logits), axis=-1)

    def _mean(self) -> tf.Tensor:
        return self.total_count * tf.exp(log_probabilities(self.logits))

    def _variance(self) -> tf.Tensor:
        probs = tf.exp(log_probabilities(self.logits))
        return self.total_count * probs * (1.0 - probs)

    def of_uniform(self, numbers: tf.Tensor) -> tf.Tensor:
        """Returns the bag `[..., V]` of words that uniform numbers `[..., n]` choose."""
        below = tf.cumsum(tf.exp(log_probabilities(self.logits)), axis=-1)[..., tf.newaxis, :-1]
        word = tf.reduce_sum(tf.cast(numbers[..., tf.newaxis] > below, tf.int32), axis=-1)
        chosen = tf.one_hot(word, self.logits.shape[-1], dtype=self.dtype)
        return tf.reduce_sum(chosen, axis=-2)

    def _sample_n(self, n: Any, seed: Any = None) -> tf.Tensor:
        shape = tf.concat([[n], tf.shape(self.logits)[:-1], [self.total_count]], axis=0)
        seed = tfp.random.sanitize_seed(seed)
        return self.of_uniform(tf.random.stateless_uniform(shape, seed, dtype=self.dtype))


@draw_of.register(BagOfWords)
def _(distribution: BagOfWords, noise: Noise, shape: tuple[int, ...]) -> Draw:
    refuse_temperature(distribution, noise)
    z = distribution.of_uniform(noise.uniform(distribution.total_count))
    return Draw(z, distribution.log_prob(z))
