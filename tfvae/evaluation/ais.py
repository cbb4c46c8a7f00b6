"""Annealed importance sampling of log p(x)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import int32, positive_int, real
from tfvae.data.fields import example_size
from tfvae.errors import UserError
from tfvae.evaluation.batches import batches
from tfvae.evaluation.estimates import LikelihoodEstimate, refuse_nan
from tfvae.evaluation.importance import NUMBERS_AT_ONCE, discrete_size
from tfvae.heads.base import REALS
from tfvae.models.capabilities import Batch, Generates, Scores, require
from tfvae.noise import example_noise, example_seeds
from tfvae.training.programs import compiled

_START = ("prior", "posterior")


@dataclass(frozen=True, repr=False)
class AnnealedEstimate(LikelihoodEstimate):
    """An estimate of log p(x) for each example from annealed chains.

    Attributes:
        num_samples: The number of chains for each example; see also `LikelihoodEstimate`.
        acceptance_rate: float64 `[N]`, share of an example's chains whose last transition, the
            hardest, was accepted. Best near 0.65: change `step_size` if the mean is far from it.
    """

    acceptance_rate: np.ndarray


def annealed_importance_sampling(
    model: Any,
    data: Any,
    num_chains: int = 16,
    num_steps: int = 500,
    step_size: float = 0.2,
    leapfrog_steps: int = 5,
    start: str = "prior",
    seed: int = 0,
    *,
    batch_size: int | None = None,
    verbose: int = 1,
) -> AnnealedEstimate:
    """Estimates log p(x) of each example by chains that walk from the prior to the posterior.

        f_t(z)   = r(z)^(1 - t / T) p(x, z)^(t / T)                       t = 0 .. T
        log w    = sum_t log f_t(z_(t-1)) - log f_(t-1)(z_(t-1))          z_0 ~ r
        log p(x) ~ log 1/C sum_c w_c

    with z_t from z_(t-1) by one Hamiltonian transition that leaves f_t invariant, and r the prior
    or q(z|x). r is normalised, so that the ratio of the normalisers is p(x) itself. E[w] = p(x)
    for any T and step size: the estimate is a lower bound in expectation, tighter as T and C grow.
    Slower than `log_likelihood` by some orders of magnitude, and independent of the encoder where
    `start="prior"`: choose it to check whether a low likelihood is the decoder's or the encoder's.

    Random, a function of the seed and the batch size. z may be a nest (levels): all are walked.

    Args:
        model: A built model that scores and generates.
        data: What `fit` takes.
        num_chains: C, at least 1.
        num_steps: T, temperatures, at least 1. Default 500; the paper uses up to 10,000.
        step_size: Of the leapfrog, above 0, in units of the posterior's standard deviation in each
            dimension, so that dimensions that the model pins down move less. Fixed along the
            chain, because an adapted one would bias the estimate.
        leapfrog_steps: Gradients in a transition, at least 1.
        start: r: "prior" (default), or "posterior" for q(z|x), which is nearer where q is good.
        seed: Any int32.
        batch_size: Examples of one compiled step; None (default) fits them and their chains in the
            memory that `log_likelihood` takes.
        verbose: 1 (default) shows a progress bar, 0 does not.

    Raises:
        ValueError, TypeError, RuntimeError, FloatingPointError: as `log_likelihood`.

    References:
        R. M. Neal, 2001, "Annealed importance sampling", Statistics and Computing 11, eq. 3 to 8.
        Y. Wu et al., 2017, "On the Quantitative Analysis of Decoder-Based Generative Models",
        arXiv:1611.04273, section 3. Departures: temperatures in equal steps, a fixed step size.
    """
    require(model, "annealed_importance_sampling()", Scores, Generates)
    for name, value in (("num_chains", num_chains), ("leapfrog_steps", leapfrog_steps)):
        positive_int(name, value)
    positive_int("num_steps", num_steps)
    real("step_size", step_size, above=0.0)
    if start not in _START:
        raise UserError(f"start must be one of {_START}, received {start!r}.")
    int32("seed", seed)
    if batch_size is None:
        batch_size = max(
            1, min(128, NUMBERS_AT_ONCE // (example_size(model.fields()) * num_chains))
        )
    run = compiled(model, _anneal)
    weights, accepted = [], []
    for batch in batches(model, data, batch_size, verbose):
        log_weights, moved = run(
            batch.tensors(),
            tf.constant([seed, batch.first], tf.int32),
            tf.constant(step_size, tf.float32),
            *(num_chains, num_steps, leapfrog_steps, start == "prior"),
        )
        weights.append(log_weights.numpy()[:, : batch.count])
        accepted.append(moved.numpy()[:, : batch.count])
    log_weights = np.concatenate(weights, axis=1).astype(np.float64)
    log_sum = np.logaddexp.reduce(log_weights, axis=0)
    refuse_nan(log_sum)
    return AnnealedEstimate(
        log_sum - math.log(num_chains),
        num_chains,
        np.exp(2.0 * log_sum - np.logaddexp.reduce(2.0 * log_weights, axis=0)),
        np.concatenate(accepted, axis=1).mean(axis=0, dtype=np.float64),
        num_discrete=discrete_size(model),
    )


def _anneal(
    model: Any,
    batch: Batch,
    seed: tf.Tensor,
    step_size: tf.Tensor,
    num_chains: int,
    num_steps: int,
    leapfrog_steps: int,
    from_prior: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns log w and whether the last transition was accepted, both `[C, B]`."""
    inference = model.infer(batch)
    proposal, joint = inference.proposal, inference.joint
    if proposal.space != REALS:
        raise UserError(
            "annealed_importance_sampling() moves z along gradients, through real numbers; this "
            f"model's z is {proposal.space}. Use log_likelihood()."
        )
    rows = next(iter(batch.values())).shape[0]
    noise = example_noise(example_seeds(seed[0], seed[1], rows), 0, num_chains)
    start = model.generate(noise, model.given(batch)) if from_prior else proposal.draw(noise).z
    # tfp.mcmc takes a list where z is a nest; the densities are called with its parts.
    scales = [step_size * scale for scale in tf.nest.flatten(proposal.scale())]

    def of_parts(density: Callable[[Any], tf.Tensor]) -> Callable[..., tf.Tensor]:
        return lambda *parts: density(tf.nest.pack_sequence_as(start, parts))

    def source(z: Any) -> tf.Tensor:
        return joint(z).log_prior if from_prior else proposal.log_prob(z)

    def target(z: Any) -> tf.Tensor:
        found = joint(z)
        return found.log_prior + found.log_likelihood

    def transition(log_density: Callable[..., tf.Tensor]) -> Any:
        return tfp.mcmc.HamiltonianMonteCarlo(
            log_density, step_size=scales, num_leapfrog_steps=leapfrog_steps
        )

    _, log_weights, results = tfp.mcmc.sample_annealed_importance_chain(
        num_steps=num_steps,
        proposal_log_prob_fn=of_parts(source),
        target_log_prob_fn=of_parts(target),
        current_state=tf.nest.flatten(start),
        make_kernel_fn=transition,
        parallel_iterations=1,
        seed=tf.random.split(seed, 1)[0],
    )
    return log_weights, results.inner_results.is_accepted
