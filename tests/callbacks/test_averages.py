"""Averages of weights, by NumPy."""

import keras
import numpy as np
import pytest

import tfvae
from tests.models.tiny import IMAGES
from tfvae import callbacks, heads, networks
from tfvae.errors import UserError
from tfvae.training.averages import swap_averages

DECAY, STEPS = 0.8, 6


def compiled(**options):
    keras.utils.set_random_seed(1)
    model = tfvae.VAE(
        tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli(IMAGES.shape[1:])),
        seed=3,
    )
    model.build((None, *IMAGES.shape[1:]))
    model.compile(keras.optimizers.Adam(0.05, **options), jit_compile=False)
    return model


class Kept(keras.callbacks.Callback):
    """Keeps the weights after each epoch, and those that the validation data met."""

    def __init__(self):
        super().__init__()
        self.trained, self.evaluated = [], []

    def weights(self):
        return [w.numpy() for w in self.model.trainable_weights]

    def on_epoch_end(self, epoch, logs=None):
        self.trained.append(self.weights())

    def on_test_begin(self, logs=None):
        self.evaluated.append(self.weights())


def test_a_training_ends_with_the_averages_and_evaluates_them():
    """One batch, and so one step, an epoch."""
    kept, plain, size = Kept(), Kept(), len(IMAGES)
    model = compiled(use_ema=True, ema_momentum=DECAY)
    own = [callbacks.AveragedWeights(), kept]
    options = {"batch_size": size, "epochs": STEPS, "validation_data": IMAGES, "verbose": 0}
    model.fit(IMAGES, callbacks=own, **options)
    compiled().fit(IMAGES, callbacks=[plain], **options)
    average = plain.trained[0]
    for step in range(STEPS):
        average = [
            DECAY * a + (1 - DECAY) * w for a, w in zip(average, plain.trained[step], strict=True)
        ]
        for found, expected in zip(kept.evaluated[step], average, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    for found, expected in zip(kept.trained[-1], plain.trained[-1], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    for weight, expected in zip(model.trainable_weights, average, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-6)
    assert not np.allclose(model.trainable_weights[0], kept.trained[-1][0])


def test_swapping_twice_is_nothing():
    model = compiled(use_ema=True)
    model.fit(IMAGES, epochs=2, verbose=0)
    swap_averages(model)
    before = [w.numpy() for w in model.weights]
    swap_averages(model)
    assert not np.array_equal(model.trainable_weights[0], before[0])
    swap_averages(model)
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_before_the_first_step_there_are_no_averages():
    model = compiled(use_ema=True)
    before = [w.numpy() for w in model.weights]
    with pytest.raises(UserError, match="has made no step") as found:
        model.evaluate(IMAGES, callbacks=[callbacks.AveragedWeights()], verbose=0)
    assert "\n" not in str(found.value)
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_an_optimizer_without_averages_is_refused():
    with pytest.raises(UserError, match="keeps no averages of the weights"):
        compiled().fit(IMAGES, callbacks=[callbacks.AveragedWeights()], verbose=0)
