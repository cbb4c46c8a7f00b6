"""Data that stay on the device: batches are picked, scaled and binarised inside a compiled step.

The batches are those of the `tf.data` pipeline of the same data set, bit for bit; only the place
where they are made differs. Per step of the shared MNIST network (batch 128, two cores) a pipeline
that makes them on the host takes as long as the step itself.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfvae.data import pipeline
from tfvae.data.catalogue import NONE
from tfvae.data.epochs import EpochCounter, Provenance, provenance
from tfvae.data.rows import Rows

LIMIT_BYTES = 1 << 30  # more than this is streamed: the device's memory belongs to the model


class Chunk(NamedTuple):
    """A run of batches of one epoch, all of one size.

    Attributes:
        order: int32 `[N]`, the epoch's order of the rows.
        epoch, first: which epoch, and the number of the first batch in it.
        count: how many batches.
        size: rows of each batch.
    """

    order: tf.Tensor
    epoch: int
    first: int
    count: int
    size: int


class ResidentBatches:
    """The batches of one data set. Iterating gives epochs; `images` is called inside the step.

    Args:
        source: how the data set was made; `source.rows` are resident.
        shuffled: whether epochs are shuffled, each differently.
        from_array: whether the user passed an array, which has no epochs of its own.
    """

    def __init__(self, source: Provenance, shuffled: bool, from_array: bool = False):
        self.source = source
        self.shuffled = shuffled
        self.from_array = from_array
        self.batch_size = source.batch_size
        self.num_batches = pipeline.num_batches(source)
        self.image_shape = source.rows.image_shape

    def __iter__(self) -> "ResidentEpoch":
        return ResidentEpoch(self)

    @property
    def recipe(self) -> tuple[Any, ...]:
        """Two data sets of equal recipe make their batches by the same compiled program."""
        source = self.source
        return (
            source.binarisation,
            source.seed,
            len(source.rows),
            self.image_shape,
            source.rows.dtype,
        )

    def pixels(self) -> tf.Tensor:
        """All rows, on the device that computes."""
        return self.source.rows.on_device()

    def order(self, epoch: int) -> tf.Tensor:
        """int32 `[N]`: the rows in the order of this epoch."""
        if self.shuffled:
            return tf.cast(pipeline.order(self.source, tf.constant(epoch, tf.int64)), tf.int32)
        return tf.range(len(self.source.rows))

    def images(self, pixels, order, epoch, number, size: int) -> tf.Tensor:
        """Batch `number` of an epoch, float32 `[size, H, W, C]`, for XLA to compile."""
        indices = tf.slice(order, [number * self.batch_size], [size])
        return pipeline.images(self.source, tf.gather(pixels, indices), indices, epoch, number)


class ResidentEpoch:
    """What is left of one epoch. Its order is drawn when its first batches are taken."""

    def __init__(self, batches: ResidentBatches):
        self.batches = batches
        self.taken = 0
        self._order = None

    def __iter__(self) -> "ResidentEpoch":
        return self

    def __next__(self) -> tf.Tensor:
        for chunk in self.take(1):
            pixels = self.batches.pixels()
            return self.batches.images(pixels, chunk.order, chunk.epoch, chunk.first, chunk.size)
        raise StopIteration

    def take(self, count: int) -> Iterator[Chunk]:
        """The next `count` batches, fewer at the end: one chunk for each batch size."""
        batches, counter = self.batches, self.batches.source.epochs
        if self._order is None:
            self._epoch = 0 if counter is None else int(counter.current())
            self._order = batches.order(self._epoch)
        first, end = self.taken, min(self.taken + count, batches.num_batches)
        self.taken = end
        if counter is not None and end >= min(batches.num_batches, pipeline.LOOK):
            counter.passed(self._epoch)
        whole = min(end, len(batches.source.rows) // batches.batch_size)
        if whole > first:
            yield Chunk(self._order, self._epoch, first, whole - first, batches.batch_size)
        if end > max(whole, first):
            rest = len(batches.source.rows) - whole * batches.batch_size
            yield Chunk(self._order, self._epoch, whole, 1, rest)


def resident(dataset: tf.data.Dataset) -> ResidentBatches | None:
    """The batches of a data set that `tfvae.data.load` made, if its pixels fit on the device."""
    source = provenance(dataset)
    if source is None or not source.rows.resident or source.rows.nbytes > LIMIT_BYTES:
        return None
    return ResidentBatches(source, shuffled=source.epochs is not None)


def resident_array(
    images: np.ndarray, batch_size: int, shuffled: bool, seed: int
) -> ResidentBatches | None:
    """The batches of an array `[N, H, W, C]` of floats in [0, 1], if it fits on the device."""
    rows = Rows(np.asarray(images, np.float32))
    if rows.nbytes > LIMIT_BYTES:
        return None
    epochs = EpochCounter() if shuffled else None
    source = Provenance(rows, NONE, seed, batch_size, epochs=epochs)
    return ResidentBatches(source, shuffled, from_array=True)
