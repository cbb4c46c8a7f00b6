"""Exported files of a hierarchy: `encode` gives every level, `decode` takes them, and `sample`."""

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

import tfvae
from tests.conformance.cases import SHAPE, levels
from tests.evaluation.models import images
from tests.export.test_signatures import call
from tfvae.export.tflite_files.runtime import LiteRTFile

X = images(5, SHAPE)
KINDS = (tfvae.HierarchicalVAE, tfvae.LadderVAE)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.__name__)
def model(request):
    made = levels(request.param)
    made.build((None, *SHAPE))
    for weight in made.trainable_variables:  # heads start at zero, and would ignore x
        noise = np.random.default_rng(3).normal(size=weight.shape, scale=0.3)
        weight.assign(weight + noise.astype("float32"))
    return made


@pytest.fixture(scope="module")
def served(model, tmp_path_factory):
    done = tfvae.export.saved_model(model, tmp_path_factory.mktemp("export"))
    return {name: tf.saved_model.load(str(path)).signatures for name, path in done.paths.items()}


def test_every_level_goes_out_and_in_again(model, served):
    found = call(served["encoder"]["encode"], x=X)
    codes = model.encode(X)
    assert set(found) == {"z1", "z2", "z1_stddev", "z2_stddev"}
    for name, code in codes.items():
        np.testing.assert_allclose(found[name], code, atol=1e-5)
    decoded = call(served["decoder"]["decode"], **{name: found[name] for name in codes})
    np.testing.assert_allclose(decoded["probs"], model.decode(codes, {}), atol=1e-5)
    rebuilt = call(served["vae"]["reconstruct"], x=X)["x"]
    np.testing.assert_allclose(rebuilt, model.reconstruct(X), atol=1e-5)


def test_samples_go_through_all_levels(model, served):
    found = call(
        served["decoder"]["sample"],
        num_samples=np.array([4], "int32"),
        first=np.array([0], "int32"),
        seed=np.array([3], "int32"),
        temperature=np.array([1.0], "float32"),
    )["x"][0]
    np.testing.assert_allclose(found, model.sample(4, seed=3), atol=1e-5)


def test_scores_are_importance_weights_of_joint_draws(model, served):
    count, seed = np.full(len(X), 3, "int32"), np.arange(len(X), dtype="int32")
    inputs = {"x": X, "num_samples": count, "seed": seed}
    got = call(served["vae"]["score"], **inputs)
    drawn = call(served["encoder"]["sample"], **inputs, first=np.zeros(len(X), "int32"))
    for row in range(len(X)):
        z = {name: tf.constant(drawn[name][row][:, None]) for name in ("z1", "z2")}
        proposal = model.infer({"x": tf.constant(X[row : row + 1])}).proposal
        likelihood = model.decoder(z["z1"]).log_prob(X[row])
        prior = model.prior().log_prob(z["z2"]) + model.levels[0].down(z["z2"]).log_prob(z["z1"])
        weights = likelihood + prior - proposal.log_prob(z)
        expected = scipy.special.logsumexp(weights[:, 0]) - np.log(3)
        np.testing.assert_allclose(got["log_likelihood"][row], expected, rtol=1e-5)


def test_phones_encode_decode_and_draw_the_same(model, tmp_path):
    done = tfvae.export.tflite(model, tmp_path)
    encoder, decoder = (
        LiteRTFile(done.paths[f"{part}.tflite"].read_bytes()) for part in ("encoder", "decoder")
    )
    codes = {name: np.asarray(code) for name, code in model.encode(X).items()}
    found = encoder.run("encode", x=X)
    for name, code in codes.items():
        np.testing.assert_allclose(found[name], code, atol=1e-5)
    np.testing.assert_allclose(
        decoder.run("decode", **codes)["probs"], model.decode(codes, {}), atol=1e-5
    )
    drawn = decoder.run("sample_seeded", num_samples=4, seed=9)
    np.testing.assert_allclose(drawn["x"], model.sample(4, seed=9), atol=1e-4)
