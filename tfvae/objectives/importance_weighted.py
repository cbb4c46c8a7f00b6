"""The importance-weighted bound."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.inference.inference import Draws, Inference
from tfvae.objectives.base import Nats, Objective
from tfvae.objectives.baseline import Baseline
from tfvae.objectives.gradients import (
    SCORES,
    Bound,
    checked_gradient,
    landing_draws,
    log_mean_weight,
    score_function_bound,
    vimco_bound,
)

_GRADIENTS = (
    "pathwise",
    "sticking_the_landing",
    "doubly_reparameterised",
    "score_function",
    "vimco",
)


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
            literature reports. Of a mixture, K of each component, by the pathwise gradients.
        gradient: "pathwise" (default) differentiates the bound as it stands;
            "doubly_reparameterised" (DReG) has the same expectation and, for the encoder, a
            variance that does not grow with K; "sticking_the_landing" leaves the score of q out,
            which for K > 1 is biased; "score_function" and "vimco" need no path through z, as for
            discrete latents: the first weighs the score with the bound against a baseline (NVIL),
            the second with what each draw adds to the others', and needs K of at least 2.
        baseline: Whether "score_function" learns a baseline; see `Baseline`.
        **kwargs: Keras layer arguments.

    Shapes: `[B]` nats for each name.

    Raises:
        UserError: if `num_samples` is not a positive integer, the gradient is unknown, "vimco" has
            one draw, or an estimator that evaluates q at given z meets a posterior that can't.

    Example:
        >>> ImportanceWeighted(5).names
        ('negative_iw_elbo', 'elbo', 'nll', 'kl')

    References:
        Y. Burda, R. Grosse, R. Salakhutdinov, 2016, "Importance Weighted Autoencoders",
        arXiv:1509.00519, eq. 8 and 14. G. Tucker et al., 2019, "Doubly Reparameterized Gradient
        Estimators for Monte Carlo Objectives", arXiv:1810.04152, eq. 8. G. Roeder, Y. Wu and D.
        Duvenaud, 2017, "Sticking the Landing", arXiv:1703.09194. A. Mnih and D. J. Rezende, 2016,
        "Variational Inference for Monte Carlo Objectives", arXiv:1602.06725, eq. 10.
    """

    def __init__(
        self,
        num_samples: int = 5,
        gradient: str = "pathwise",
        baseline: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_samples = positive_int("num_samples", num_samples)
        self.gradient = checked_gradient(gradient, _GRADIENTS)
        if gradient == "vimco" and self.num_samples < 2:
            raise UserError(
                'gradient="vimco" compares each draw with the others, received num_samples=1. Use '
                'at least 2, or gradient="score_function".'
            )
        self.pathwise = self.follows_density = gradient not in SCORES
        self.evaluates = gradient != "pathwise"
        self.stratified = gradient in ("pathwise", "sticking_the_landing")
        self.baseline = bool(baseline)
        learned = self.baseline and gradient == "score_function"
        self.signal_baseline = Baseline(name="baseline") if learned else None

    @property
    def names(self) -> tuple[str, ...]:
        """The bound, and the ELBO with its parts."""
        return ("negative_iw_elbo", "elbo", "nll", "kl")

    def nats(self, inference: Inference) -> Nats:
        """Returns the negative bound as the only term."""
        found = self._bound(inference)
        draws = found.draws
        nll, kl = draws.nll, draws.mean(draws.log_ratio)
        watched = {"elbo": -nll - kl, "nll": nll, "kl": kl}
        surrogates = {} if found.surrogate is None else {"negative_iw_elbo": -found.surrogate}
        return Nats({"negative_iw_elbo": -found.value}, draws.reconstruction, watched, surrogates)

    def _bound(self, inference: Inference) -> Bound:
        if self.gradient == "score_function":
            return score_function_bound(inference, self.num_samples, self.signal_baseline)
        if self.gradient == "vimco":
            return vimco_bound(inference, self.num_samples)
        if self.gradient == "doubly_reparameterised":
            return _doubly_reparameterised(inference, self.num_samples)
        if self.gradient == "sticking_the_landing":
            draws = landing_draws(inference, self.num_samples)
        else:
            draws = inference.draw_strata(self.num_samples)
        return Bound(draws, log_mean_weight(draws.log_weights))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "num_samples": self.num_samples,
            "gradient": self.gradient,
            "baseline": self.baseline,
        }


def _doubly_reparameterised(inference: Inference, num_samples: int) -> Bound:
    assert inference.noise is not None  # of this step, which the model has given it
    z, log_prob = inference.proposal.draw_held(inference.noise(num_samples))
    z, zeros = _scaled_by_weights(z)
    draws = Draws(z, log_prob(z), inference.joint(z))
    return Bound(draws, log_mean_weight(draws.log_weights + zeros))


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
