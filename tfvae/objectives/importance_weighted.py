"""The importance-weighted bound."""

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.inference.inference import Inference
from tfvae.objectives.base import Nats, Objective

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

    Shapes: `[B]` nats for each name.

    Raises:
        UserError: if `num_samples` is not a positive integer, the gradient is unknown, or
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

    def nats(self, inference: Inference) -> Nats:
        """Returns the negative bound as the only term."""
        if self.gradient == "pathwise":
            draws = inference.draw(self.num_samples)
            log_weights = draws.log_weights
        else:
            assert inference.noise is not None  # of this step, which the model has given it
            z = inference.proposal.draw(inference.noise(self.num_samples)).z
            z, zeros = _scaled_by_weights(z)
            draws = inference.at(z, frozen=True)
            log_weights = draws.log_weights + zeros
        bound = tf.reduce_logsumexp(log_weights, axis=0) - math.log(self.num_samples)
        nll, kl = draws.nll, tf.reduce_mean(draws.log_ratio, axis=0)
        watched = {"elbo": -nll - kl, "nll": nll, "kl": kl}
        return Nats({"negative_iw_elbo": -bound}, draws.reconstruction, watched)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "num_samples": self.num_samples,
            "gradient": self.gradient,
        }


def _scaled_by_weights(z: Any) -> tuple[Any, tf.Tensor]:
    """Multiplies the gradient of z with the normalised weights, which z itself decides.

    d IW_K / dz_k = w~_k d log w_k / dz_k, with w~ the normalised weights; DReG's gradient has
    w~_k^2 (eq. 8), so it is this one times w~_k, which is the gradient by log w_k: what is added to
    that receives it.

    Args:
        z: `[S, B, ...]`, or a nest of such.

    Returns:
        z, and zeros `[S, B]` that have to be added to log w_k.
    """
    flat = tf.nest.flatten(z)

    @tf.custom_gradient
    def marked(*flat: tf.Tensor) -> tuple[tuple[tf.Tensor, ...], Callable[..., list[tf.Tensor]]]:
        def scale(*gradients: tf.Tensor) -> list[tf.Tensor]:
            *by_z, by_log_weight = gradients
            # Whatever factor the loss has, it has in both: the weights sum to one.
            weights = tf.math.divide_no_nan(
                by_log_weight, tf.reduce_sum(by_log_weight, axis=0, keepdims=True)
            )
            return [_times(gradient, weights) for gradient in by_z]

        zeros = tf.zeros(tf.shape(flat[0])[:2], flat[0].dtype)
        return (*map(tf.identity, flat), zeros), scale

    *flat, zeros = marked(*flat)
    return tf.nest.pack_sequence_as(z, flat), zeros


def _times(gradient: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Weights `[S, B]` times a gradient `[S, B, ...]`."""
    shape = tf.concat([tf.shape(weights), [1] * (gradient.shape.rank - 2)], axis=0)
    return gradient * tf.stop_gradient(tf.reshape(weights, shape))
