"""Draws of the true posterior p(z|x) by Hamiltonian Monte Carlo."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import int32, positive_int
from tfvae.errors import UserError
from tfvae.evaluation.batches import PaddedBatch, batches
from tfvae.evaluation.estimates import refuse_nan
from tfvae.evaluation.hamiltonian import ACCEPTED, adapted_kernel
from tfvae.evaluation.importance import examples_at_once
from tfvae.inference.proposal import require_reals
from tfvae.models.capabilities import Batch, Scores, require
from tfvae.noise import example_noise, example_seeds
from tfvae.training.programs import compiled

_FEWEST = 4  # draws of a chain that has two halves with a variance each


@dataclass(frozen=True, repr=False)
class PosteriorSamples:
    """Draws of p(z|x) for each example, and how far they can be trusted.

    Attributes:
        z: float32 `[S, C, N, D]`, or a nest of such.
        r_hat: float64 `[N, D]`, or a nest: spread of all chains over that within the halves of
            each. 1 where they agree; above 1.01 to 1.1, depending on whom you ask, take more.
        effective_sample_size: float64 `[N, D]`, or a nest: of independent draws that would tell
            the mean of z as well as these S C do.
        acceptance_rate: float64 `[N]`, the mean probability that a step was accepted by.
        step_size: float64 `[N]`, found in the burn-in, in standard deviations of q.
    """

    z: Any
    r_hat: Any
    effective_sample_size: Any
    acceptance_rate: np.ndarray
    step_size: np.ndarray

    def __repr__(self) -> str:
        worst = max(float(np.max(level)) for level in tf.nest.flatten(self.r_hat))
        least = min(float(np.min(n)) for n in tf.nest.flatten(self.effective_sample_size))
        draws, chains, examples = tf.nest.flatten(self.z)[0].shape[:3]
        return (
            f"{type(self).__name__}({draws} draws of {chains} chains for {examples} examples: "
            f"R-hat up to {worst:.3f}, effective sample size from {least:.0f}, acceptance "
            f"{np.mean(self.acceptance_rate):.2f})"
        )


def posterior_samples(
    model: Any,
    data: Any,
    method: str = "hmc",
    num_samples: int = 1000,
    num_chains: int = 4,
    burn_in: int = 500,
    leapfrog_steps: int = 5,
    seed: int = 0,
    *,
    batch_size: int | None = None,
    verbose: int = 1,
) -> PosteriorSamples:
    """Draws z from p(z|x), without q's approximation: by chains that leave it invariant.

        z_(t+1) ~ T(. | z_t),   T of p(z|x) ~ p(x, z)             t = 1 .. burn-in + S

    Chains begin at draws of q(z|x) and move in units of its standard deviation, of each level given
    those before it where there are several; the step size of each example is adapted in the burn-in
    (dual averaging) and fixed after it. To look at what q misses (its width, its correlations, a
    second mode), and where an expectation under the true posterior is wanted; `posterior_draws`
    draws from q, faster by some orders of magnitude.

    Random, a function of the seed and the batch size. z may be a nest (levels).

    Args:
        model: A built model that scores, whose z is real.
        data: What `fit` takes.
        method: "hmc" (default), steps of about L gradients, or "nuts", which goes on
            until it turns back: choose it where R-hat stays above 1, for correlated posteriors.
        num_samples: S, draws of each chain that are kept, at least 4.
        num_chains: C, at least 1.
        burn_in: Steps of each chain before these, at least 1.
        leapfrog_steps: L, at least 1: a step of "hmc" takes 1 to 2 L - 1 gradients, so that no
            period of the posterior is met; one of "nuts" up to 1,023.
        seed: Any int32.
        batch_size: Examples of one compiled step; None (default) fits them and their chains in the
            memory that `log_likelihood` takes.
        verbose: 1 (default) shows a progress bar, 0 does not.

    Raises:
        UserError: for bad data, a number out of range, or z of bits or categories.
        UserRuntimeError: if the model is not built.
        FloatingPointError: if a chain is not a number.

    References:
        R. M. Neal, 2011, "MCMC using Hamiltonian dynamics", arXiv:1206.1901. M. D. Hoffman and
        A. Gelman, 2014, "The No-U-Turn Sampler", arXiv:1111.4246, algorithms 5 and 6. A. Gelman et
        al., 2013, "Bayesian Data Analysis", third edition, section 11.4, for split R-hat.
    """
    require(model, "posterior_samples()", Scores)
    if method not in ACCEPTED:
        raise UserError(f"method must be one of {tuple(ACCEPTED)}, received {method!r}.")
    positive_int("num_samples", num_samples, minimum=_FEWEST)
    for name, value in (("num_chains", num_chains), ("burn_in", burn_in)):
        positive_int(name, value)
    positive_int("leapfrog_steps", leapfrog_steps)
    int32("seed", seed)
    if batch_size is None:
        batch_size = examples_at_once(model.fields(), num_chains)
    run, found = compiled(model, _sampled_chains), []
    counts = num_samples, num_chains, burn_in, leapfrog_steps
    for batch in batches(model, data, batch_size, verbose):
        place = tf.constant([seed, batch.first], tf.int32)
        z, accepted, step_size = run(batch.tensors(), place, method, *counts)
        found.append(_measured(z, accepted, step_size, batch))
    z, *measures = (
        tf.nest.map_structure(lambda *part, axis=axis: np.concatenate(part, axis), *parts)
        for axis, parts in zip((2, 0, 0, 0, 0), zip(*found, strict=True), strict=True)
    )
    return PosteriorSamples(z, *measures)


def _measured(z: Any, accepted: tf.Tensor, step_size: tf.Tensor, batch: PaddedBatch) -> Any:
    """What is known of the chains of a batch, without its filling."""
    z = tf.nest.map_structure(lambda part: part[:, :, : batch.count], z)
    for part in tf.nest.flatten(z):
        refuse_nan(tf.reduce_sum(part, axis=[0, 1, *range(3, part.shape.rank)]).numpy())

    def measure(function: Any) -> Any:
        return tf.nest.map_structure(lambda part: function(part).numpy().astype(np.float64), z)

    return (
        tf.nest.map_structure(lambda part: part.numpy(), z),
        measure(lambda part: tfp.mcmc.potential_scale_reduction(part, split_chains=True)),
        measure(_independent_draws),
        accepted.numpy()[: batch.count].astype(np.float64),
        step_size.numpy()[: batch.count].astype(np.float64),
    )


def _independent_draws(z: tf.Tensor) -> tf.Tensor:
    """The effective sample size of `z [S, C, B, ...]`, `[B, ...]`."""
    logger = tf.get_logger()

    def other(record: logging.LogRecord) -> bool:
        # TFP takes the real part of a spectrum by a cast, which TensorFlow warns of each time.
        return "complex64 to an incompatible dtype" not in record.getMessage()

    logger.addFilter(other)
    try:
        return tfp.mcmc.effective_sample_size(
            z, cross_chain_dims=1, filter_beyond_positive_pairs=True
        )
    finally:
        logger.removeFilter(other)


def _sampled_chains(
    model: Any,
    batch: Batch,
    place: tf.Tensor,
    method: str,
    num_samples: int,
    num_chains: int,
    burn_in: int,
    leapfrog_steps: int,
) -> tuple[Any, tf.Tensor, tf.Tensor]:
    """Returns z `[S, C, B, ...]`, and acceptance and step size, `[B]`."""
    inference, rows = model.infer(batch), next(iter(batch.values())).shape[0]
    require_reals(inference.proposal, "posterior_samples()", "posterior_draws(), of q(z|x)")
    noise = example_noise(example_seeds(place[0], place[1], rows), 0, num_chains)
    z = inference.proposal.draw(noise).z
    coordinates = inference.proposal.coordinates()

    def density(*parts: tf.Tensor) -> tf.Tensor:
        at, log_volume = coordinates.place(tf.nest.pack_sequence_as(z, parts))
        found = inference.joint(at)
        return found.log_prior + found.log_likelihood + log_volume

    def places(parts: list[tf.Tensor]) -> Any:
        return coordinates.place(tf.nest.pack_sequence_as(z, parts))[0]

    start = tf.nest.flatten(coordinates.of(z))
    found = tfp.mcmc.sample_chain(
        num_samples,
        current_state=start,
        kernel=adapted_kernel(method, density, start, burn_in, leapfrog_steps),
        num_burnin_steps=burn_in,
        trace_fn=lambda _, results: results.inner_results.log_accept_ratio,
        return_final_kernel_results=True,
        parallel_iterations=1,
        seed=tf.random.split(place, 1)[0],
    )
    dtypes = tf.nest.map_structure(lambda part: part.dtype, z)
    drawn = tf.map_fn(places, found.all_states, fn_output_signature=dtypes)
    accepted = tf.reduce_mean(tf.exp(tf.minimum(found.trace, 0.0)), axis=[0, 1])
    step_size = tf.reshape(found.final_kernel_results.new_step_size[0], [rows])
    return drawn, accepted, step_size
