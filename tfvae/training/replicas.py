"""Replicas of a `tf.distribute` strategy: which rows one has, and what they have in common.

All of this runs in a step, on each replica. What runs around a step is in `strategies.py`.
"""

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import keras
import tensorflow as tf


class Rows(NamedTuple):
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


_ROWS: ContextVar[Rows | None] = ContextVar("rows", default=None)


def own_rows(batch: Any) -> Rows:
    """Returns which rows a batch of this replica holds; all of them where there are no replicas.

    Args:
        batch: a tensor `[B, ...]` or a nest of such; not looked at within `step_on`.
    """
    known = _ROWS.get()
    if known is not None:
        return known
    count, replica = _count(batch), _one_of_several()
    if replica is None:
        return Rows(0, count, 1.0, count)
    counts = replica.all_gather(tf.reshape(count, [1]), axis=0)
    before = tf.range(replica.num_replicas_in_sync) < replica.replica_id_in_sync_group
    place = tf.reduce_sum(tf.where(before, counts, 0))
    share = tf.cast(count, tf.float32) / tf.cast(tf.reduce_sum(counts), tf.float32)
    return Rows(place, count, share, tf.maximum(count, 1))


def filled(batch: Any) -> Any:
    """Returns a batch, or a row of zeros where this replica has none.

    Layers need not take empty batches: on a CPU, convolutions of TensorFlow 2.21 return them
    with the channels that they had, and the next one fails.
    """
    if _one_of_several() is None:
        return batch
    missing = tf.cast(tf.equal(_count(batch), 0), tf.int32)
    # Not tf.pad: oneDNN merges it into a convolution that follows, which then is given no row.
    return tf.nest.map_structure(
        lambda rows: tf.concat([rows, tf.zeros([missing, *rows.shape[1:]], rows.dtype)], axis=0),
        batch,
    )


def unfilled(outputs: Any, batch: Any) -> Any:
    """Returns the rows of what was computed from a filled batch that are the batch's own."""
    if _one_of_several() is None:
        return outputs
    return tf.nest.map_structure(lambda rows: rows[: _count(batch)], outputs)


@contextlib.contextmanager
def step_on(batch: Any) -> Iterator[Rows]:
    """Yields the rows of this replica, which `own_rows` returns as long as the step lasts.

    Counting them is an exchange between replicas: one for a step is enough.
    """
    token = _ROWS.set(own_rows(batch))
    try:
        yield _ROWS.get()
    finally:
        _ROWS.reset(token)


@contextlib.contextmanager
def same_state(model: keras.Model, rows: Rows) -> Iterator[None]:
    """Gives all replicas the same state after a step as before it.

    What layers change by themselves, such as the moving statistics of BatchNormalization, changes
    by the mean over replicas of their changes, weighted with their rows. What metrics have counted
    stays as it was where there was no row to count.
    """
    if _one_of_several() is None:
        yield
        return
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    # A sum of changes, not of values: what did not change stays the same to the last bit.
    weights = [w for w in model.non_trainable_weights if tf.as_dtype(w.dtype).is_floating]
    before = [tf.identity(variable.value) for variable in (*metrics, *weights)]
    yield
    for variable, old in zip(metrics, before, strict=False):
        variable.value.assign(tf.where(rows.count > 0, variable.value, old))
    old = before[len(metrics) :]
    changes = [w.value - value for w, value in zip(weights, old, strict=True)]
    for weight, value, change in zip(weights, old, mean(changes, rows), strict=True):
        weight.value.assign(value + change)


def mean(values: Sequence[tf.Tensor], rows: Rows) -> Sequence[tf.Tensor]:
    """Returns the means over replicas of tensors, weighted with the rows of each."""
    if not values:
        return values
    parts = [value * tf.cast(rows.share, value.dtype) for value in values]
    return _one_of_several().all_reduce("SUM", unless_empty(parts, rows))


def unless_empty(values: Sequence[Any], rows: Rows) -> list[Any]:
    """Returns the tensors, or zeros where this replica has no row: it computes with one of zeros.

    Args:
        values: tensors, `tf.IndexedSlices` (the gradients of embeddings) or None.
        rows: of this replica.
    """
    if _one_of_several() is None:
        return list(values)
    # Chosen, not multiplied: a row of zeros may have no density, and 0 * nan is nan.
    return [_map(lambda v: tf.where(rows.count > 0, v, tf.zeros_like(v)), v) for v in values]


def clipped(optimizer: keras.optimizers.Optimizer, gradients: Sequence[Any]) -> Sequence[Any]:
    """Returns a replica's part of the gradients, clipped as those of the whole batch are.

    Optimizers of Keras 3.15 clip before they sum over replicas. A part of what is clipped here is
    smaller than their limit.

    Args:
        optimizer: whose limits.
        gradients: of the replica's own rows: tensors, `tf.IndexedSlices` or None.
    """
    replica = _one_of_several()
    limits = optimizer.clipnorm, optimizer.global_clipnorm, optimizer.clipvalue
    if replica is None or not any(limits):
        return gradients
    present = [gradient for gradient in gradients if gradient is not None]
    whole = optimizer._clip_gradients(replica.all_reduce("SUM", present))
    parts = iter(_map(lambda v: v / replica.num_replicas_in_sync, v) for v in whole)
    return [None if gradient is None else next(parts) for gradient in gradients]


def _count(batch: Any) -> Any:
    """The rows of a batch: a number, or a tensor where it is not known before."""
    first = tf.nest.flatten(batch)[0]
    return first.shape[0] if first.shape[0] is not None else tf.shape(first)[0]


def _map(function: Any, value: Any) -> Any:
    """What a function makes of a tensor, of the values of slices, or of None."""
    if isinstance(value, tf.IndexedSlices):
        return tf.IndexedSlices(function(value.values), value.indices, value.dense_shape)
    return None if value is None else function(value)


@contextlib.contextmanager
def all_counted(metrics: Sequence[keras.metrics.Metric]) -> Iterator[None]:
    """Within, metrics have the sums over all replicas for their variables, on each replica."""
    replica = _one_of_several()
    variables = [variable for metric in metrics for variable in metric.variables]
    if replica is None or not variables:
        yield
        return
    sums = replica.all_reduce("SUM", [tf.identity(variable.value) for variable in variables])
    with keras.StatelessScope(state_mapping=list(zip(variables, sums, strict=True))):
        yield


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


def _one_of_several() -> tf.distribute.ReplicaContext | None:
    """The context of this replica; None where it is alone, or Keras only infers shapes."""
    replica = tf.distribute.get_replica_context()
    return replica if replica is not None and replica.num_replicas_in_sync > 1 else None
