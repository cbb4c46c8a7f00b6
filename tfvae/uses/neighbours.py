"""The nearest examples of a data set, and whether samples copy what was learned."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import scipy.stats
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.errors import UserError

_ROWS = 4096  # of the data that are compared at once


class Neighbours(NamedTuple):
    """The nearest examples of each sample, the nearest first.

    Attributes:
        distances: Euclidean, in the units of x, float64 `[N, k]`.
        rows: Where they are in the data, int64 `[N, k]`.
        examples: The examples themselves, float32 `[N, k, *event]`.
    """

    distances: np.ndarray
    rows: np.ndarray
    examples: np.ndarray


class DataCopying(NamedTuple):
    """How near samples are to what was learned, beside how near held-out examples are.

    Attributes:
        z: Standardised Mann-Whitney statistic of the distances: far below 0 where samples are
            nearer to the training examples than new examples are, as copies would be; far above 0
            where they are further away than real ones.
        nearer: Probability that a sample is nearer than a held-out example, ties by half: 0.5 of
            samples that are like real examples.
        samples, held_out: Distances to the nearest training example, `[N]` and `[M]`.
    """

    z: float
    nearer: float
    samples: np.ndarray
    held_out: np.ndarray


def nearest_examples(samples: Any, data: Any, count: int = 1) -> Neighbours:
    """Finds the examples that are nearest to samples.

    Deterministic, exact, in memory for N samples and a few thousand examples at once. Of examples
    that are equally far, the first in the data comes first.

    Args:
        samples: `[N, *event]`.
        data: An array `[M, *event]`, a dict of fields with x, or batches of either; the first 1, 2,
            .. rows are numbered in its order.
        count: k, how many of each, at most M.

    Raises:
        UserError: for samples and examples of different shapes, or fewer than k examples.

    Example:
        >>> import numpy as np
        >>> found = nearest_examples(np.array([[0.9]]), np.array([[0.0], [1.0]]))
        >>> int(found.rows[0, 0])
        1
    """
    wanted = np.asarray(samples, np.float32)
    count = positive_int("count", count)
    flat = wanted.reshape(len(wanted), -1).astype(np.float64)
    squares = np.sum(flat**2, axis=1)[:, np.newaxis]
    best = np.full((len(wanted), count), np.inf)
    rows = np.full((len(wanted), count), -1)
    examples = np.zeros((len(wanted), count, *wanted.shape[1:]), np.float32)
    first = 0
    for part in _parts(data):
        if part.shape[1:] != wanted.shape[1:]:
            raise UserError(
                f"samples have shape {wanted.shape[1:]} and examples {part.shape[1:]}, without the "
                "first axis; expected the same."
            )
        x = part.reshape(len(part), -1).astype(np.float64)
        apart = np.maximum(squares - 2 * flat @ x.T + np.sum(x**2, axis=1), 0.0)
        both = np.concatenate([best, apart], axis=1)
        places = np.concatenate([rows, np.tile(first + np.arange(len(part)), (len(flat), 1))], 1)
        order = np.argsort(both, axis=1, kind="stable")[:, :count]
        best = np.take_along_axis(both, order, axis=1)
        examples = np.stack(
            [
                [examples[n, k] if k < count else part[k - count] for k in chosen]
                for n, chosen in enumerate(order)
            ]
        )
        rows = np.take_along_axis(places, order, axis=1)
        first += len(part)
    if first < count:
        raise UserError(f"count is {count} and the data have {first} examples.")
    apart = flat[:, np.newaxis] - examples.reshape(*rows.shape, -1).astype(np.float64)
    return Neighbours(np.linalg.norm(apart, axis=2), rows, examples)


def data_copying(samples: Any, train: Any, held_out: Any) -> DataCopying:
    """Tests whether samples lie nearer to the training examples than new examples do.

        U = #{(i, j): d(sample_i) < d(held_out_j)} + ties / 2,   nearer = U / (N M)
        z = -(U - N M / 2) / sqrt(N M (N + M + 1) / 12),         d the distance to the nearest
                                                                 training example

    A model that has memorised draws its training examples again: z far below 0. Blurred or odd
    samples lie far from everything: z far above 0. Take samples as the data are: draws of p(x|z)
    for data of bits (`model.emit`), not their means.

    Args:
        samples: `[N, *event]`.
        train: What the model learned, as in `nearest_examples`.
        held_out: As many as you like of what it did not.

    Raises:
        UserError: as `nearest_examples`.

    References:
        C. Meehan, K. Chaudhuri and S. Dasgupta, 2020, "A Non-Parametric Test to Detect Data-Copying
        in Generative Models", AISTATS, arXiv:2004.05675, section 2. Departure: one cell, which is
        the whole space, where the paper averages over the cells of a k-means.
    """
    others = np.concatenate(list(_parts(held_out)))
    ours = nearest_examples(samples, train).distances[:, 0]
    theirs = nearest_examples(others, train).distances[:, 0]
    # scipy's U counts pairs in which the first is greater.
    farther = float(scipy.stats.mannwhitneyu(ours, theirs).statistic)
    pairs = len(ours) * len(theirs)
    spread = math.sqrt(pairs * (len(ours) + len(theirs) + 1) / 12)
    return DataCopying((farther - pairs / 2) / spread, 1.0 - farther / pairs, ours, theirs)


def _parts(data: Any) -> Iterator[np.ndarray]:
    """x of the data, float32, a few thousand rows at once."""
    batches = data.as_numpy_iterator() if isinstance(data, tf.data.Dataset) else [data]
    for batch in batches:
        x = batch["x"] if isinstance(batch, Mapping) else batch
        values = np.asarray(x, np.float32)
        for first in range(0, len(values), _ROWS):
            yield values[first : first + _ROWS]
