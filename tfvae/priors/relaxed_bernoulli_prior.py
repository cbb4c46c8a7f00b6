"""Relaxed bits from independent coins."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import real
from tfvae.heads.base import REALS
from tfvae.priors.bernoulli_prior import BernoulliPrior

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class RelaxedBernoulliPrior(BernoulliPrior):
    """p(z) = prod_i Logistic(z_i; logits_i / t, 1 / t), learned: for `RelaxedBernoulli`.

    Args:
        latent_size: D, at least 1.
        temperature: t, above 0. Default 1/2, the paper's for binary latents.
        **kwargs: Keras layer arguments.

    Weights: logits `[D]`, from 0.

    Raises:
        UserError: if `latent_size` is not a positive integer, or t not above 0.

    Example:
        >>> RelaxedBernoulliPrior(3)().event_shape.as_list()
        [3]

    References:
        C. J. Maddison, A. Mnih, Y. W. Teh, 2017, "The Concrete Distribution", arXiv:1611.00712,
        appendix C.3.1.
    """

    space = REALS

    def __init__(self, latent_size: int, temperature: float = 0.5, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.temperature = real("temperature", temperature, above=0.0)

    def distribution(self) -> tfd.Independent:
        """Returns the log-odds of relaxed bits."""
        logits = tf.convert_to_tensor(self.logits)
        scale = tf.ones_like(logits) / self.temperature
        return tfd.Independent(tfd.Logistic(logits / self.temperature, scale), 1)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "temperature": self.temperature}
