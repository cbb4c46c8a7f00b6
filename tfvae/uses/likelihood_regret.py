"""What the bound of an example gains by a posterior of its own."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfvae.checks import real
from tfvae.evaluation.refinement import refined_inference
from tfvae.models.capabilities import Batch
from tfvae.uses.anomaly_scores import AnomalyScore, checked_draws, same_seeds, sums_over_draws


@dataclass(frozen=True)
class LikelihoodRegret(AnomalyScore):
    """How much the bound of x rises when its posterior is fitted to x alone.

        score = max_q ELBO(x; q) - ELBO(x; q(z|x)),   nats, higher = less normal

    with the decoder held: the encoder learned good posteriors of normal data, and has none for what
    it never saw. The maximum is over the affine images of q(z|x), by `num_steps` steps from the
    encoder's; see `tfvae.evaluation.refine`. Both bounds are of the same draws. Choose it where
    anomalies may be simpler than normal data; it takes `num_steps` times as long as a bound.

    Args:
        num_steps: Of Adam, at least 1. Default 100.
        learning_rate: The first step's, in standard deviations of q, above 0; it falls to 0.
        step_samples: Draws of z for each step, at least 1.
        num_samples: Draws of z for the two bounds, at least 1.

    Raises:
        UserError: for arguments out of range; when it is used, for z of bits or categories, and
            draws without a gradient.

    References:
        Z. Xiao, Q. Yan, Y. Amit, 2020, "Likelihood Regret: An Out-of-Distribution Detection Score
        For Variational Auto-encoder", arXiv:2003.02977. Departures: it refits all weights of the
        encoder, or mean and variance of q; here an affine map of q, and a fixed number of steps.
    """

    num_steps: int = 100
    learning_rate: float = 0.05
    step_samples: int = 8
    num_samples: int = 64

    def __post_init__(self) -> None:
        checked_draws(self, "num_steps", "step_samples", "num_samples")
        real("learning_rate", self.learning_rate, above=0.0)

    def of_batch(self, model: Any, batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        """Returns ELBO(x; q*) - ELBO(x; q), `[B]`."""
        inference, seeds = model.infer(batch), same_seeds(batch, seed)

        def bound(num_steps: int) -> tf.Tensor:
            """Of no steps it is that of q, whose KL comes from the same draws as q*'s."""
            reached = refined_inference(
                inference,
                seeds,
                tf.constant(num_steps),
                tf.constant(self.learning_rate, tf.float32),
                self.step_samples,
            )
            found = sums_over_draws(model, reached, batch, self.num_samples, seed)
            return -found["nll"] - found["kl"]

        return bound(self.num_steps) - bound(0)
