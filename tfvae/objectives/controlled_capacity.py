"""The bound with a KL that is held at a capacity."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int, real
from tfvae.inference.inference import Inference
from tfvae.objectives.base import Nats, Objective
from tfvae.objectives.divergence import checked_analytic, total_kl


@keras.saving.register_keras_serializable("tfvae")
class ControlledCapacity(Objective):
    """loss = E_q[-log p(x|z)] + gamma |KL(q(z|x) || p(z)) - C|, the KL its mean over the batch.

    Says how many nats a code holds, where `ELBO(kl_weight=...)` says what one of them costs: the
    KL goes to C from either side, so it neither collapses nor grows. With `LinearCapacity`, C
    rises from 0 while training, and the latent dimensions take up one factor of the data after the
    other. The likelihood of a capacity that is not the ELBO's own KL is lower.

    Logged, always unweighted: `nll` = E_q[-log p(x|z)], `kl`, `elbo` = -nll - kl, and
    `capacity_gap` = |KL - C|.

    Args:
        capacity: C, nats an example, at least 0. Default 25, the paper's. A variable, `capacity`:
            `tfvae.callbacks.LinearCapacity` lets it rise to this.
        gap_weight: gamma, at least 0. Default 10: the gap closes where one more nat of code saves
            less than gamma nats of `nll`, and what is more than that takes from the likelihood.
            The paper has 1000. A variable, `capacity_gap_weight`.
        num_samples: S, draws of z per example, at least 1. Default 1.
        analytic_kl: None (default) takes the closed form where there is one, True insists on it,
            False estimates the KL from the same draws of z.
        **kwargs: Keras layer arguments.

    Shapes: `[B]` nats for each name; `capacity_gap` a scalar of the batch.

    Raises:
        UserError: if an argument is out of range, or `analytic_kl=True` finds no closed form.

    Example:
        >>> ControlledCapacity(capacity=10.0).names
        ('elbo', 'nll', 'kl', 'capacity_gap')

    References:
        C. P. Burgess et al., 2018, "Understanding disentangling in beta-VAE", arXiv:1804.03599,
        eq. 8. Departures: the default of gamma; and |mean KL - C| of a batch, which holds the mean
        and lets examples differ, where the equation reads as that of each example.
    """

    stratified = True

    def __init__(
        self,
        capacity: float = 25.0,
        gap_weight: float = 10.0,
        num_samples: int = 1,
        analytic_kl: bool | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.final_capacity = real("capacity", capacity, minimum=0.0)
        self.initial_gap_weight = real("gap_weight", gap_weight, minimum=0.0)
        self.num_samples = positive_int("num_samples", num_samples)
        self.analytic_kl = checked_analytic(analytic_kl)
        self.capacity = self.add_adjustable("capacity", self.final_capacity)
        self.add_term_weight("capacity_gap", self.initial_gap_weight)

    @property
    def names(self) -> tuple[str, ...]:
        """`elbo` and its parts, and what the loss has in the KL's place."""
        return ("elbo", "nll", "kl", "capacity_gap")

    def nats(self, inference: Inference) -> Nats:
        """Returns `nll` and the gap as terms, the ELBO and the KL beside them."""
        draws = inference.draw_strata(self.num_samples)
        nll, kl = draws.nll, total_kl(inference, draws, self.analytic_kl)
        gap = tf.abs(tf.reduce_mean(kl) - tf.convert_to_tensor(self.capacity))
        watched = {"elbo": -nll - kl, "kl": kl}
        return Nats({"nll": nll, "capacity_gap": gap}, draws.reconstruction, watched)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments; the present C and gamma are weights."""
        return {
            **super().get_config(),
            "capacity": self.final_capacity,
            "gap_weight": self.initial_gap_weight,
            "num_samples": self.num_samples,
            "analytic_kl": self.analytic_kl,
        }
