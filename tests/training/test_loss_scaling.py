"""mixed_float16: small gradients survive, overflow skips a step; in one phase and in several."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.models.test_phases import TwoPhases
from tests.models.tiny import IMAGES, SHAPE
from tfvae import heads, networks, objectives
from tfvae.training.phased_optimizer import PhasedOptimizer

TINY = 1e-7  # a KL of this weight has gradients that float16 rounds to zero


def make(policy, kind=tfvae.VAE, weight=1.0, scale=2.0**15, jit_compile=False, **options):
    keras.utils.set_random_seed(3)
    with_policy = {"dtype": policy}
    model = kind(
        tfvae.Encoder(
            keras.Sequential(
                [
                    keras.layers.Flatten(**with_policy),
                    keras.layers.Dense(8, activation="tanh", **with_policy),
                ]
            ),
            heads.MultivariateNormalDiag(2),
        ),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(SHAPE)),
        objective=objectives.ELBO(kl_weight=weight),
        seed=5,
    )
    model.build((None, *SHAPE))
    sgd = keras.optimizers.SGD(1.0 / weight)
    if policy == "mixed_float16":
        sgd = keras.optimizers.LossScaleOptimizer(sgd, initial_scale=scale)
    model.compile(sgd, jit_compile=jit_compile, **options)
    return model


def scaling(model):
    """The optimizers that scale losses."""
    phased = isinstance(model.optimizer, PhasedOptimizer)
    found = list(model.optimizer.by_phase.values()) if phased else [model.optimizer]
    assert all(isinstance(o, keras.optimizers.LossScaleOptimizer) for o in found)
    return found


def moved(model, fit):
    """How far a step moves the weights of the encoder's network."""
    before = [w.numpy() for w in model.encoder.trainable_variables]
    fit(model)
    return [w.numpy() - b for w, b in zip(model.encoder.trainable_variables, before, strict=True)]


FITS = {
    "resident": lambda model: model.fit(IMAGES, batch_size=len(IMAGES), shuffle=False, verbose=0),
    "streamed": lambda model: model.fit(
        tf.data.Dataset.from_tensor_slices(IMAGES).batch(len(IMAGES)), verbose=0
    ),
    "on_batch": lambda model: model.train_on_batch(IMAGES),
}


@pytest.mark.parametrize("kind", [tfvae.VAE, TwoPhases])
def test_a_model_with_float16_parts_gets_scaled_losses_and_saves_them(kind, tmp_path):
    model = make("mixed_float16", kind)
    model.compile("adam")
    assert len(scaling(model)) == (1 if kind is tfvae.VAE else 2)
    model.fit(IMAGES, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for one, other in zip(scaling(model), scaling(again), strict=True):
        assert not isinstance(other.inner_optimizer, keras.optimizers.LossScaleOptimizer)
        assert float(one.dynamic_scale) == float(other.dynamic_scale)


def test_others_do_not_and_it_can_be_turned_off():
    for policy in ("float32", "mixed_bfloat16"):
        assert isinstance(make(policy).optimizer, keras.optimizers.SGD)
    model = make("mixed_float16")
    model.compile("sgd", auto_scale_loss=False)
    assert isinstance(model.optimizer, keras.optimizers.SGD)


@pytest.mark.parametrize(
    ("fit", "jit_compile"), [("resident", True), ("streamed", False), ("on_batch", False)]
)
def test_tiny_gradients_move_weights_as_in_float32(fit, jit_compile):
    """The encoder of two phases learns from the KL alone, of which a millionth part is taken."""
    scaled = make("mixed_float16", TwoPhases, TINY, jit_compile=jit_compile)
    expected = moved(make("float32", TwoPhases, TINY, jit_compile=jit_compile), FITS[fit])
    found = moved(scaled, FITS[fit])
    kernel = max(range(len(expected)), key=lambda i: expected[i].size)
    assert np.abs(expected[kernel]).max() > 1e-3, "else there is nothing to see"
    difference = np.abs(found[kernel] - expected[kernel]).max()
    assert difference < 0.02 * np.abs(expected[kernel]).max()  # float16 has 11 bits
    bare = make("mixed_float16", TwoPhases, TINY, jit_compile=jit_compile)
    bare.compile(keras.optimizers.SGD(1.0 / TINY), auto_scale_loss=False, jit_compile=False)
    lost = np.abs(moved(bare, FITS[fit])[kernel] - expected[kernel]).max()
    assert lost > 10 * difference, "the test would pass without scaling"


@pytest.mark.parametrize("kind", [tfvae.VAE, TwoPhases])
@pytest.mark.parametrize(
    ("fit", "jit_compile"), [("resident", True), ("resident", False), ("streamed", False)]
)
def test_overflow_skips_the_step_and_halves_the_scale(kind, fit, jit_compile):
    model = make("mixed_float16", kind, scale=2.0**60, jit_compile=jit_compile)
    steps = moved(model, FITS[fit])
    assert not any(np.any(step) for step in steps)
    encoder = scaling(model)[0]
    assert float(encoder.dynamic_scale) == 2.0**59
    assert int(encoder.inner_optimizer.iterations) == 0


def test_several_replicas_are_refused(monkeypatch):
    model = make("mixed_float16")
    monkeypatch.setattr(type(tf.distribute.get_strategy()), "num_replicas_in_sync", 2)
    with pytest.raises(ValueError, match="not supported on several replicas"):
        model.compile("adam")
