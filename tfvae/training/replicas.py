"""Replicas of a `tf.distribute` strategy: which rows of the whole batch one of them has."""

from typing import Any, NamedTuple

import tensorflow as tf


class Rows(NamedTuple):
    """The rows of a batch that this replica has.

    Attributes:
        first: the place of its first row in the batch of all replicas.
        count: how many it has.
        share: their share of the batch: the weight of its mean in the mean over all.
    """

    first: Any
    count: Any
    share: Any


def own_rows(batch: Any) -> Rows:
    """Returns which rows a batch of this replica holds; all of them where there are no replicas.

    Args:
        batch: a tensor `[B, ...]` or a nest of such.
    """
    first = tf.nest.flatten(batch)[0]
    count = first.shape[0] if first.shape[0] is not None else tf.shape(first)[0]
    replica = tf.distribute.get_replica_context()
    # None where Keras only infers shapes, outside of all replicas.
    if replica is None or replica.num_replicas_in_sync == 1:
        return Rows(0, count, 1.0)
    counts = replica.all_gather(tf.reshape(count, [1]), axis=0)
    before = tf.range(replica.num_replicas_in_sync) < replica.replica_id_in_sync_group
    place = tf.reduce_sum(tf.where(before, counts, 0))
    share = tf.cast(count, tf.float32) / tf.cast(tf.reduce_sum(counts), tf.float32)
    return Rows(place, count, share)
