"""Replicas of a `tf.distribute` strategy: which rows of a batch one has, and which one writes.

What they tell each other in a step is in `exchanges.py`, what runs around it in `strategies.py`.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import tensorflow as tf

from tfvae.replica import one_of_several


class ReplicaRows(NamedTuple):
    """The rows of a batch that this replica has.

    Attributes:
        first: the place of its first row in the batch of all replicas.
        count: how many it has; none, where the batch has fewer rows than there are replicas.
        share: their share of the batch: the weight of its mean in the mean over all.
        computed: how many it computes with; see `filled`.
    """

    first: Any
    count: Any
    share: Any
    computed: Any


_ROWS: ContextVar[ReplicaRows | None] = ContextVar("rows", default=None)


def own_rows(batch: Any) -> ReplicaRows:
    """Returns which rows a batch of this replica holds; all of them where there are no replicas.

    Args:
        batch: a tensor `[B, ...]` or a nest of such; not looked at within `step_on`.
    """
    known = _ROWS.get()
    if known is not None:
        return known
    count, replica = _count(batch), one_of_several()
    if replica is None:
        return ReplicaRows(0, count, 1.0, count)
    counts = replica.all_gather(tf.reshape(count, [1]), axis=0)
    before = tf.range(replica.num_replicas_in_sync) < replica.replica_id_in_sync_group
    place = tf.reduce_sum(tf.where(before, counts, 0))
    share = tf.cast(count, tf.float32) / tf.cast(tf.reduce_sum(counts), tf.float32)
    return ReplicaRows(place, count, share, tf.maximum(count, 1))


@contextlib.contextmanager
def step_on(batch: Any) -> Iterator[ReplicaRows]:
    """Yields the rows of this replica, which `own_rows` returns as long as the step lasts.

    Counting them is an exchange between replicas: one for a step is enough.
    """
    token = _ROWS.set(own_rows(batch))
    try:
        yield _ROWS.get()
    finally:
        _ROWS.reset(token)


def in_step() -> bool:
    """Whether a step of training or of testing is running, and not a call by somebody else."""
    return _ROWS.get() is not None


def filled(batch: Any) -> Any:
    """Returns a batch, or a row of zeros where this replica has none.

    Layers need not take empty batches: on a CPU, convolutions of TensorFlow 2.21 return them
    with the channels that they had, and the next one fails.
    """
    if one_of_several() is None:
        return batch
    missing = tf.cast(tf.equal(_count(batch), 0), tf.int32)
    # Not tf.pad: oneDNN merges it into a convolution that follows, which then is given no row.
    return tf.nest.map_structure(
        lambda rows: tf.concat([rows, tf.zeros([missing, *rows.shape[1:]], rows.dtype)], axis=0),
        batch,
    )


def unfilled(outputs: Any, batch: Any) -> Any:
    """Returns the rows of what was computed from a filled batch that are the batch's own."""
    if one_of_several() is None:
        return outputs
    return tf.nest.map_structure(lambda rows: rows[: _count(batch)], outputs)


def is_chief(strategy: tf.distribute.Strategy | None = None) -> bool:
    """Whether this process is the one that writes files: worker 0, or the only one.

    Args:
        strategy: the model's, `model.distribute_strategy`; by default the one in scope. A strategy
            that knows of no workers, or none, leaves it to `TF_CONFIG`.
    """
    strategy = strategy or tf.distribute.get_strategy()
    resolver = strategy.cluster_resolver or tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if resolver.task_type in (None, "", "chief"):
        return True
    has_chief = "chief" in resolver.cluster_spec().as_dict()
    return resolver.task_type == "worker" and resolver.task_id == 0 and not has_chief


def _count(batch: Any) -> Any:
    """The rows of a batch: a number, or a tensor where it is not known before."""
    first = tf.nest.flatten(batch)[0]
    return first.shape[0] if first.shape[0] is not None else tf.shape(first)[0]
