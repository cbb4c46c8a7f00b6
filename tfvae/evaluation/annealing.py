"""Chains that walk from one density to another and weigh themselves on the way."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import positive_int, real
from tfvae.errors import UserError
from tfvae.evaluation.estimates import LikelihoodEstimate, refuse_nan
from tfvae.inference.inference import Inference
from tfvae.inference.proposal import require_reals

Density = Callable[[Any], tf.Tensor]
_STARTS = ("prior", "posterior")


@dataclass(frozen=True, repr=False)
class AnnealedEstimate(LikelihoodEstimate):
    """An estimate of log p(x) for each example from annealed chains.

    Attributes:
        num_samples: The number of chains for each example; see also `LikelihoodEstimate`.
        acceptance_rate: float64 `[N]`, share of an example's chains whose last transition was
            accepted: of chains that walk to the posterior the hardest. Best near 0.65: change
            `step_size` if the mean is far from it.
    """

    acceptance_rate: np.ndarray


@dataclass(frozen=True)
class Schedule:
    """How many chains walk how; the arguments of `annealed_importance_sampling`.

    Raises:
        UserError: for a number out of range, or another start.
    """

    num_chains: int
    num_steps: int
    step_size: float
    leapfrog_steps: int
    start: str

    def __post_init__(self) -> None:
        for name in ("num_chains", "leapfrog_steps", "num_steps"):
            positive_int(name, getattr(self, name))
        real("step_size", self.step_size, above=0.0)
        if self.start not in _STARTS:
            raise UserError(f"start must be one of {_STARTS}, received {self.start!r}.")

    def arguments(self) -> tuple[Any, ...]:
        """Returns what a compiled program takes: what may change in it, and constants."""
        may_change = tf.constant(self.step_size, tf.float32), tf.constant(self.num_steps)
        return *may_change, self.leapfrog_steps, self.start == "prior"


def ends(inference: Inference, from_prior: bool, what: str) -> tuple[Density, Density]:
    """Returns log r(z), of the prior or of q(z|x), and log p(x, z), `[C, B]` each.

    Args:
        inference: of a batch.
        from_prior: whether r is the prior.
        what: walks between them, for the message where z is not real.
    """
    require_reals(inference.proposal, what, "log_likelihood()")

    def base(z: Any) -> tf.Tensor:
        return inference.joint(z).log_prior if from_prior else inference.proposal.log_prob(z)

    def joint(z: Any) -> tf.Tensor:
        found = inference.joint(z)
        return found.log_prior + found.log_likelihood

    return base, joint


def annealed(
    inference: Inference,
    z: Any,
    source: Density,
    target: Density,
    seed: tf.Tensor,
    step_size: tf.Tensor,
    num_steps: tf.Tensor,
    leapfrog_steps: int,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Walks C chains for each example by Hamiltonian transitions.

    Args:
        inference: of a batch, for the scale of q in units of which the step size is.
        z: where the chains begin, drawn from the source, `[C, B, ...]` or a nest of such.
        source: log f_0, normalised or not, `[C, B]`.
        target: log f_T, likewise.
        seed: int32 `[2]`.
        step_size: see `annealed_importance_sampling`, as are the others.
        num_steps: T.
        leapfrog_steps: of a transition.

    Returns:
        log w, whose mean weight is the ratio of the normalisers of target and source, and whether
        the last transition was accepted, both `[C, B]`.
    """
    coordinates = inference.proposal.coordinates()
    # tfp.mcmc takes a list where z is a nest; the densities are called with its parts.
    parts, steps = tf.nest.flatten(coordinates.of(z)), tf.cast(num_steps, tf.float32)

    def transition(share: tf.Tensor) -> Any:
        """Leaves f_0^(1 - share) f_T^share as it is."""

        def between(*parts: tf.Tensor) -> tf.Tensor:
            at, log_volume = coordinates.place(tf.nest.pack_sequence_as(z, parts))
            return share * target(at) + (1.0 - share) * source(at) + log_volume

        return tfp.mcmc.HamiltonianMonteCarlo(
            between, step_size=step_size, num_leapfrog_steps=leapfrog_steps
        )

    def walk(t: Any, parts: Any, last: Any, log_weights: Any, _: Any) -> tuple[Any, ...]:
        """From the density of t, whose log at `parts` is `last`, to that of t + 1."""
        kernel = transition(tf.cast(t + 1, tf.float32) / steps)
        # The density and its gradient anew: those that the last transition left are of the density
        # before, from which tfp.mcmc.sample_annealed_importance_chain takes each step
        # (github.com/tensorflow/probability/issues/1429), so that none leaves its own as it is.
        before = kernel.bootstrap_results(parts)
        log_weights += before.accepted_results.target_log_prob - last
        drawn = tf.random.experimental.stateless_fold_in(seed, t)
        parts, after = kernel.one_step(parts, before, seed=drawn)
        return t + 1, parts, after.accepted_results.target_log_prob, log_weights, after.is_accepted

    start = transition(0.0).bootstrap_results(parts).accepted_results.target_log_prob
    first = 0, parts, start, tf.zeros_like(start), tf.zeros_like(start, tf.bool)
    found = tf.while_loop(lambda t, *_: t < num_steps, walk, first, parallel_iterations=1)
    return found[3], found[4]


def annealed_estimate(
    log_weights: list[np.ndarray],
    accepted: list[np.ndarray],
    num_discrete: int | None,
    sign: float = 1.0,
) -> AnnealedEstimate:
    """Returns sign * log 1/C sum_c w_c of each example, from the batches' `[C, B]`."""
    weights = np.concatenate(log_weights, axis=1).astype(np.float64)
    log_sum = np.logaddexp.reduce(weights, axis=0)
    refuse_nan(log_sum)
    return AnnealedEstimate(
        sign * (log_sum - math.log(len(weights))),
        len(weights),
        np.exp(2.0 * log_sum - np.logaddexp.reduce(2.0 * weights, axis=0)),
        np.concatenate(accepted, axis=1).mean(axis=0, dtype=np.float64),
        num_discrete=num_discrete,
    )
