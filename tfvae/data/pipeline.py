"""From rows to `tf.data` batches whose order and noise are functions of (seed, epoch) alone."""

from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from tfvae.data import binarisation as bits
from tfvae.data.catalogue import DYNAMIC, NONE, STATIC
from tfvae.data.images import Rows

TEST_SEED = 1_000_003  # bits of every held-out set come from it, whatever the seed of the run
LOOK = 16  # an iteration that takes fewer batches than this, and not all, is a look, not an epoch
_PREFETCH = 4


@dataclass
class EpochCounter:
    """Which epoch the next iteration of a training set shows. Lives in Python, shared by iterators."""

    value: int = 0

    def current(self) -> np.int64:
        """The epoch that an iteration which starts now shows."""
        return np.int64(self.value)

    def passed(self, epoch: np.int64) -> np.int64:
        """Note that an iteration of this epoch was more than a look."""
        self.value = max(self.value, int(epoch) + 1)
        return np.int64(self.value)


@dataclass(frozen=True)
class Provenance:
    """How a data set of this package was made; absent on what a user derives from it with `map`."""

    rows: Rows
    binarisation: str
    seed: int
    batch_size: int
    drop_remainder: bool = False
    epochs: EpochCounter | None = field(default=None, compare=False)


def provenance(dataset) -> Provenance | None:
    """How `tfvae.data` made this very data set, or None for any other object."""
    return getattr(dataset, "_tfvae_provenance", None)


def training_set(source: Provenance) -> tf.data.Dataset:
    """Shuffled batches. Each full iteration shows the epoch that `source.epochs` names, then the next.

    Keras 3's `fit` makes more iterators than it uses (one after each epoch is dropped unread, one
    may be read once to build the model), so creating or peeking at an iterator counts for nothing:
    an epoch is over when its last batch, or its `LOOK`-th, has been handed out behind the prefetch.
    """
    counter, batches = source.epochs, _num_batches(source)
    mark = min(batches, LOOK) - 1

    def commit(epoch, batch, images):
        noted = tf.cond(
            tf.equal(batch, mark),
            lambda: tf.numpy_function(counter.passed, [epoch], tf.int64),
            lambda: epoch,
        )
        with tf.control_dependencies([noted]):
            return tf.identity(images)

    dataset = tf.data.Dataset.range(1).map(
        lambda _: tf.numpy_function(counter.current, [], tf.int64)
    )
    dataset = dataset.flat_map(lambda epoch: _epoch_batches(source, tf.ensure_shape(epoch, [])))
    dataset = dataset.prefetch(_PREFETCH).map(commit)
    return _finish(dataset, source, batches)


def at_epoch(dataset: tf.data.Dataset, epoch: int) -> tf.data.Dataset:
    """A training set that shows the batches of one epoch, the same in every iteration.

    Args:
        dataset: a training set of `tfvae.data.load`.
        epoch: from 0.
    """
    source = provenance(dataset)
    if source is None or source.epochs is None:
        raise TypeError(
            f"at_epoch got {dataset!r}; expected a training set as tfvae.data.load returned it "
            "(what map, take or shuffle made of one no longer has epochs to choose from)."
        )
    chosen = _epoch_batches(source, tf.constant(epoch, tf.int64))
    chosen = chosen.map(lambda epoch, batch, images: images).prefetch(_PREFETCH)
    return _finish(chosen, source, _num_batches(source))


def held_out_set(source: Provenance) -> tf.data.Dataset:
    """Batches in stored order, the same in every iteration."""
    size, count, rows = source.batch_size, len(source.rows), source.rows

    def batch(number):
        indices = tf.range(number * size, tf.minimum((number + 1) * size, count))
        return _images(source, rows.gather(indices), indices, None)

    batches = _num_batches(source)
    dataset = tf.data.Dataset.range(batches).map(batch).prefetch(_PREFETCH)
    return _finish(dataset, source, batches)


def _epoch_batches(source: Provenance, epoch: tf.Tensor) -> tf.data.Dataset:
    """(epoch, batch number, images) for one epoch."""
    size, count = source.batch_size, len(source.rows)
    order = tf.random.experimental.stateless_shuffle(
        tf.range(count, dtype=tf.int64), seed=_key(source, epoch, 0), alg="philox"
    )

    def batch(number):
        indices = order[number * size : (number + 1) * size]
        pixels = source.rows.gather(indices)
        return epoch, number, _images(source, pixels, indices, _key(source, epoch, number + 1))

    return tf.data.Dataset.range(_num_batches(source)).map(batch)


def _images(source: Provenance, pixels, indices, key) -> tf.Tensor:
    """Scaled or binarised float32 images of one batch."""
    if source.binarisation == DYNAMIC:
        images = bits.draw(pixels, key)
    elif source.binarisation == STATIC:
        images = bits.draw_by_row(pixels, indices, source.seed)
    else:
        images = bits.scale(pixels)
    return tf.ensure_shape(images, [_static_size(source), *source.rows.image_shape])


def frozen(source: Provenance) -> Provenance:
    """Draw static bits now where the rows are resident, so that no epoch pays for them."""
    if source.binarisation != STATIC or not source.rows.resident:
        return source
    rows = bits.freeze(source.rows, source.seed)
    return Provenance(
        rows, NONE, source.seed, source.batch_size, source.drop_remainder, source.epochs
    )


def _key(source: Provenance, epoch: tf.Tensor, stream) -> tf.Tensor:
    """Seed of a stream of an epoch: stream 0 shuffles, stream b + 1 draws the bits of batch b."""
    return tf.stack([tf.constant(source.seed, tf.int64), epoch * 2**32 + stream])


def _num_batches(source: Provenance) -> int:
    whole, rest = divmod(len(source.rows), source.batch_size)
    return whole + (1 if rest and not source.drop_remainder else 0)


def _static_size(source: Provenance) -> int | None:
    """The batch axis where every batch has one size, else None."""
    uneven = len(source.rows) % source.batch_size and not source.drop_remainder
    return None if uneven else source.batch_size


def _finish(dataset: tf.data.Dataset, source: Provenance, batches: int) -> tf.data.Dataset:
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(batches))
    dataset._tfvae_provenance = source
    return dataset
