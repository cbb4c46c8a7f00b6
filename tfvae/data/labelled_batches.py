"""Batches each of which has as many rows with a label."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.few_labels import LABEL
from tfvae.data.fields import HOLE
from tfvae.data.rows import Columns
from tfvae.errors import UserError

_STREAM = 1407  # of the order of the rows with a label, apart from what else a seed decides


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledBatches:
    """Which rows have a label, and how many of them are in each batch.

    An epoch shows each row without a label once, and fills the last batch with those that it showed
    first. The rows with a label go round, in a fresh order each time: of a batch's n each is any of
    them with the same probability.

    Attributes:
        labelled: numbers of the rows with a label, int64 `[N_l]`.
        others: of those without, int64 `[N_u]`.
        count: n, rows with a label in each batch; they come first in it.
    """

    labelled: np.ndarray
    others: np.ndarray
    count: int

    def num_batches(self, batch_size: int) -> int:
        """Batches of an epoch, all of `batch_size` rows."""
        return -(-len(self.others) // (batch_size - self.count))

    def order(self, seed: int, epoch: tf.Tensor, num_batches: int, batch_size: int) -> tf.Tensor:
        """The numbers of an epoch's rows, batch after batch, int64 `[num_batches * batch_size]`.

        Args:
            seed: with the epoch, all that decides it.
            epoch: int64.
            num_batches: of the epoch.
            batch_size: rows of each.
        """
        few, many = num_batches * self.count, num_batches * (batch_size - self.count)
        rounds = -(-few // len(self.labelled))
        own, shared = (tf.stack([tf.constant(s, tf.int64), epoch]) for s in (seed + _STREAM, seed))
        turns = tf.random.stateless_uniform([rounds, len(self.labelled)], own, alg="philox")
        turns = tf.reshape(tf.argsort(turns, stable=True), [-1])
        labelled = tf.gather(self.labelled, turns[:few])
        others = tf.random.experimental.stateless_shuffle(self.others, seed=shared, alg="philox")
        others = tf.gather(others, tf.range(many) % len(self.others))
        parts = [tf.reshape(part, [num_batches, -1]) for part in (labelled, others)]
        return tf.reshape(tf.concat(parts, axis=1), [-1])


def labelled_batches(columns: Columns, count: int, batch_size: int, source: Any) -> LabelledBatches:
    """So many rows with a label in each batch.

    Args:
        columns: with a column "label".
        count: from 1 to batch_size - 1.
        batch_size: rows of a batch.
        source: what messages call the data.

    Raises:
        UserError: without labels, where all rows have one or none has, and for a batch without
            room for both.
    """
    rows = columns.rows.get(LABEL)
    known = None if rows is None else rows.read(np.arange(len(rows))) != HOLE
    if known is None or known.all() or not known.any():
        found = "no column label is loaded" if known is None else (
            f"{int(known.sum()):,} of {len(known):,} training examples have one"
        )  # fmt: skip
        raise UserError(
            f"labelled_per_batch={count} is for data of which some examples have a label and some "
            f"have none; of {source} {found}. Leave it out, or keep few labels: "
            'labels=100, fields=("x", "label").'
        )
    if count >= batch_size:
        raise UserError(
            f"labelled_per_batch={count} and batch_size={batch_size}: expected fewer rows with a "
            "label than a batch has, so that some without are in it."
        )
    return LabelledBatches(np.flatnonzero(known), np.flatnonzero(~known), count)
