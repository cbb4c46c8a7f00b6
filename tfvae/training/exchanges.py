"""What replicas of a `tf.distribute` strategy tell each other in a step, to stay alike."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.replica import one_of_several
from tfvae.training.replicas import ReplicaRows


@contextlib.contextmanager
def same_state(model: keras.Model, rows: ReplicaRows) -> Iterator[None]:
    """Gives all replicas the same state after a step as before it.

    What layers change by themselves, such as the moving statistics of BatchNormalization, changes
    by the mean over replicas of their changes, weighted with their rows. What metrics have counted
    stays as it was where there was no row to count.
    """
    if one_of_several() is None:
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
    for weight, value, change in zip(weights, old, mean_over_replicas(changes, rows), strict=True):
        weight.value.assign(value + change)


def mean_over_replicas(values: Sequence[tf.Tensor], rows: ReplicaRows) -> Sequence[tf.Tensor]:
    """Returns the means over replicas of tensors, weighted with the rows of each."""
    if not values:
        return values
    parts = [value * tf.cast(rows.share, value.dtype) for value in values]
    return one_of_several().all_reduce("SUM", unless_empty(parts, rows))


def unless_empty(values: Sequence[Any], rows: ReplicaRows) -> list[Any]:
    """Returns the tensors, or zeros where this replica has no row: it computes with one of zeros.

    Args:
        values: tensors, `tf.IndexedSlices` (the gradients of embeddings) or None.
        rows: of this replica.
    """
    if one_of_several() is None:
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
    replica = one_of_several()
    limits = optimizer.clipnorm, optimizer.global_clipnorm, optimizer.clipvalue
    if replica is None or not any(limits):
        return gradients
    present = [gradient for gradient in gradients if gradient is not None]
    whole = optimizer._clip_gradients(replica.all_reduce("SUM", present))
    parts = iter(_map(lambda v: v / replica.num_replicas_in_sync, v) for v in whole)
    return [None if gradient is None else next(parts) for gradient in gradients]


@contextlib.contextmanager
def all_counted(metrics: Sequence[keras.metrics.Metric]) -> Iterator[None]:
    """Within, metrics have the sums over all replicas for their variables, on each replica."""
    replica = one_of_several()
    variables = [variable for metric in metrics for variable in metric.variables]
    if replica is None or not variables:
        yield
        return
    sums = replica.all_reduce("SUM", [tf.identity(variable.value) for variable in variables])
    with keras.StatelessScope(state_mapping=list(zip(variables, sums, strict=True))):
        yield


def _map(function: Callable[[Any], Any], value: Any) -> Any:
    """What a function makes of a tensor, of the values of slices, or of None."""
    if isinstance(value, tf.IndexedSlices):
        return tf.IndexedSlices(function(value.values), value.indices, value.dense_shape)
    return None if value is None else function(value)
