"""q(z|x) of every example: how far its codes spread, and draws of them."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfvae.checks import int32, positive_int
from tfvae.evaluation.batches import BATCH_SIZE, PaddedBatch
from tfvae.evaluation.collecting import collected
from tfvae.models.capabilities import Batch, Scores, require
from tfvae.noise import example_noise, example_seeds
from tfvae.training.programs import compiled


class PosteriorStatistics(NamedTuple):
    """Of each example; unpacks into `mean, stddev`, float64 `[N, D]` or nests of such."""

    mean: Any
    stddev: Any


def posterior_statistics(
    model: Any, data: Any, *, batch_size: int = BATCH_SIZE, verbose: int = 0
) -> PosteriorStatistics:
    """Mean and standard deviation of q(z|x) of each example. Deterministic.

    Where there is no closed form they are those of 256 draws from fixed noise, as in
    `latent_codes`, whose arguments and errors these are.

    Raises:
        UserError: for a model that does not score, or whose proposal does not know both.
    """
    require(model, "posterior_statistics()", Scores)
    run = compiled(model, _statistics)
    found = collected(model, data, lambda batch: run(batch.tensors()), batch_size, verbose)
    return PosteriorStatistics(*tf.nest.map_structure(lambda v: v.astype(np.float64), found))


def posterior_draws(
    model: Any,
    data: Any,
    num_samples: int = 1,
    seed: int = 0,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 0,
) -> Any:
    """Draws z ~ q(z|x) of each example, `[S, N, D]` in the type of z, or the nest that z is.

    Random: `num_samples` draws of each example, a function of the seed, of the example's place in
    the data and of the number of the draw; neither of `batch_size` nor of `num_samples`.

    Args:
        model: A built model that scores.
        data: What `fit` takes.
        num_samples: S, at least 1.
        seed: Any int32.
        batch_size: Examples of one step, whose S draws are made at once.
        verbose: 1 shows a progress bar.

    Raises:
        UserError: for bad data, a model that does not score, or a number out of range.
        UserRuntimeError: if the model is not built.
    """
    require(model, "posterior_draws()", Scores)
    positive_int("num_samples", num_samples)
    int32("seed", seed)
    run = compiled(model, _draws, xla=False)  # one tracing for each S and batch size

    def draws(batch: PaddedBatch) -> Any:
        first = tf.constant(batch.first, tf.int32)
        return run(batch.tensors(), first, tf.constant(seed, tf.int32), num_samples)

    return collected(model, data, draws, batch_size, verbose, axis=1)


def _statistics(model: Any, batch: Batch) -> tuple[Any, Any]:
    proposal = model.infer(batch).proposal
    return proposal.mean(), proposal.scale()


def _draws(model: Any, batch: Batch, first: tf.Tensor, seed: tf.Tensor, num_samples: int) -> Any:
    count = next(iter(batch.values())).shape[0]
    noise = example_noise(example_seeds(seed, first, count), 0, num_samples)
    return model.infer(batch).proposal.draw(noise).z
