"""Annealed importance sampling of log p(x)."""

from typing import Any

import tensorflow as tf

from tfvae.checks import int32
from tfvae.evaluation.annealing import (
    AnnealedEstimate,
    Schedule,
    annealed,
    annealed_estimate,
    ends,
)
from tfvae.evaluation.batches import batches
from tfvae.evaluation.importance import discrete_size, examples_at_once
from tfvae.models.capabilities import Batch, Generates, Scores, require
from tfvae.noise import example_noise, example_seeds
from tfvae.training.programs import compiled


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
            dimension, so that dimensions that the model pins down move less; of levels, of each
            given those before it. Fixed along the chain, because an adapted one would bias the
            estimate.
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
    schedule = Schedule(num_chains, num_steps, step_size, leapfrog_steps, start)
    int32("seed", seed)
    batch_size = examples_at_once(model.fields(), num_chains) if batch_size is None else batch_size
    run = compiled(model, _anneal)
    weights, accepted = [], []
    for batch in batches(model, data, batch_size, verbose):
        place = tf.constant([seed, batch.first], tf.int32)
        log_weights, moved = run(batch.tensors(), place, num_chains, *schedule.arguments())
        weights.append(log_weights.numpy()[:, : batch.count])
        accepted.append(moved.numpy()[:, : batch.count])
    return annealed_estimate(weights, accepted, discrete_size(model))


def _anneal(
    model: Any,
    batch: Batch,
    place: tf.Tensor,
    num_chains: int,
    step_size: tf.Tensor,
    num_steps: tf.Tensor,
    leapfrog_steps: int,
    from_prior: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns log w and whether the last transition was accepted, both `[C, B]`."""
    inference = model.infer(batch)
    source, target = ends(inference, from_prior, "annealed_importance_sampling()")
    rows = next(iter(batch.values())).shape[0]
    noise = example_noise(example_seeds(place[0], place[1], rows), 0, num_chains)
    z = (
        model.generate(noise, model.given(batch))
        if from_prior
        else inference.proposal.draw(noise).z
    )
    seed = tf.random.split(place, 1)[0]
    walk = seed, step_size, num_steps, leapfrog_steps
    return annealed(inference, z, source, target, *walk)
