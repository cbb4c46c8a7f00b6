import gc

import keras
import numpy as np
import pytest

from tfvae.data import at_epoch, load


def epoch(dataset):
    return [batch.numpy() for batch in dataset]


def same(left, right):
    return len(left) == len(right) and all(
        a.shape == b.shape and np.array_equal(a, b) for a, b in zip(left, right, strict=True)
    )


@pytest.mark.parametrize("binarisation", ["dynamic", "static", "none"])
def test_a_resumed_run_sees_what_it_would_have_seen(binarisation):
    options = {"batch_size": 100, "binarisation": binarisation, "seed": 7}
    fresh, _ = load("digits", **options)
    epochs = [epoch(fresh) for _ in range(5)]
    resumed, _ = load("digits", **options, first_epoch=3)
    assert same(epoch(resumed), epochs[3])
    assert same(epoch(resumed), epochs[4])
    assert not same(epochs[2], epochs[3])


def test_the_seed_decides_order_and_noise():
    first, again, other = (epoch(load("digits", seed=seed)[0]) for seed in (1, 1, 2))
    assert same(first, again)
    assert not same(first, other)


def test_an_epoch_shows_every_image_once():
    train, _ = load("digits", binarisation="none", batch_size=100)
    shown = np.concatenate(epoch(train))
    assert shown.shape == (1438, 8, 8, 1)
    stored = train.recipe.columns.read()["x"]

    def ordered(images):
        flat = images.reshape(len(images), -1)
        return flat[np.lexsort(flat.T)]

    assert not np.array_equal(shown, stored)
    np.testing.assert_array_equal(ordered(shown), ordered(stored))


def test_dynamic_bits_are_fresh_in_every_epoch_and_static_ones_are_not():
    for binarisation, fresh in (("dynamic", True), ("static", False)):
        train, _ = load("digits", binarisation=binarisation, batch_size=1438)
        sums = [np.sort(epoch(train)[0].sum(axis=(1, 2, 3))) for _ in range(2)]
        assert np.array_equal(*sums) != fresh


def test_a_look_does_not_use_up_an_epoch():
    train, _ = load("digits")
    expected = epoch(at_epoch(train, 0))
    for _ in range(3):
        next(iter(train))
    iter(train)
    assert len(list(train.take(4))) == 4
    assert same(epoch(train), expected)
    assert not same(epoch(train), expected)


def test_a_long_capped_iteration_is_an_epoch():
    train, _ = load("digits", batch_size=32)  # 45 batches
    assert not same(epoch(train.take(20)), epoch(train.take(20)))


def test_at_epoch_shows_one_epoch_for_ever():
    train, test = load("digits")
    third = at_epoch(train, 3)
    assert third.cardinality() == 12
    assert same(epoch(third), epoch(third))
    for _ in range(3):
        epoch(train)
    assert same(epoch(third), epoch(train))
    with pytest.raises(TypeError, match="as tfvae\\.data\\.load returned it"):
        at_epoch(train.take(2), 0)
    with pytest.raises(TypeError, match="at_epoch got"):
        at_epoch(test, 0)


def test_an_iterator_outlives_the_name_of_its_data_set():
    iterator = iter(load("digits")[0])
    gc.collect()
    assert next(iterator).shape == (128, 8, 8, 1)


class Recorder(keras.Model):
    """Sums the pixels it was shown, weighted so that order matters, epoch by epoch."""

    def __init__(self):
        super().__init__()
        self.shown = self.add_weight(shape=(), initializer="zeros", trainable=False, name="shown")
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, images):
        batch = keras.ops.mean(images)
        self.shown.assign(self.shown * 0.9 + batch)
        self.add_loss(self.scale * batch)
        return images


def fit(first_epoch, epochs, batch_size, **options):
    """`shown` at the end of every epoch, from 0, of a plain Keras model."""
    steps = options.pop("steps_per_execution", 1)
    train, test = load("digits", batch_size=batch_size, first_epoch=first_epoch)
    model, shown = Recorder(), []

    class Note(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            model.shown.assign(0.0)

        def on_epoch_end(self, epoch, logs=None):
            shown.append(float(model.shown))

    model.compile(optimizer="sgd", steps_per_execution=steps, jit_compile=False)
    model.fit(
        train,
        epochs=epochs,
        initial_epoch=first_epoch,
        validation_data=test,
        callbacks=[Note()],
        shuffle=False,
        verbose=0,
        **options,
    )
    return shown


@pytest.mark.parametrize(("batch_size", "steps"), [(128, 1), (128, 5), (1000, 50), (2000, 1)])
def test_fit_shows_one_epoch_after_the_other(batch_size, steps):
    whole = fit(0, 4, batch_size, steps_per_execution=steps)
    assert len(set(whole)) == 4
    assert fit(2, 4, batch_size, steps_per_execution=steps) == whole[2:]


def test_fit_with_steps_per_epoch_goes_on_where_it_stopped():
    # 12 batches of one epoch in two halves: together they are the images of one whole epoch.
    halves = fit(0, 4, 128, steps_per_epoch=6)
    assert len(set(halves)) == 4
