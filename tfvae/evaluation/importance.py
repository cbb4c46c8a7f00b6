"""Importance sampling of log p(x), in chunks of draws that fit."""

import math
from typing import Any

import tensorflow as tf

from tfvae.data.fields import Fields, example_size
from tfvae.evaluation.batches import BATCH_SIZE
from tfvae.inference.importance import inference_estimates
from tfvae.inference.inference import Inference
from tfvae.inference.proposal import FromPrior
from tfvae.models.capabilities import Batch
from tfvae.models.codes import zero_example
from tfvae.noise import example_noise, example_seeds

# Numbers decoded at once: 2,048 codes of 28 x 28 pixels, 6 MB for each array of that size.
NUMBERS_AT_ONCE = 2_048 * 784


def from_posterior(model: Any, batch: Batch, *arguments: Any) -> dict[str, tf.Tensor]:
    """Importance sampling with z_k ~ q(z|x); see `_estimate`."""
    return _estimate(model.infer(batch), batch, *arguments)


def from_prior(model: Any, batch: Batch, *arguments: Any) -> dict[str, tf.Tensor]:
    """Importance sampling with z_k ~ p(z); see `_estimate`."""
    joint, given = model.infer(batch).joint, model.given(batch)
    prior = FromPrior(lambda noise: model.generate(noise, given), lambda z: joint(z).log_prior)
    return _estimate(Inference(prior, joint), batch, *arguments)


def discrete_size(model: Any) -> int | None:
    """Returns `example_size` of a model of bits, levels or counts; None of one of densities.

    And of one whose likelihood is of a part of x: examples then have sizes of their own.
    """
    counted = getattr(model, "counted", None)
    if counted is not None and counted(zero_example(model)) is not None:
        return None
    return example_size(model.fields()) if getattr(model, "discrete", False) else None


def chunk_size(num_samples: int, batch_size: int, numbers: int) -> int:
    """Returns S, how many draws of each example are decoded at once.

    The chunks are as equal as they can be, so that few draws are made and thrown away: less than
    one for each chunk.
    """
    most = max(1, NUMBERS_AT_ONCE // (batch_size * numbers))
    return math.ceil(num_samples / math.ceil(num_samples / most))


def examples_at_once(fields: Fields, num_chains: int) -> int:
    """Returns B, how many examples are decoded at once with so many chains each."""
    return max(1, min(BATCH_SIZE, NUMBERS_AT_ONCE // (example_size(fields) * num_chains)))


def _estimate(
    inference: Inference,
    batch: Batch,
    first_example: tf.Tensor,
    seed: tf.Tensor,
    num_samples: tf.Tensor,
    chunk: int,
) -> dict[str, tf.Tensor]:
    """The importance-weighted bound of each example, with draws from the proposal.

    Args:
        inference: of the batch.
        batch: its fields, `[B, ...]` each.
        first_example: The number of the first example, which its draws depend on.
        seed: Any int32.
        num_samples: K.
        chunk: S, an int: draws of each example that are decoded at once.

    Returns:
        See `inference_estimates`.
    """
    rows = next(iter(batch.values())).shape[0]
    seeds = example_seeds(seed, first_example, rows)
    if inference.proposal.enumerated:
        chunk = max(1, chunk // inference.proposal.strata)
    return inference_estimates(
        inference, lambda first: example_noise(seeds, first, chunk), num_samples, rows
    )
