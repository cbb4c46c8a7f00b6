"""Parts of batches: the rows of each that every replica of a `tf.distribute` strategy has."""

from typing import Any

import tensorflow as tf

from tfvae.data import pipeline
from tfvae.training.keras_private import DataAdapter, get_data_adapter
from tfvae.training.resident import ResidentData

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


def _own_parts(batches: tf.data.Dataset, context: tf.distribute.InputContext) -> tf.data.Dataset:
    """The parts of the replicas of this process: for each batch one after the other."""
    replicas = context.num_replicas_in_sync
    own = replicas // context.num_input_pipelines
    first = context.input_pipeline_id * own

    def cut(*batch: Any) -> Any:
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
