"""Served files and phones of two levels of codes and their prior: codes go out, and in again."""

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.export.made import MADE
from tests.export.test_codes import EXACT, numbers, refuses
from tests.export.test_signatures import call
from tests.flows.made import moved
from tests.models.level_codes import CODES, SHAPE, prior, vq_vae_2
from tfvae.export.saved_models.export import write
from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.servables.encoder import EncoderServable
from tfvae.export.tflite_files.convert import decoder_file, encoder_file, sampler_file
from tfvae.export.tflite_files.runtime import LiteRTFile

IMAGES = (np.random.default_rng(0).random((12, *SHAPE)) > 0.5).astype("float32")
LABEL = {"label": tfvae.Field.label(3)}


@pytest.fixture(scope="module")
def model():
    """Random weights: 4 x 4 and 2 x 2 codes of six, and a prior of them given a class."""
    first = vq_vae_2()
    first({"x": tf.constant(IMAGES)}, training=True)  # codes at the k-means of the images
    above = moved(prior(20, (2, 2), codes=CODES, conditions=LABEL), by=0.3)
    return tfvae.StagedModel([first, above])


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


def test_encode_returns_the_row_and_the_maps_and_decode_takes_the_row(model, served, codes):
    label = np.zeros(12, "int32")
    found = call(served["encode"], x=IMAGES, label=label)
    assert found["z"].dtype == np.int32
    np.testing.assert_array_equal(found["z"], codes)
    np.testing.assert_array_equal(found["z2"], codes[:, :4].reshape(-1, 2, 2))
    np.testing.assert_array_equal(found["z1"], codes[:, 4:].reshape(-1, 4, 4))
    probs = call(served["decode"], z=codes, label=label)["probs"]
    np.testing.assert_allclose(probs, model.decode(tf.constant(codes), {}), atol=EXACT)


@pytest.mark.parametrize("bad", [CODES, -1])
@pytest.mark.parametrize("place", [0, 19])
def test_decode_refuses_codes_that_are_none(served, codes, bad, place):
    changed = codes.copy()
    changed[:, place] = bad
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"from 0 to {CODES - 1}"):
        call(served["decode"], z=changed, label=np.zeros(12, "int32"))


def test_samples_are_those_of_python(model, served):
    given = {**numbers(4, 9), "label": np.array([2], "int32")}
    found = call(served["sample"], **given, temperature=np.ones(1, "float32"))
    np.testing.assert_allclose(found["x"][0], model.sample(4, seed=9, label=2), atol=EXACT)
    assert found["z"].dtype == np.int32


def test_phones_encode_decode_and_sample_as_python_does(model, codes):
    encoder = LiteRTFile(encoder_file(model, "float32", None))
    found = encoder.run("encode", x=IMAGES, label=np.zeros(12, "int32"))
    np.testing.assert_array_equal(found["z"], codes)
    np.testing.assert_array_equal(found["z2"], codes[:, :4].reshape(-1, 2, 2))
    given = {"z": codes, "label": np.zeros(12, "int32")}
    decoder = LiteRTFile(decoder_file(model, "float32", given, sampler_file(model)))
    probs = decoder.run("decode", **given)["probs"]
    np.testing.assert_allclose(probs, model.decode(tf.constant(codes), {}), atol=EXACT)
    drawn = decoder.run("sample_seeded", num_samples=4, seed=9, label=np.full(4, 2, "int32"))
    np.testing.assert_allclose(drawn["x"], model.sample(4, seed=9, label=2), atol=EXACT)


def test_phones_refuse_codes_that_are_none():
    first = vq_vae_2()
    first.build((None, *SHAPE))
    codes = first.encode(IMAGES)
    refuses(LiteRTFile(decoder_file(first, "float32", {"z": codes}, sampler_file(first))), codes)
