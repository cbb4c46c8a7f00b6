"""Served files and phones of a VQ-VAE and the prior of its codes: codes go out, and in again."""

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.export.made import MADE
from tests.export.test_signatures import call
from tests.flows.made import moved
from tests.models.tiny import IMAGES
from tfvae import Decoder, heads, networks, quantisers
from tfvae.export.saved_models.export import write
from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.servables.encoder import EncoderServable
from tfvae.export.tflite_files.convert import decoder_file, encoder_file, sampler_file
from tfvae.export.tflite_files.runtime import LiteRTFile

CODES = 6
EXACT = 1e-5  # the networks' float32 in another order


@pytest.fixture(scope="module")
def model():
    """Random weights: two by two codes of six, of which a PixelCNN makes some rare."""
    first = vq_vae(quantisers.VectorQuantised(CODES, 3))
    first(IMAGES, training=True)  # codes at the k-means of the images
    prior = tfvae.PixelCNN(networks.GatedPixelCNN(CODES, filters=8, num_layers=2), (2, 2), seed=5)
    prior.build(None)
    return tfvae.StagedModel([first, moved(prior, by=0.3)])


def vq_vae(quantiser):
    return tfvae.VQVAE(
        networks.ResidualConv([4, 6], num_blocks=1),
        quantiser,
        Decoder(
            networks.ResidualConvTranspose([6, 4], (8, 8), num_blocks=1),
            heads.IndependentBernoulli((8, 8, 1)),
        ),
        seed=5,
    )


@pytest.fixture(scope="module")
def served(model, tmp_path_factory):
    """The signatures of both servables by name."""
    folder = tmp_path_factory.mktemp("export")
    found = {}
    for servable in (EncoderServable(model), DecoderServable(model)):
        write(servable, folder / servable.name, MADE, warmup_batch_sizes=())
        found |= tf.saved_model.load(str(folder / servable.name)).signatures
    return found


@pytest.fixture(scope="module")
def codes(model):
    found = model.encode({"x": tf.constant(IMAGES)}).numpy()
    assert len(np.unique(found)) > 2, "else every code is right"
    return found


def test_encode_returns_indices_and_decode_takes_them(model, served, codes):
    found = call(served["encode"], x=IMAGES)["z"]
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, codes)
    probs = call(served["decode"], z=codes)["probs"]
    np.testing.assert_allclose(probs, model.decode(tf.constant(codes), {}), atol=EXACT)


@pytest.mark.parametrize("bad", [CODES, -1])
def test_decode_refuses_codes_that_are_none(served, codes, bad):
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"from 0 to {CODES - 1}"):
        call(served["decode"], z=np.where(codes == codes.flat[0], bad, codes))


def numbers(count, seed):
    given = {"num_samples": [count], "first": [0], "seed": [seed]}
    return {name: np.array(value, "int32") for name, value in given.items()}


def test_samples_are_those_of_python(model, served):
    found = call(served["sample"], **numbers(4, 9), temperature=np.ones(1, "float32"))
    np.testing.assert_allclose(found["x"][0], model.sample(4, seed=9), atol=EXACT)
    assert found["z"].dtype == np.int32


def test_phones_encode_decode_and_sample_as_python_does(model, codes):
    encoder = LiteRTFile(encoder_file(model, "float32", None))
    np.testing.assert_array_equal(encoder.run("encode", x=IMAGES)["z"], codes)
    decoder = LiteRTFile(decoder_file(model, "float32", {"z": codes}, sampler_file(model)))
    probs = decoder.run("decode", z=codes)["probs"]
    np.testing.assert_allclose(probs, model.decode(tf.constant(codes), {}), atol=EXACT)
    drawn = decoder.run("sample_seeded", num_samples=4, seed=9)
    np.testing.assert_allclose(drawn["x"], model.sample(4, seed=9), atol=EXACT)
    refuses(decoder, codes)


def refuses(decoder, codes, most=CODES):
    for bad in (most, -1):
        with pytest.raises(RuntimeError, match="GATHER"):
            decoder.run("decode", z=np.where(codes == codes.flat[0], bad, codes))


def test_phones_refuse_codes_that_finite_scalars_have_not():
    fsq = vq_vae(quantisers.FiniteScalar((3, 3)))
    fsq.build((None, 8, 8, 1))
    codes = fsq.encode(IMAGES)
    decoder = LiteRTFile(decoder_file(fsq, "float32", {"z": codes}, sampler_file(fsq)))
    probs = decoder.run("decode", z=codes)["probs"]
    np.testing.assert_allclose(probs, fsq.decode(tf.constant(codes)), atol=EXACT)
    refuses(decoder, codes, 9)
