"""From columns to `tf.data` batches whose order and noise are functions of (seed, epoch) alone."""

from dataclasses import replace
from typing import Any

import tensorflow as tf

from tfvae.data import binarisation as bits
from tfvae.data.catalogue import DYNAMIC, NONE, STATIC
from tfvae.data.dequantising import dequantised
from tfvae.data.epochs import FixedEpoch
from tfvae.data.loaded import LoadedSet, Recipe
from tfvae.errors import UserTypeError

TEST_SEED = 1_000_003  # bits of every held-out set come from it, whatever the seed of the run
LOOK = 16  # an iteration that takes fewer batches than this, and not all, is a look, not an epoch
_PREFETCH = 4


def training_set(recipe: Recipe) -> LoadedSet:
    """Shuffled batches; each full iteration shows the next epoch, from `recipe.epochs` on.

    Keras 3's `fit` makes more iterators than it uses (one after each epoch is dropped unread, one
    may be read once to build the model), so creating or peeking at an iterator counts for nothing:
    an epoch is over when its last batch, or its `LOOK`-th, has been handed out behind the prefetch.
    """
    counter, mark = recipe.epochs, min(recipe.num_batches, LOOK) - 1

    def commit(epoch: Any, number: Any, examples: Any) -> Any:
        noted = tf.cond(
            tf.equal(number, mark),
            lambda: tf.numpy_function(counter.passed, [epoch], tf.int64),
            lambda: epoch,
        )
        with tf.control_dependencies([noted]):
            return tf.nest.map_structure(tf.identity, examples)

    dataset = tf.data.Dataset.range(1).map(
        lambda _: tf.numpy_function(counter.current, [], tf.int64)
    )
    dataset = dataset.flat_map(lambda epoch: _epoch_batches(recipe, tf.ensure_shape(epoch, [])))
    return LoadedSet(dataset.prefetch(_PREFETCH).map(commit), recipe)


def at_epoch(dataset: tf.data.Dataset, epoch: int) -> tf.data.Dataset:
    """A training set that shows the batches of one epoch, the same in every iteration.

    Args:
        dataset: a training set of `tfvae.data.load`.
        epoch: from 0.
    """
    if not isinstance(dataset, LoadedSet) or dataset.recipe.epochs is None:
        raise UserTypeError(
            f"at_epoch got {dataset!r}; expected a training set as tfvae.data.load returned it "
            "(what map, take or shuffle made of one no longer has epochs to choose from)."
        )
    chosen = _epoch_batches(dataset.recipe, tf.constant(epoch, tf.int64))
    chosen = chosen.map(lambda epoch, number, examples: examples).prefetch(_PREFETCH)
    return LoadedSet(chosen, replace(dataset.recipe, epochs=FixedEpoch(epoch)))


def held_out_set(recipe: Recipe) -> LoadedSet:
    """Batches in stored order, the same in every iteration."""
    size, count = recipe.batch_size, len(recipe.columns)

    def numbered(number: Any) -> Any:
        indices = tf.range(number * size, tf.minimum((number + 1) * size, count))
        return batch(recipe, recipe.columns.gather(indices), indices, 0, number)

    return LoadedSet(
        tf.data.Dataset.range(recipe.num_batches).map(numbered).prefetch(_PREFETCH), recipe
    )


def _epoch_batches(recipe: Recipe, epoch: tf.Tensor) -> tf.data.Dataset:
    """(epoch, batch number, batch) for one epoch."""
    size, rows = recipe.batch_size, order(recipe, epoch)

    def numbered(number: Any) -> Any:
        indices = rows[number * size : (number + 1) * size]
        examples = recipe.columns.gather(indices)
        return epoch, number, batch(recipe, examples, indices, epoch, number)

    return tf.data.Dataset.range(recipe.num_batches).map(numbered)


def order(recipe: Recipe, epoch: tf.Tensor) -> tf.Tensor:
    """The row numbers in the order of one epoch, int64 `[recipe.num_shown]`."""
    if recipe.labelled is not None:
        return recipe.labelled.order(recipe.seed, epoch, recipe.num_batches, recipe.batch_size)
    seed = tf.stack([tf.constant(recipe.seed, tf.int64), epoch])
    rows = tf.range(len(recipe.columns), dtype=tf.int64)
    return tf.random.experimental.stateless_shuffle(rows, seed=seed, alg="philox")


def batch(
    recipe: Recipe, stored: dict[str, tf.Tensor], indices: Any, epoch: Any, number: Any
) -> Any:
    """One batch of an epoch as models take it, of rows as they are stored; XLA compiles it.

    Returns:
        The tensor of the only column where the recipe says so, else a dict by name. Bytes are
        scaled, the column x is binarised or dequantised, and further columns are made of it.
    """
    made = {}
    for name, rows in recipe.columns.rows.items():
        if name == "x" and recipe.levels is not None:
            values = dequantised(stored[name], recipe.levels, recipe.seed, epoch, indices)
        else:
            binarisation = recipe.binarisation if name == "x" else NONE
            values = _binarised(binarisation, recipe.seed, stored[name], indices, epoch, number)
        made[name] = tf.ensure_shape(values, [recipe.static_size, *rows.field.shape])
    if recipe.derived is not None and recipe.made:
        parts = recipe.derived.columns(made["x"])
        made |= {name: parts[name] for name in recipe.made}
    return next(iter(made.values())) if recipe.bare else made


def _binarised(
    binarisation: str, seed: int, values: tf.Tensor, indices: Any, epoch: Any, number: Any
) -> tf.Tensor:
    if binarisation == DYNAMIC:
        return bits.draw_batch(values, seed, epoch, number)
    if binarisation == STATIC:
        return bits.draw_by_row(values, indices, seed)
    return bits.scale(values)


def frozen(recipe: Recipe) -> Recipe:
    """Draw static bits now where x is resident, so that no epoch pays for them."""
    x = recipe.columns.rows.get("x")
    if recipe.binarisation != STATIC or x is None or not x.resident:
        return recipe
    columns = recipe.columns.replaced(x=bits.freeze(x, recipe.seed))
    return replace(recipe, columns=columns, binarisation=NONE, drawn=True)
