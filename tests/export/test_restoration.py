"""Served files denoise, and draw larger images and masks, as Python does, without tfvae."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.export.made import MADE
from tfvae import Decoder, Encoder, Field, corruptions, heads, networks, priors, uses
from tfvae.export.saved_models.export import write
from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.servables.vae import VAEServable
from tfvae.export.tflite_files.data import ExportData
from tfvae.export.tflite_files.measure import make
from tfvae.export.tflite_files.runtime import LiteRTFile

pytestmark = pytest.mark.usefixtures("without_xla")

SHAPE = (4, 4, 1)
RNG = np.random.default_rng(0)


def vae(corruption, likelihood=heads.IndependentBernoulli):
    model = tfvae.VAE(
        Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(2)),
        Decoder(networks.MLP([8]), likelihood(SHAPE)),
        corruption=corruption,
        seed=3,
    )
    model.build((None, *SHAPE))
    return model


def loaded(servable, folder):
    write(servable, folder / servable.name, MADE, ())
    return tf.saved_model.load(str(folder / servable.name)).signatures


@pytest.mark.parametrize("likelihood", [heads.IndependentBernoulli, heads.IndependentNormal])
def test_a_file_denoises_as_python_does(likelihood, tmp_path):
    """Noise leaves the range of x, where `reconstruct` of a Bernoulli model refuses it."""
    model = vae(corruptions.AdditiveNormal(0.5), likelihood)
    served = loaded(VAEServable(model), tmp_path)
    x = RNG.normal(0.5, 0.8, (7, *SHAPE)).astype("float32")
    found = served["denoise"](x=tf.constant(x))["x"]
    np.testing.assert_allclose(found, uses.denoise(model, x), atol=1e-6)
    np.testing.assert_allclose(
        served["denoise"](x=tf.constant(x[2:3]))["x"][0], found[2], atol=1e-6
    )
    levels = RNG.integers(0, 256, (3, *SHAPE)).astype("uint8")
    of_bytes = served["denoise_uint8"](x=tf.constant(levels))["x"]
    expected = uses.denoise(model, levels.astype("float32") / 255)
    np.testing.assert_allclose(of_bytes, expected, atol=1e-6)
    assert "denoise_image_bytes" in served


def test_what_no_corruption_leaves_is_refused(tmp_path):
    served = loaded(VAEServable(vae(corruptions.Patches(2))), tmp_path)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"x must be values in \[0, 1\]"):
        served["denoise"](x=tf.fill([1, *SHAPE], 1.5))
    wide = loaded(VAEServable(vae(corruptions.AdditiveNormal(0.5))), tmp_path / "wide")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"x must be values in \[-5, 6\]"):
        wide["denoise"](x=tf.fill([1, *SHAPE], 255.0))


def test_a_model_without_a_corruption_has_no_such_signature():
    assert not [name for name in VAEServable(vae(None)).signatures() if "denoise" in name]


def test_denoise_is_compared_and_published(tmp_path):
    model = vae(corruptions.AdditiveNormal(0.5))
    made = tfvae.export.saved_model(model, tmp_path, warmup_batch_sizes=(1,))
    assert made.differences["vae/denoise"] < 1e-4
    assert made.differences["vae/denoise_uint8"] < 1e-4


def conditional():
    model = tfvae.ConditionalVAE(
        Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(3)),
        Decoder(networks.MLP([8]), heads.IndependentNormal(SHAPE)),
        {"low": Field((2, 2, 1))},
        seed=5,
    )
    model.build((None, *SHAPE))
    return model


def test_a_phone_draws_the_same_larger_images():
    model = conditional()
    x = RNG.random((9, *SHAPE)).astype("float32")
    low = x.reshape(9, 2, 2, 2, 2, 1).mean(axis=(2, 4))
    batch = {"x": x, "low": low}
    files, _ = make(model, ("float32",), ExportData(batch, batch), 50.0, ())
    decoder = LiteRTFile(files["decoder.tflite"])
    rows = np.repeat(low[:1], 4, axis=0)
    answer = decoder.run("sample_seeded", num_samples=np.int32(4), seed=np.int32(3), low=rows)
    found = uses.super_resolve(model, low[:1], 4, seed=3)
    np.testing.assert_allclose(answer["x"], found.samples[0], atol=1e-5)


def test_sample_given_small_images_is_super_resolution(tmp_path):
    """Row b of `decoder/sample` is image b of `super_resolve`, of the same seed."""
    model = conditional()
    served = loaded(DecoderServable(model), tmp_path)
    low = RNG.random((6, 2, 2, 1)).astype("float32")
    rows = {"num_samples": 5, "first": 0, "seed": 3}
    inputs = {name: tf.fill([6], value) for name, value in rows.items()}
    answer = served["sample"](low=tf.constant(low), temperature=tf.ones([6]), **inputs)["x"]
    found = uses.super_resolve(model, low, 5, seed=3)
    np.testing.assert_allclose(answer, found.samples, atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"low must be values in \[0, 1\]"):
        served["sample"](low=tf.constant(low + 1.0), temperature=tf.ones([6]), **inputs)


def test_sample_given_images_draws_the_masks_of_segment(tmp_path):
    """Row b of `decoder/sample` is image b of `segment`, with the seed that this gives image b."""
    keras.utils.set_random_seed(0)
    # tanh: untrained relu units are dead at some pixels, whose probability no draw moves.
    network = networks.UNet([2, 4], num_convolutions=1, activation="tanh")
    model = tfvae.ConditionalVAE(
        Encoder(networks.Conv([2]), heads.MultivariateNormalDiag(2)),
        Decoder(network, heads.IndependentBernoulli(SHAPE)),
        {"image": Field(SHAPE)},
        prior=priors.ConditionalNormal(2, [4]),
    )
    model.build(model.input_shapes())
    served = loaded(DecoderServable(model), tmp_path)
    images = RNG.random((6, *SHAPE)).astype("float32")
    seeds = tf.bitcast(tfvae.noise.example_seeds(3, 0, 6), tf.int32)
    inputs = {"num_samples": tf.fill([6], 5), "first": tf.zeros([6], tf.int32), "seed": seeds}
    answer = served["sample"](image=tf.constant(images), temperature=tf.ones([6]), **inputs)["x"]
    found = np.moveaxis(uses.segment(model, images, 5, seed=3, probabilities=True), 0, 1)
    np.testing.assert_allclose(answer, found, atol=1e-6)
    assert np.std(found, axis=1).min() > 1e-3  # masks of an image differ, at every pixel
    sure = np.abs(found - 0.5) > 1e-5  # rounding turns the others
    assert sure.mean() > 0.99
    masks = np.moveaxis(uses.segment(model, images, 5, seed=3), 0, 1)
    np.testing.assert_array_equal(masks[sure], (answer.numpy() >= 0.5)[sure])
