"""The importance-weighted bound."""

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.inference.training_draws import draw
from tfvae.objectives.base import Nats, Objective

tfd = tfp.distributions

_GRADIENTS = ("pathwise", "doubly_reparameterised")


@keras.saving.register_keras_serializable("tfvae")
class ImportanceWeighted(Objective):
    """loss = -IW_K = -E[log 1/K sum_k w_k],  w_k = p(x, z_k) / q(z_k|x),  z_k ~ q(z|x).

    The ELBO at K = 1 (its Monte Carlo form), rising with K towards log p(x). Choose it over
    `ELBO` for a better likelihood, at K times the decoder's cost; the posterior it trains is a
    proposal rather than an approximation of p(z|x).

    Logged: `negative_iw_elbo` (the loss), and beside it the `elbo` = 1/K sum_k log w_k and its
    parts `nll` and `kl`, estimated from the same K draws.

    Args:
        num_samples: K, draws of z per example, at least 1. Default 5, the smallest that the
            literature reports.
        gradient: "pathwise" (default) differentiates the bound as it stands;
            "doubly_reparameterised" (DReG) has the same expectation and, for the encoder, a
            variance that does not grow with K.
        **kwargs: Keras layer arguments.

    Shapes: `x [B, H, W, C]` -> `[B]` nats for each name.

    Raises:
        ValueError: if `num_samples` is not a positive integer, the gradient is unknown, or
            "doubly_reparameterised" meets a posterior made of other distributions.

    Example:
        >>> ImportanceWeighted(5).names
        ('negative_iw_elbo', 'elbo', 'nll', 'kl')

    References:
        Y. Burda, R. Grosse, R. Salakhutdinov, 2016, "Importance Weighted Autoencoders",
        arXiv:1509.00519, eq. 8 and 14. G. Tucker et al., 2019, "Doubly Reparameterized Gradient
        Estimators for Monte Carlo Objectives", arXiv:1810.04152, eq. 8.
    """

    def __init__(self, num_samples: int = 5, gradient: str = "pathwise", **kwargs: Any):
        super().__init__(**kwargs)
        self.num_samples = positive_int("num_samples", num_samples)
        if gradient not in _GRADIENTS:
            raise UserError(f"gradient must be one of {_GRADIENTS}, received {gradient!r}.")
        self.gradient = gradient

    @property
    def names(self) -> tuple[str, ...]:
        """The bound, and the ELBO with its parts."""
        return ("negative_iw_elbo", "elbo", "nll", "kl")

    def nats(
        self,
        x: tf.Tensor,
        posterior: tfd.Distribution,
        prior: tfd.Distribution,
        decoder: Callable[..., tfd.Distribution],
        seed: tf.Tensor,
        training: bool = False,
    ) -> Nats:
        """Returns the negative bound as the only term; see `Objective.nats`."""
        z = draw(posterior, self.num_samples, seed)
        doubly = self.gradient == "doubly_reparameterised"
        if doubly:
            posterior = _without_gradient(posterior)
            z, scale_gradient = _scalable_gradient(z)
        likelihood = decoder(z, training=training)
        log_likelihood = likelihood.log_prob(x)
        log_ratio = posterior.log_prob(z) - prior.log_prob(z)
        log_weights = log_likelihood - log_ratio
        bound = tf.reduce_logsumexp(log_weights, axis=0) - math.log(self.num_samples)
        if doubly:
            scale_gradient(tf.nn.softmax(log_weights, axis=0)[..., tf.newaxis])
        nll, kl = -tf.reduce_mean(log_likelihood, axis=0), tf.reduce_mean(log_ratio, axis=0)
        watched = {"elbo": -nll - kl, "nll": nll, "kl": kl}
        return Nats({"negative_iw_elbo": -bound}, watched, likelihood.mean()[0])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "num_samples": self.num_samples,
            "gradient": self.gradient,
        }


def _without_gradient(distribution: tfd.Distribution) -> tfd.Distribution:
    """Returns the same distribution, its parameters held constant."""
    nested = (tfd.Distribution, tfp.bijectors.Bijector, tf.Module, list, tuple, dict)
    if any(isinstance(value, nested) for value in distribution.parameters.values()):
        raise UserError(
            'gradient="doubly_reparameterised" holds the posterior\'s parameters constant, which '
            f"works for a distribution of plain tensors; received {distribution}. Use "
            'gradient="pathwise".'
        )
    constant = {
        name: tf.stop_gradient(value)
        for name, value in distribution.parameters.items()
        if tf.is_tensor(value) and value.dtype.is_floating
    }
    return distribution.copy(**constant)


def _scalable_gradient(z: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], None]]:
    """Returns z, and a function that sets what z's gradient will be multiplied with.

    d IW_K / dz_k = w~_k d log w_k / dz_k, with w~ the normalised weights; DReG's gradient has
    w~_k^2 (eq. 8), so it is this one times w~_k, which is known only after z has been used.
    """
    factor: list[tf.Tensor] = []

    @tf.custom_gradient
    def identity(value: tf.Tensor):
        return tf.identity(value), lambda gradient: gradient * tf.stop_gradient(factor[0])

    return identity(z), factor.append
