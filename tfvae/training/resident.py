"""Data that stay on the device: batches are picked, scaled and binarised inside a compiled step.

The batches are those of the `tf.data` pipeline of the same data set, bit for bit; only the place
where they are made differs. Per step of the shared MNIST network (batch 128, two cores) a pipeline
that makes them on the host takes as long as the step itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfvae.data import pipeline
from tfvae.data.catalogue import NONE
from tfvae.data.epochs import EpochCounter
from tfvae.data.fields import Fields
from tfvae.data.loaded import LoadedSet, Recipe
from tfvae.data.naming import by_name, is_bare
from tfvae.data.rows import Columns, Rows
from tfvae.training.keras_private import DataAdapter

LIMIT_BYTES = 1 << 30  # more than this is streamed: the device's memory belongs to the model


class ResidentData(DataAdapter):
    """A data set on the device, as Keras takes data. Iterating gives epochs.

    Args:
        recipe: how its batches are made; its columns are resident.
        from_array: whether the user passed arrays, which have no epochs of their own.
    """

    def __init__(self, recipe: Recipe, from_array: bool = False):
        self.recipe = recipe
        self.from_array = from_array

    def get_tf_dataset(self) -> "ResidentData":
        """Returns what Keras iterates over: one `ResidentEpoch` an epoch."""
        return self

    def __iter__(self) -> "ResidentEpoch":
        return ResidentEpoch(self)

    @property
    def num_batches(self) -> int:
        """Batches of an epoch."""
        return self.recipe.num_batches

    @property
    def batch_size(self) -> int:
        """Rows of a batch."""
        return self.recipe.batch_size

    @property
    def key(self) -> tuple[Any, ...]:
        """Data of equal keys make their batches by the same compiled program."""
        recipe = self.recipe
        columns = ((name, r.dtype, r.field.shape) for name, r in recipe.columns.rows.items())
        drawn = recipe.binarisation, recipe.levels, recipe.seed, recipe.derived, recipe.made
        return (
            drawn,
            recipe.batch_size,
            recipe.bare,
            len(recipe.columns),
            recipe.num_shown,
            *columns,
        )

    def columns(self) -> dict[str, tf.Tensor]:
        """All rows, as they are stored, on the device that computes."""
        return self.recipe.columns.on_device()

    def order(self, epoch: int) -> tf.Tensor:
        """int32 `[recipe.num_shown]`: the rows in the order of this epoch."""
        if self.recipe.epochs is None:
            return tf.range(len(self.recipe.columns))
        return tf.cast(pipeline.order(self.recipe, tf.constant(epoch, tf.int64)), tf.int32)

    def batch(
        self, columns: Mapping[str, tf.Tensor], order: Any, epoch: Any, number: Any, size: int
    ) -> Any:
        """Batch `number` of an epoch, of `size` rows, for XLA to compile into the step."""
        # Not tf.slice: XLA takes its begin for a constant, and compiles for every value.
        indices = tf.gather(order, number * self.batch_size + tf.range(size))
        stored = {name: tf.gather(column, indices) for name, column in columns.items()}
        return pipeline.batch(self.recipe, stored, indices, epoch, number)


class ResidentEpoch:
    """What is left of one epoch. Its order is drawn when its first batches are taken.

    Attributes:
        data: whose epoch it is.
        number: which epoch, once batches are taken.
        order: int32 `[recipe.num_shown]`, its order of the rows, likewise.
        taken: how many batches are.
    """

    def __init__(self, data: ResidentData):
        self.data = data
        self.taken = 0
        self.order = None

    def __iter__(self) -> "ResidentEpoch":
        return self

    def __next__(self) -> Any:
        for first, _, size in self.take(1):
            columns = self.data.columns()
            return self.data.batch(columns, self.order, self.number, first, size)
        raise StopIteration

    def take(self, count: int) -> Iterator[tuple[int, int, int]]:
        """The next `count` batches, fewer at the end: a run for each batch size.

        Yields:
            The number of the first batch of a run, how many there are, and the rows of each.
        """
        recipe, counter = self.data.recipe, self.data.recipe.epochs
        if self.order is None:
            self.number = 0 if counter is None else int(counter.current())
            self.order = self.data.order(self.number)
        first, end = self.taken, min(self.taken + count, recipe.num_batches)
        self.taken = end
        if counter is not None and end >= min(recipe.num_batches, pipeline.LOOK):
            counter.passed(self.number)
        whole = min(end, recipe.num_shown // recipe.batch_size)
        if whole > first:
            yield first, whole - first, recipe.batch_size
        if end > max(whole, first):
            yield whole, 1, recipe.num_shown - whole * recipe.batch_size


def on_device(
    x: Any, fields: Fields, batch_size: int | None, shuffled: bool, seed: int
) -> ResidentData | None:
    """Checked data as data on the device, or None where they are too large or of another kind.

    Args:
        x: as `checked_inputs` returned it.
        fields: what the model declares.
        batch_size: of arrays; 32 by default.
        shuffled: whether epochs of arrays are shuffled.
        seed: of that order.
    """
    if isinstance(x, LoadedSet):
        data = ResidentData(x.recipe)
    elif isinstance(x, np.ndarray) or (isinstance(x, dict) and len(x)):
        data = as_resident(x, fields, batch_size, shuffled, seed)
    else:
        return None
    columns = data.recipe.columns
    return data if columns.resident and columns.nbytes <= LIMIT_BYTES else None


def as_resident(
    x: Any, fields: Fields, batch_size: int | None, shuffled: bool, seed: int
) -> ResidentData:
    """Checked arrays with a recipe of their batches, however large; see `on_device`."""
    rows = {name: Rows(array, fields[name]) for name, array in by_name(x, fields, "x").items()}
    epochs = EpochCounter() if shuffled else None
    recipe = Recipe(Columns(rows), NONE, seed, batch_size or 32, bare=is_bare(x), epochs=epochs)
    return ResidentData(recipe, from_array=True)


def recipe_of(data: Any) -> Recipe | None:
    """How the batches of checked or placed data are made, or None where they do not say."""
    return data.recipe if isinstance(data, ResidentData | LoadedSet) else None


def first_rows(x: Any, batch_size: int | None) -> int | None:
    """How many rows the first batch of checked data has; None where that can't be known before.

    A `tf.data.Dataset` that does not say is asked for its first batch.

    Args:
        x: as `checked_inputs` returned it.
        batch_size: of arrays; 32 by default.
    """
    if isinstance(x, LoadedSet):
        return min(x.recipe.batch_size, x.recipe.num_shown)
    if isinstance(x, np.ndarray | dict):
        return min(batch_size or 32, num_rows(x))
    if isinstance(x, tf.data.Dataset):
        said = tf.nest.flatten(x.element_spec)[0].shape[0]
        return said or next((len(tf.nest.flatten(batch)[0]) for batch in x.take(1)), None)
    return len(tf.nest.flatten(x[0])[0]) if isinstance(x, keras.utils.PyDataset) else None


def num_rows(data: Any) -> int:
    """How many rows checked or placed data have, or 0 where they do not say."""
    if isinstance(data, ResidentData | LoadedSet):
        return len(data.recipe.columns)
    if isinstance(data, np.ndarray | dict):
        return len(tf.nest.flatten(data)[0])
    return 0
