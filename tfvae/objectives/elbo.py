"""The evidence lower bound."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int, real
from tfvae.errors import UserError
from tfvae.inference.inference import Draws, Inference
from tfvae.objectives.base import Nats, Objective
from tfvae.objectives.baseline import Baseline
from tfvae.objectives.divergence import checked_analytic, closed_kl, total_kl
from tfvae.objectives.gradients import (
    SCORES,
    advantage,
    checked_gradient,
    held_draws,
    landing_draws,
)

_DRAWS: dict[str, Callable[[Inference, int], Draws]] = {
    "pathwise": Inference.draw_strata,
    "sticking_the_landing": landing_draws,
    "score_function": held_draws,
}
_GRADIENTS = tuple(_DRAWS)


@keras.saving.register_keras_serializable("tfvae")
class ELBO(Objective):
    """loss = E_q[-log p(x|z)] + kl_weight KL(q(z|x) || p(z)), the negative ELBO at kl_weight 1.

    Logged, always unweighted and without free bits: `nll` = E_q[-log p(x|z)], `kl`, and
    `elbo` = -nll - kl.

    Args:
        kl_weight: beta, at least 0. 1 is the ELBO; more favours disentangled, less informative
            codes (beta-VAE). A variable: `tfvae.callbacks` change it while training.
        num_samples: S, draws of z per example, at least 1. Default 1: the minibatch averages. Of a
            mixture, S of each component, which count for its share.
        analytic_kl: None (default) takes the closed form where there is one, True insists on it,
            False estimates the KL from the same draws of z, and so lets its noise cancel that of
            the likelihood as the posterior nears the true one.
        free_bits: lambda, nats per latent dimension that cost nothing, at least 0. The loss uses
            sum_i max(lambda, mean over the batch of KL_i), logged as `free_bits_kl`; it keeps
            latent dimensions from switching off early. Needs a KL that splits over dimensions.
        gradient: "pathwise" (default) follows z back to the encoder; "sticking_the_landing" does,
            without the score of q, whose variance alone is left where q is right: it estimates the
            KL from the draws; "score_function" needs no path, as for discrete latents, and has the
            higher variance.
        baseline: Whether "score_function" learns a baseline (NVIL); see `Baseline`.
        **kwargs: Keras layer arguments.

    Shapes: `[B]` nats for each name; `free_bits_kl` a scalar of the batch.

    Raises:
        UserError: if an argument is out of range, `analytic_kl=True` finds no closed form,
            `free_bits` meets a KL that does not split, or `analytic_kl=False`, or an estimator that
            evaluates q at given z meets a posterior that can't.

    Example:
        >>> ELBO(kl_weight=4.0).names
        ('elbo', 'nll', 'kl')

    References:
        D. P. Kingma and M. Welling, 2013, arXiv:1312.6114, eq. 3 (Monte Carlo KL) and 10.
        I. Higgins et al., 2017, "beta-VAE", ICLR, eq. 4. D. P. Kingma et al., 2016, "Improved
        Variational Inference with Inverse Autoregressive Flow", arXiv:1606.04934, eq. 15: free
        bits, here with one group per latent dimension. G. Roeder, Y. Wu and D. Duvenaud, 2017,
        "Sticking the Landing", arXiv:1703.09194. A. Mnih and K. Gregor, 2014, "Neural Variational
        Inference and Learning in Belief Networks", arXiv:1402.0030, eq. 8 and 9.
    """

    def __init__(
        self,
        kl_weight: float = 1.0,
        num_samples: int = 1,
        analytic_kl: bool | None = None,
        free_bits: float = 0.0,
        gradient: str = "pathwise",
        baseline: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.initial_kl_weight = real("kl_weight", kl_weight, minimum=0.0)
        self.num_samples = positive_int("num_samples", num_samples)
        self.analytic_kl = checked_analytic(analytic_kl)
        self.free_bits = real("free_bits", free_bits, minimum=0.0)
        if self.free_bits and analytic_kl is False:
            raise UserError("free_bits needs the closed-form KL; received analytic_kl=False.")
        self.gradient = checked_gradient(gradient, _GRADIENTS)
        if gradient == "sticking_the_landing" and (analytic_kl or self.free_bits):
            raise UserError(
                'gradient="sticking_the_landing" estimates the KL from the draws: it has neither '
                "analytic_kl=True nor free_bits."
            )
        self._analytic = False if gradient == "sticking_the_landing" else analytic_kl
        self.pathwise = self.stratified = gradient not in SCORES
        self.evaluates = gradient != "pathwise"
        self.baseline = bool(baseline)
        learned = self.baseline and gradient == "score_function"
        self.signal_baseline = Baseline(name="baseline") if learned else None
        self.add_term_weight("kl", self.initial_kl_weight)

    @property
    def names(self) -> tuple[str, ...]:
        """`elbo`, `nll`, `kl` and, if there are free bits, `free_bits_kl`."""
        return ("elbo", "nll", "kl", "free_bits_kl")[: 4 if self.free_bits else 3]

    def weight(self, term: str) -> tf.Tensor | float:
        """Returns the KL's factor, for the KL that is charged with free bits too, or 1."""
        return super().weight("kl" if term == "free_bits_kl" else term)

    def nats(self, inference: Inference) -> Nats:
        """Returns `nll` and the KL as terms, the ELBO beside them."""
        draws = _DRAWS[self.gradient](inference, self.num_samples)
        nll = draws.nll
        kl = total_kl(inference, draws, self._analytic, self.pathwise)
        terms, watched = {"nll": nll, "kl": kl}, {"elbo": -nll - kl}
        if self.free_bits:
            watched["kl"] = terms.pop("kl")
            terms["free_bits_kl"] = self._free_bits_kl(inference)
        surrogates = {} if self.pathwise else self._surrogates(inference, draws)
        return Nats(terms, draws.reconstruction, watched, surrogates)

    def _surrogates(self, inference: Inference, draws: Draws) -> dict[str, tf.Tensor]:
        """What is differentiated for the score function: the score stands with the nll.

        A KL in closed form has a gradient of its own, and no part in the signal.
        """
        signal, surrogates = draws.joint.log_likelihood, {}
        if not closed_kl(inference, self._analytic):
            signal = signal - self.weight("kl") * draws.log_ratio
            surrogates["kl"] = -tf.reduce_mean(draws.joint.log_prior, axis=0)
        found = advantage(self.signal_baseline, inference, signal)
        score = tf.reduce_mean(found.value * draws.log_posterior, axis=0)
        return {**surrogates, "nll": draws.nll - score + found.error}

    def _free_bits_kl(self, inference: Inference) -> tf.Tensor:
        kl = inference.proposal.kl_per_dimension()
        return tf.reduce_sum(tf.maximum(self.free_bits, tf.reduce_mean(kl, axis=0)))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments; the KL weight's present value is a weight."""
        return {
            **super().get_config(),
            "kl_weight": self.initial_kl_weight,
            "num_samples": self.num_samples,
            "analytic_kl": self.analytic_kl,
            "free_bits": self.free_bits,
            "gradient": self.gradient,
            "baseline": self.baseline,
        }
