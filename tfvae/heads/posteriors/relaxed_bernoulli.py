"""Bits as latents, relaxed to the line."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import real
from tfvae.distributions.straight_through import rounded
from tfvae.heads.base import REALS
from tfvae.heads.posteriors.latent_bernoulli import LatentBernoulli

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class RelaxedBernoulli(LatentBernoulli):
    """q(z|x) = prod_i Logistic(z_i; logits_i / t, 1 / t), of which the decoder sees sigmoid(z).

    The binary concrete distribution, as the logarithm of its odds: sigmoid(z) is a bit with the
    probability sigmoid(logits) that went soft, and hardens as t nears 0. Draws have a gradient, of
    low variance and biased for the bits that they stand for. Both densities are the relaxation's
    own, so the ELBO is a bound of the relaxed model; take a `RelaxedBernoulliPrior`.

    z is the log-odds and not sigmoid(z), which rounds to 0 or 1 where a unit is certain, and has no
    density there.

    Args:
        latent_size: D, at least 1.
        temperature: t, above 0. Default 2/3, the paper's for binary latents.
        straight_through: Whether the decoder sees hard bits, and the gradient goes as if they were
            sigmoid(z). Default False.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` (flattened) -> independent Logistics, batch `[N]`, event `[D]`;
        parameters `logits [N, D]`. The code is logits / t, the mean.

    Raises:
        UserError: if `latent_size` is not a positive integer, or t not above 0.

    Example:
        >>> import numpy as np
        >>> head = RelaxedBernoulli(4)
        >>> head.embedded(np.zeros((1, 4), "float32")).numpy().tolist()
        [[0.5, 0.5, 0.5, 0.5]]

    References:
        C. J. Maddison, A. Mnih, Y. W. Teh, 2017, "The Concrete Distribution", arXiv:1611.00712,
        appendix B (binary) and C.3.1 (log-odds). E. Jang, S. Gu, B. Poole, 2017, "Categorical
        Reparameterization with Gumbel-Softmax", arXiv:1611.01144, section 2.2: straight-through.
    """

    reparameterised = True
    discrete = False
    interval = None
    space = REALS

    def __init__(
        self,
        latent_size: int,
        temperature: float = 2.0 / 3.0,
        straight_through: bool = False,
        **kwargs: Any,
    ):
        super().__init__(latent_size, **kwargs)
        self.temperature = real("temperature", temperature, above=0.0)
        self.straight_through = bool(straight_through)

    def distribution(self, logits: tf.Tensor) -> tfd.Independent:
        """Returns the log-odds of independent relaxed bits with these logits."""
        scale = tf.ones_like(logits) / self.temperature
        return tfd.Independent(tfd.Logistic(logits / self.temperature, scale), 1)

    def code(self, distribution: tfd.Distribution) -> tf.Tensor:
        """Returns the means, logits / t."""
        return distribution.distribution.loc

    def frozen(self, distribution: tfd.Distribution) -> tfd.Distribution:
        """Returns the same q, its parameters held constant in gradients."""
        entries = distribution.distribution
        return tfd.Independent(tfd.Logistic(tf.stop_gradient(entries.loc), entries.scale), 1)

    def embedded(self, z: tf.Tensor) -> tf.Tensor:
        """Returns sigmoid(z), or the bits that z rounds to."""
        soft = tf.sigmoid(z)
        return rounded(tf.cast(z > 0.0, soft.dtype), soft) if self.straight_through else soft

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = {"temperature": self.temperature, "straight_through": self.straight_through}
        return {**super().get_config(), **own}
