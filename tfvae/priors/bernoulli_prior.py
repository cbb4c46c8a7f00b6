"""Bits from independent coins."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.priors.base import Prior

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class BernoulliPrior(Prior):
    """p(z) = prod_i Bernoulli(z_i; sigmoid(logits_i)), the logits learned: for `LatentBernoulli`.

    Args:
        latent_size: D, the number of bits, at least 1.
        **kwargs: Keras layer arguments.

    Weights: logits `[D]`, from 0.

    Example:
        >>> prior = BernoulliPrior(3)
        >>> prior().mean().numpy().tolist()
        [0.5, 0.5, 0.5]

    References:
        A. Mnih and K. Gregor, 2014, "Neural Variational Inference and Learning in Belief Networks",
        arXiv:1402.0030, section 4: the top layer of a sigmoid belief network.
    """

    space = "bits"

    def build(self, input_shape: Any = None) -> None:
        """Creates the logits."""
        self.logits = self.add_weight(
            shape=(self.latent_size,), initializer="zeros", name="logits", dtype="float32"
        )

    def distribution(self) -> tfd.Independent:
        """Returns the bits."""
        logits = tf.convert_to_tensor(self.logits)
        return tfd.Independent(tfd.Bernoulli(logits=logits, dtype=tf.float32), 1)
