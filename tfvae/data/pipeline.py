"""From rows to `tf.data` batches whose order and noise are functions of (seed, epoch) alone."""

from dataclasses import replace

import tensorflow as tf

from tfvae.data import binarisation as bits
from tfvae.data.catalogue import DYNAMIC, NONE, STATIC
from tfvae.data.epochs import FixedEpoch, Provenance, provenance
from tfvae.errors import UserTypeError

TEST_SEED = 1_000_003  # bits of every held-out set come from it, whatever the seed of the run
LOOK = 16  # an iteration that takes fewer batches than this, and not all, is a look, not an epoch
_PREFETCH = 4


def training_set(source: Provenance) -> tf.data.Dataset:
    """Shuffled batches; each full iteration shows the next epoch, from `source.epochs` on.

    Keras 3's `fit` makes more iterators than it uses (one after each epoch is dropped unread, one
    may be read once to build the model), so creating or peeking at an iterator counts for nothing:
    an epoch is over when its last batch, or its `LOOK`-th, has been handed out behind the prefetch.
    """
    counter, batches = source.epochs, num_batches(source)
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
        raise UserTypeError(
            f"at_epoch got {dataset!r}; expected a training set as tfvae.data.load returned it "
            "(what map, take or shuffle made of one no longer has epochs to choose from)."
        )
    chosen = _epoch_batches(source, tf.constant(epoch, tf.int64))
    chosen = chosen.map(lambda epoch, batch, images: images).prefetch(_PREFETCH)
    return _finish(chosen, replace(source, epochs=FixedEpoch(epoch)), num_batches(source))


def held_out_set(source: Provenance) -> tf.data.Dataset:
    """Batches in stored order, the same in every iteration."""
    size, count, rows = source.batch_size, len(source.rows), source.rows

    def batch(number):
        indices = tf.range(number * size, tf.minimum((number + 1) * size, count))
        return images(source, rows.gather(indices), indices, 0, number)

    batches = num_batches(source)
    dataset = tf.data.Dataset.range(batches).map(batch).prefetch(_PREFETCH)
    return _finish(dataset, source, batches)


def _epoch_batches(source: Provenance, epoch: tf.Tensor) -> tf.data.Dataset:
    """(epoch, batch number, images) for one epoch."""
    size, rows = source.batch_size, order(source, epoch)

    def batch(number):
        indices = rows[number * size : (number + 1) * size]
        pixels = source.rows.gather(indices)
        return epoch, number, images(source, pixels, indices, epoch, number)

    return tf.data.Dataset.range(num_batches(source)).map(batch)


def order(source: Provenance, epoch: tf.Tensor) -> tf.Tensor:
    """The row numbers in the order of one epoch, int64 `[N]`."""
    seed = tf.stack([tf.constant(source.seed, tf.int64), epoch])
    rows = tf.range(len(source.rows), dtype=tf.int64)
    return tf.random.experimental.stateless_shuffle(rows, seed=seed, alg="philox")


def images(source: Provenance, pixels, indices, epoch, number) -> tf.Tensor:
    """Scaled or binarised float32 images of one batch of an epoch; XLA compiles it."""
    if source.binarisation == DYNAMIC:
        batch = bits.draw_batch(pixels, source.seed, epoch, number)
    elif source.binarisation == STATIC:
        batch = bits.draw_by_row(pixels, indices, source.seed)
    else:
        batch = bits.scale(pixels)
    return tf.ensure_shape(batch, [_static_size(source), *source.rows.image_shape])


def frozen(source: Provenance) -> Provenance:
    """Draw static bits now where the rows are resident, so that no epoch pays for them."""
    if source.binarisation != STATIC or not source.rows.resident:
        return source
    rows = bits.freeze(source.rows, source.seed)
    return Provenance(
        rows, NONE, source.seed, source.batch_size, source.drop_remainder, source.epochs
    )


def num_batches(source: Provenance) -> int:
    """Batches of an epoch."""
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
