"""What is missing of examples that are partly seen, by importance sampling."""

from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import MOST_DRAWS, int32, positive_int
from tfvae.data.fields import example_size
from tfvae.data.missing import SEEN
from tfvae.errors import UserError
from tfvae.evaluation.batches import BATCH_SIZE, PaddedBatch, batches
from tfvae.evaluation.estimates import refuse_nan
from tfvae.evaluation.importance import chunk_size
from tfvae.models.capabilities import Batch, Decodes, Emits, Scores, require
from tfvae.noise import example_seeds
from tfvae.training.programs import compiled
from tfvae.uses.filling import filled_holes, has_holes


def impute(
    model: Any,
    data: Any,
    num_samples: int = 1000,
    multiple: int | None = None,
    seed: int = 0,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 0,
) -> np.ndarray:
    """Returns examples with their holes filled: by expectations, or several times at random.

        E[x_missing | x_seen] ~ sum_k w~_k E[x_missing|z_k],   w~_k = w_k / sum_j w_j
        w_k = p(x_seen|z_k) p(z_k) / q(z_k|x_seen),   z_k ~ q(z|x_seen)

    The expectation has the least squared error (single imputation). For what is computed of the
    filled data and should know how uncertain they are, take several: each draws one k with the
    probability w~_k and then x_missing ~ p(x|z_k), a draw of p(x_missing|x_seen) as K grows.

    Of a model with a missing process w_k has the factor p(s|x_seen, x_k), and x_k ~ p(x|z_k) stands
    in the place of its expectation, and of further draws: what is missing says why it is.

    Random, a function of the seed, with exactly K draws of z for each example.

    Args:
        model: A built model that says what is seen, such as `MissingDataVAE`.
        data: What `fit` takes.
        num_samples: K, at least 1. Default 1000; the paper takes 10,000.
        multiple: M, how many random fillings; None (default) for the one by expectations.
        seed: Any int32.
        batch_size: Examples a compiled step works on, at least 1.
        verbose: 1 shows a progress bar.

    Returns:
        x, float32 `[N, *event]`, or `[M, N, *event]`: as given where it is seen.

    Raises:
        UserError: for a model that has no holes, data that `fit` would refuse, or an argument out
            of range.
        FloatingPointError: if a value is not a number.

    Example:
        >>> import tfvae
        >>> settings = {"latent_size": 2, "units": (8,)}
        >>> model = tfvae.presets.model("breast-cancer-missing", **settings)
        >>> data = tfvae.data.load("breast_cancer", missing=0.5, standardise=True)[1]
        >>> impute(model, data, num_samples=10, multiple=3).shape
        (3, 114, 30)

    References:
        P.-A. Mattei and J. Frellsen, 2019, "MIWAE: Deep Generative Modelling and Imputation of
        Incomplete Data Sets", ICML, arXiv:1812.02633, section 3: single imputation by
        self-normalised importance sampling, multiple by sampling importance resampling. N. B.
        Ipsen, P.-A. Mattei, J. Frellsen, 2021, "not-MIWAE", ICLR, arXiv:2006.12871, eq. 8 and 9.
    """
    require(model, "impute()", Scores, Decodes, Emits)
    if not has_holes(model):
        raise UserError(
            "impute() is for a model of rows that are partly seen, such as tfvae.MissingDataVAE; "
            f"received a {type(model).__name__}."
        )
    positive_int("num_samples", num_samples, maximum=MOST_DRAWS)
    fillings = 0 if multiple is None else positive_int("multiple", multiple)
    run, found = compiled(model, _run), []
    numbers = example_size(model.fields()) * max(1, fillings)
    for batch in batches(model, data, batch_size, verbose):
        _refuse_unseen(model, batch)
        examples = len(next(iter(batch.fields.values())))
        chunk = chunk_size(num_samples, examples, numbers)
        scalars = (tf.constant(n, tf.int32) for n in (batch.first, int32("seed", seed)))
        x = run(batch.tensors(), *scalars, num_samples, chunk, fillings)
        found.append(x.numpy()[:, : batch.count])
    every = np.concatenate(found, axis=1)
    refuse_nan(every)
    return every if fillings else every[0]


def _refuse_unseen(model: Any, batch: PaddedBatch) -> None:
    """Where NaN and a mask hide an example together, neither of which does alone."""
    seen = model.counted(batch.tensors()).numpy()
    empty = np.flatnonzero(~seen.reshape(len(seen), -1).any(axis=1))
    if empty.size:
        raise UserError(
            f"Nothing is seen of example {batch.first + empty[0]}: x is NaN wherever '{SEEN}' is "
            "not 0. Drop the examples of which nothing is seen."
        )


def _run(
    model: Any,
    batch: Batch,
    first_example: tf.Tensor,
    seed: tf.Tensor,
    num_samples: int,
    chunk: int,
    fillings: int,
) -> tf.Tensor:
    seeds = example_seeds(seed, first_example, next(iter(batch.values())).shape[0])
    return filled_holes(model, dict(batch), seeds, num_samples, chunk, fillings)
