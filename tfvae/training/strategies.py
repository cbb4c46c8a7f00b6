"""What runs around the steps of several replicas: their parts of a batch, and their results."""

import contextlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.data import pipeline
from tfvae.training.keras_private import DataAdapter, get_data_adapter
from tfvae.training.resident import ResidentData
from tfvae.training.steps import Steps

_OWN_SHARDS = (
    tf.data.experimental.AutoShardPolicy.OFF,
    tf.data.experimental.AutoShardPolicy.FILE,
)


class Parts(DataAdapter):
    """Batches, of each of which every replica has a part: consecutive rows, as many as the others.

    The first replicas have a row more where a batch does not divide, and the last none where it
    has fewer rows than there are replicas. Keras' own way concatenates batches and cuts them anew,
    so that one replica may get all rows of a small last batch.

    All workers have to make the same batches: data sets of `tfvae.data.load` and arrays do.

    Args:
        strategy: whose replicas.
        source: the batches, as Keras takes them.
    """

    def __init__(self, strategy: tf.distribute.Strategy, source: DataAdapter):
        self.source = source
        batches = source.get_tf_dataset()
        self._parts = strategy.distribute_datasets_from_function(
            lambda context: _own_parts(batches, context)
        )

    def get_tf_dataset(self) -> tf.distribute.DistributedDataset:
        """Returns what Keras iterates over."""
        return self._parts

    @property
    def num_batches(self) -> int | None:
        """Batches of an epoch."""
        return self.source.num_batches

    def on_epoch_begin(self) -> None:
        """Tells the source."""
        self.source.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tells the source."""
        self.source.on_epoch_end()


def parts(strategy: tf.distribute.Strategy, x: Any, shuffle: bool = False) -> Any:
    """Returns checked data as Keras takes them, each batch distributed to the replicas.

    What is distributed already, or has an `auto_shard_policy` that says that workers have batches
    of their own, is left to Keras.

    Args:
        strategy: whose replicas.
        x: `ResidentData`, whose batches are made on the host for once, or batches of any kind.
        shuffle: for Keras, which shuffles the batches of a `keras.utils.PyDataset`.
    """
    if isinstance(x, tf.distribute.DistributedDataset):
        return x
    if isinstance(x, ResidentData):
        make = pipeline.training_set if x.recipe.epochs else pipeline.held_out_set
        x = make(x.recipe)
    if not isinstance(x, tf.data.Dataset):
        return Parts(strategy, get_data_adapter(x, shuffle=shuffle))
    policy = x.options().experimental_distribute.auto_shard_policy
    return x if policy in _OWN_SHARDS else Parts(strategy, get_data_adapter(x))


def parts_of_batch(strategy: tf.distribute.Strategy, batch: Any) -> Any:
    """Returns the parts of one batch of arrays."""
    return strategy.experimental_distribute_values_from_function(
        lambda context: _part(batch, context.replica_id_in_sync_group, context.num_replicas_in_sync)
    )


class OnReplicas(Steps):
    """Keras' loops under a strategy; without one, they are Keras' own.

    Keras 3.15 reduces the logs of several workers along an axis that scalars do not have
    (keras-team/keras 20585), cannot run several steps at once on replicas, and builds a model from
    the mean over replicas of the first batch, which fails where their parts differ in size.
    """

    def _make_function(self, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Keras' hook: from a step to what runs `steps_per_execution` of them on an iterator."""
        strategy = self._distribute_strategy
        if strategy is None:
            return super()._make_function(step)

        def one(batch):
            logs = strategy.run(step, args=(batch,))  # the same on all replicas
            return tf.nest.map_structure(
                lambda log: strategy.experimental_local_results(log)[0], logs
            )

        run = self._graph(one)
        take = self._graph(lambda iterator: one(iterator.get_next()))

        def function(iterator):
            if not isinstance(iterator, tf.distribute.DistributedIterator):
                return run(next(iterator))
            logs = take(iterator)
            with contextlib.suppress(tf.errors.OutOfRangeError):  # the last execution is shorter
                for _ in range(self.steps_per_execution - 1):
                    logs = take(iterator)
            return logs

        return function

    def make_predict_function(self, force: bool = False) -> None:
        """Keras' hook: makes what predicts a list of batches, on each worker all rows in order."""
        strategy = self._distribute_strategy
        if strategy is None:
            super().make_predict_function(force)
            return
        if self.predict_function is not None and not force:
            return

        def predict(batches):
            outputs = [strategy.run(self.predict_step, args=(batch,)) for batch in batches]
            outputs = tf.nest.map_structure(lambda part: strategy.gather(part, axis=0), outputs)
            return tf.nest.map_structure(lambda *rows: tf.concat(rows, axis=0), *outputs)

        self.predict_function = self._graph(predict)

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Keras' hook: makes what is not made yet. The model is, from its fields."""
        if self._distribute_strategy is not None and not self.optimizer.built:
            with self._distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def _graph(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if self.run_eagerly:
            return function
        return tf.function(function, autograph=False, reduce_retracing=True)


def _own_parts(batches: tf.data.Dataset, context: tf.distribute.InputContext) -> tf.data.Dataset:
    """The parts of the replicas of this process: for each batch one after the other."""
    replicas = context.num_replicas_in_sync
    own = replicas // context.num_input_pipelines
    first = context.input_pipeline_id * own

    def cut(*batch):
        batch = batch[0] if len(batch) == 1 else batch
        numbers = tf.data.Dataset.range(first, first + own, output_type=tf.int32)
        return numbers.map(lambda number: _part(batch, number, replicas))

    return batches.flat_map(cut).prefetch(tf.data.AUTOTUNE)


def _part(batch: Any, number: Any, replicas: int) -> Any:
    """The rows of a batch that replica `number` has."""
    count = tf.shape(tf.nest.flatten(batch)[0])[0]
    each, more = count // replicas, count % replicas
    first = number * each + tf.minimum(number, more)
    size = each + tf.cast(number < more, tf.int32)
    return tf.nest.map_structure(lambda column: column[first : first + size], batch)
