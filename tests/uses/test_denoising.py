"""Denoising: the mean at the code or over the posterior, exactly known of a linear model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.evaluation.models import LinearGaussian, digits_model, images
from tfvae import VAE, Decoder, Encoder, corruptions, data, heads, networks, presets, uses
from tfvae.errors import UserError

pytestmark = pytest.mark.usefixtures("without_xla")


def small(corruption=None, likelihood=heads.IndependentBernoulli):
    model = VAE(
        Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(2)),
        Decoder(networks.MLP([8]), likelihood((4, 4, 1))),
        corruption=corruption,
        seed=3,
    )
    model.build((None, 4, 4, 1))
    return model


def test_of_a_linear_model_both_forms_are_the_exact_expectation():
    """E[x|z] is linear, so its mean over q(z|x~) is its value at the mean of q."""
    known = LinearGaussian(full=True)
    x = images(7)
    at_code = uses.denoise(known.model, x)
    np.testing.assert_allclose(at_code, known.model.reconstruct(x), atol=1e-6)
    averaged = uses.denoise(known.model, x, num_samples=20_000, seed=3)
    posterior = known.model.encoder(x)
    spread = known.model.decode(posterior.sample(2000)).numpy().std(axis=0)
    assert np.all(np.abs(averaged - at_code) <= 5 * spread / np.sqrt(20_000) + 1e-5)
    assert np.abs(averaged - at_code).max() > 0  # draws, and not the code again


def test_a_mean_over_draws_takes_exactly_as_many():
    """In chunks of any size: by the same noise, drawn here at once."""
    from tfvae.noise import example_noise

    model, x = digits_model(2, units=(8,)), np.zeros((3, 8, 8, 1), "float32")
    found = uses.denoise(model, x, num_samples=5, seed=9)
    proposal = model.infer({"x": tf.constant(x)}).proposal
    z = proposal.draw(example_noise(tf.fill([3], tf.constant(9, tf.uint32)), 0, 5)).z
    np.testing.assert_allclose(found, model.decode(z).numpy().mean(axis=0), atol=1e-6)


def test_an_example_does_not_depend_on_its_neighbours_nor_on_the_batch():
    model = small(corruptions.AdditiveNormal(0.5))
    x = np.random.default_rng(0).normal(0.5, 0.5, (9, 4, 4, 1)).astype("float32")
    for options in ({}, {"num_samples": 7, "seed": 2}):
        whole = uses.denoise(model, x, **options)
        np.testing.assert_allclose(uses.denoise(model, x[4:6], **options), whole[4:6], atol=1e-6)
        cut = uses.denoise(model, x, batch_size=2, **options)
        np.testing.assert_allclose(cut, whole, atol=1e-6)
    other = uses.denoise(model, x, num_samples=7, seed=3)
    assert np.any(other != uses.denoise(model, x, num_samples=7, seed=2))


def test_a_trained_model_removes_more_noise_than_it_adds():
    settings = {"latent_size": 10, "units": (64,), "corruption.scale": 0.5}
    model = presets.model("digits-denoising", **settings)
    train, test = data.load("digits", 128, "none")
    model.compile(keras.optimizers.Adam(2e-3), jit_compile=False)
    model.fit(train, epochs=60, verbose=0)
    clean = np.concatenate(list(test.as_numpy_iterator()))
    noisy = (clean + 0.5 * np.random.default_rng(0).normal(size=clean.shape)).astype("float32")
    psnr = tfvae.evaluation.peak_signal_to_noise
    guessed = psnr(clean, np.broadcast_to(data.mean(train), clean.shape)).mean()
    for found in (uses.denoise(model, noisy), uses.denoise(model, noisy, num_samples=20)):
        quality = psnr(clean, found).mean()
        assert quality > psnr(clean, noisy).mean() + 3.0
        assert quality > guessed + 1.0


def test_an_autoencoder_denoises_at_its_code_alone():
    model = tfvae.Autoencoder(
        Encoder(networks.MLP([8]), heads.PointCode(2)),
        Decoder(networks.MLP([8]), heads.IndependentBernoulli((4, 4, 1))),
        corruption=corruptions.Masking(0.2),
    )
    model.build((None, 4, 4, 1))
    assert uses.denoise(model, np.zeros((2, 4, 4, 1), "float32")).shape == (2, 4, 4, 1)
    with pytest.raises(UserError, match=r"denoise\(\) by draws needs a model that scores"):
        uses.denoise(model, np.zeros((2, 4, 4, 1), "float32"), num_samples=3)


def test_what_a_corruption_leaves_is_taken_and_nothing_beyond():
    x = np.zeros((2, 4, 4, 1), "float32")
    uses.denoise(small(corruptions.AdditiveNormal(0.5)), x + 5.9)
    bounds = {
        r"values in \[-5, 6\]": corruptions.AdditiveNormal(0.5),
        r"values in \[0, 1\]": corruptions.Masking(0.5),
    }
    for message, corruption in bounds.items():
        with pytest.raises(UserError, match=message):
            uses.denoise(small(corruption), x + 255.0)
    for corruption in (corruptions.Patches(2), corruptions.SaltAndPepper(), None):
        with pytest.raises(UserError, match=r"values in \[0, 1\]"):
            uses.denoise(small(corruption), x + 1.5)


class Bare:
    """A model that does nothing."""

    def fields(self):
        return {"x": tfvae.Field((4, 4, 1))}


@pytest.mark.parametrize(
    ("model", "x", "options", "message"),
    [
        (Bare(), np.zeros((1, 4, 4, 1)), {}, r"denoise\(\) needs a model that encodes"),
        (None, np.zeros((1, 4, 5, 1)), {}, "shape .4, 5, 1. and the model takes .4, 4, 1."),
        (None, np.full((1, 4, 4, 1), np.nan), {}, "finite|NaN|nan"),
        (None, np.zeros((1, 4, 4, 1)), {"num_samples": 0}, "num_samples must be an integer"),
        (None, np.zeros((1, 4, 4, 1)), {"seed": 1.5}, "seed must be an int32"),
        (None, np.zeros((1, 4, 4, 1)), {"batch_size": 0}, "batch_size"),
    ],
)
def test_bad_input_is_refused(model, x, options, message):
    model = small(corruptions.AdditiveNormal()) if model is None else model
    with pytest.raises(UserError, match=message):
        uses.denoise(model, x.astype("float32"), **options)


def test_corrupted_examples_are_a_function_of_seed_and_place():
    corruption, x = corruptions.AdditiveNormal(0.5), np.full((6, 4, 4, 1), 0.5, "float32")
    found = uses.corrupted_examples(corruption, x, seed=3)
    np.testing.assert_array_equal(uses.corrupted_examples(corruption, x[:4], seed=3), found[:4])
    assert len(np.unique(found.reshape(6, -1), axis=0)) == 6
    assert np.all(uses.corrupted_examples(corruption, x, seed=4) != found)
    with pytest.raises(TypeError, match=r"corruption is None; expected one of tfvae\.corruptions"):
        uses.corrupted_examples(None, x)
