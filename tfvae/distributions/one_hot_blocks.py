"""Several one-hot variables, side by side in one vector."""

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import positive_int
from tfvae.distributions.draws import Draw, draw_of, refuse_temperature
from tfvae.errors import UserError
from tfvae.noise import Noise

tfd = tfp.distributions


def num_blocks(latent_size: int, num_categories: int) -> int:
    """Returns M, of M C = D.

    Raises:
        UserError: if C is below 2, or does not divide D.
    """
    if positive_int("num_categories", num_categories) < 2:
        raise UserError(f"num_categories must be at least 2, received {num_categories}.")
    if latent_size % num_categories:
        raise UserError(
            f"latent_size={latent_size} is not a multiple of num_categories={num_categories}: z "
            "is one-hot vectors of so many numbers, side by side."
        )
    return latent_size // num_categories


def one_hot_space(num_categories: int) -> str:
    """Returns what z of so many categories is, in words."""
    return f"one-hot vectors of {num_categories} categories"


class OneHotBlocks(tfd.Distribution):
    """z = (z_1, .., z_M), z_m one-hot over C categories with these logits, independent.

        log p(z) = sum_m sum_c z_mc log softmax(logits_m)_c

    Args:
        logits: `[..., M, C]`.

    Shapes: event `[M * C]`, float32 of 0 and 1, batch that of the logits before M.
    """

    def __init__(self, logits: tf.Tensor, name: str = "OneHotBlocks"):
        self.logits = tf.convert_to_tensor(logits)
        super().__init__(
            dtype=self.logits.dtype,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=False,
            parameters={"logits": self.logits, "name": name},
            name=name,
        )

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        return {"logits": tfp.util.ParameterProperties(event_ndims=2)}

    def _event_shape(self) -> tf.TensorShape:
        return tf.TensorShape([self.logits.shape[-2] * self.logits.shape[-1]])

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.constant(self._event_shape().as_list(), tf.int32)

    def _batch_shape(self) -> tf.TensorShape:
        return self.logits.shape[:-2]

    def _batch_shape_tensor(self, **_: Any) -> tf.Tensor:
        return tf.shape(self.logits)[:-2]

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(value * self._flat(tf.nn.log_softmax(self.logits)), axis=-1)

    def _mean(self) -> tf.Tensor:
        return self._flat(tf.nn.softmax(self.logits))

    def _stddev(self) -> tf.Tensor:
        probs = self._mean()
        return tf.sqrt(probs * (1.0 - probs))

    def _mode(self) -> tf.Tensor:
        categories = self.logits.shape[-1]
        return self._flat(tf.one_hot(tf.argmax(self.logits, axis=-1), categories))

    def _sample_n(self, n: Any, seed: Any = None) -> tf.Tensor:
        return self._flat(tfd.OneHotCategorical(self.logits, dtype=tf.float32).sample(n, seed))

    def _flat(self, blocks: tf.Tensor) -> tf.Tensor:
        return tf.reshape(blocks, tf.concat([tf.shape(blocks)[:-2], self._event_shape()], axis=0))


@tfd.RegisterKL(OneHotBlocks, OneHotBlocks)
def _kl(q: OneHotBlocks, p: OneHotBlocks, name: str | None = None) -> tf.Tensor:
    log_q, log_p = tf.nn.log_softmax(q.logits), tf.nn.log_softmax(p.logits)
    return tf.reduce_sum(tf.exp(log_q) * (log_q - log_p), axis=[-2, -1])


@draw_of.register
def _(distribution: OneHotBlocks, noise: Noise, shape: tuple[int, ...]) -> Draw:
    """The category in whose part of [0, 1] a uniform number lies, of each block."""
    refuse_temperature(distribution, noise)
    blocks, categories = distribution.logits.shape[-2:]
    below = tf.cumsum(tf.nn.softmax(distribution.logits), axis=-1)[..., :-1]
    uniform = noise.uniform(blocks)[..., tf.newaxis]
    chosen = tf.reduce_sum(tf.cast(uniform > below, tf.int32), axis=-1)
    z = distribution._flat(tf.one_hot(chosen, categories))
    return Draw(z, distribution.log_prob(z))
