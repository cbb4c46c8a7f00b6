"""A small model with weights that matter everywhere, exported once."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tfvae.export.saved_models import verify
from tfvae.export.servables import choice
from tfvae.noise import Noise

# Odd sides that differ: a transposed or flattened axis can't go unnoticed.
IMAGE_SHAPE = (5, 4, 1)
LATENT_SIZE = 3


def scramble(model, seed=0):
    """Gives every weight, biases included, a value of its own."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(weight + generator.normal(0, 0.3, weight.shape).astype("float32"))


def tiny_vae(seed=0):
    keras.utils.set_random_seed(seed)
    vae = tfvae.VAE(
        encoder=tfvae.Encoder(
            tfvae.networks.MLP([7]), tfvae.heads.MultivariateNormalTriL(LATENT_SIZE)
        ),
        decoder=tfvae.Decoder(
            tfvae.networks.MLP([6]), tfvae.heads.IndependentBernoulli(IMAGE_SHAPE)
        ),
        prior=tfvae.priors.MixtureOfGaussians(LATENT_SIZE, 2),
    )
    vae.build((None, *IMAGE_SHAPE))
    scramble(vae, seed)
    return vae


def codes(vae, num_samples, seed):
    """The z that `vae.sample(num_samples, seed)` decodes."""
    return vae.prior.generate(Noise(seed, row=tf.range(num_samples))).numpy()


@pytest.fixture(scope="session")
def vae():
    return tiny_vae()


@pytest.fixture(scope="session")
def exported(vae, tmp_path_factory):
    return tfvae.export.saved_model(vae, tmp_path_factory.mktemp("export") / "tiny")


@pytest.fixture(scope="session")
def signatures(exported):
    """servable name -> signature name -> function."""
    loaded = {name: tf.saved_model.load(str(path)) for name, path in exported.paths.items()}
    return {name: model.signatures for name, model in loaded.items()}


@pytest.fixture
def images():
    return np.random.default_rng(1).random((4, *IMAGE_SHAPE), np.float32)


@pytest.fixture(scope="session")
def lite_images():
    return np.random.default_rng(3).random((40, *IMAGE_SHAPE)).astype("float32")


@pytest.fixture(scope="session")
def lite(vae, lite_images, tmp_path_factory):
    """All variants as `.tflite` files."""
    return tfvae.export.tflite(
        vae,
        tmp_path_factory.mktemp("tflite") / "tiny",
        ("float32", "float16", "dynamic", "int8"),
        data=lite_images,
        calibration=lite_images,
        max_nll_change=1.0,
        browser_samples=4,
    )


@pytest.fixture
def no_comparison(monkeypatch):
    """Skips the fresh process, which takes seconds, where a test is about something else."""
    monkeypatch.setattr(verify, "compare", lambda *arguments: {})


@pytest.fixture
def encoder_only(monkeypatch):
    """Exports one servable, likewise."""
    monkeypatch.setattr(choice, "SERVABLES", choice.SERVABLES[:1])
