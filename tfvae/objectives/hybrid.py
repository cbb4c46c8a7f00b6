"""The bound of a conditional model beside what draws from its prior are worth."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int, real
from tfvae.errors import UserError
from tfvae.inference.inference import Inference
from tfvae.objectives.base import Nats, Objective
from tfvae.objectives.divergence import checked_analytic, total_kl


@keras.saving.register_keras_serializable("tfvae")
class Hybrid(Objective):
    """loss = -alpha ELBO - (1 - alpha) E_{p(z|c)}[log p(x|z, c)].

    The ELBO trains the decoder on codes of q(z|x, c), which knows x; predictions draw from
    p(z|c), which does not. The second term trains on these draws: with `alpha=0` alone, as a
    Gaussian stochastic network, whose encoder does not train. Choose it where each single
    prediction has to be near x. For a likelihood `ELBO` is the choice: an average of logarithms
    punishes every draw that is not this x, so z comes to say less and draws differ less.

    Logged, always unweighted: `nll`, `kl` and `elbo` = -nll - kl of q, and
    `prior_nll` = -1/L sum_l log p(x|z_l, c), z_l ~ p(z|c).

    Args:
        alpha: From 0 to 1; 1 is the ELBO. Default 0.5. Of the terms' weights, which callbacks may
            change, `nll` and `kl` have alpha and `prior_nll` 1 - alpha.
        num_samples: L, draws of z from q and from the prior each, at least 1.
        analytic_kl: See `ELBO`.
        **kwargs: Keras layer arguments.

    Shapes: `[B]` nats for each name.

    Raises:
        UserError: if an argument is out of range, or the model can't draw from its prior.

    Example:
        >>> Hybrid(0.25).names
        ('elbo', 'nll', 'kl', 'prior_nll')

    References:
        K. Sohn, H. Lee and X. Yan, 2015, "Learning Structured Output Representation using Deep
        Conditional Generative Models", NeurIPS 28, section 4.2: the Gaussian stochastic neural
        network and the hybrid objective.
    """

    stratified = True

    def __init__(
        self,
        alpha: float = 0.5,
        num_samples: int = 1,
        analytic_kl: bool | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.alpha = real("alpha", alpha, minimum=0.0)
        if self.alpha > 1:
            raise UserError(f"alpha must be from 0 to 1, received {alpha!r}.")
        self.num_samples = positive_int("num_samples", num_samples)
        self.analytic_kl = checked_analytic(analytic_kl)
        self.add_term_weight("nll", self.alpha)
        self.add_term_weight("kl", self.alpha)
        self.add_term_weight("prior_nll", 1.0 - self.alpha)

    @property
    def names(self) -> tuple[str, ...]:
        """`elbo`, `nll`, `kl` and `prior_nll`."""
        return ("elbo", "nll", "kl", "prior_nll")

    def nats(self, inference: Inference) -> Nats:
        """Returns the bound's parts and the nll of the prior's draws."""
        draws = inference.draw_strata(self.num_samples)
        nll, kl = draws.nll, total_kl(inference, draws, self.analytic_kl)
        joint = inference.joint(inference.draw_prior(self.num_samples))
        prior_nll = -tf.reduce_mean(joint.log_likelihood, axis=0)
        terms = {"nll": nll, "kl": kl, "prior_nll": prior_nll}
        watched = {"elbo": -nll - kl}
        return Nats(terms, draws.reconstruction, watched, of_prior=frozenset({"prior_nll"}))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments; the weights' present values are weights."""
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "num_samples": self.num_samples,
            "analytic_kl": self.analytic_kl,
        }
