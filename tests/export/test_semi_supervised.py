"""Exported files of codes of two levels, the class and z, and of a label that may be left out."""

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.export.test_signatures import call
from tests.models.linear_semi_supervised import X, exact_model
from tfvae.errors import UserError
from tfvae.export.tflite_files.runtime import LiteRTFile

SEEDS = np.array([3], "int32")


@pytest.fixture(scope="module")
def model():
    return exact_model()


@pytest.fixture(scope="module")
def served(model, tmp_path_factory):
    done = tfvae.export.saved_model(model, tmp_path_factory.mktemp("export"))
    return {name: tf.saved_model.load(str(path)).signatures for name, path in done.paths.items()}


def test_codes_go_out_and_in_again(model, served):
    codes = {name: code.numpy() for name, code in model.encode({"x": tf.constant(X)}).items()}
    assert set(codes) == {"y", "z"}
    label = np.full(len(X), -1, "int32")
    found = call(served["decoder"]["decode"], **codes, label=label)
    loc = found["loc"] if "loc" in found else found["mean"]
    np.testing.assert_allclose(loc, model.decode(codes, {}), atol=1e-5)
    rebuilt = call(served["vae"]["reconstruct"], x=X)["x"]
    np.testing.assert_allclose(rebuilt, model.reconstruct({"x": X}), atol=1e-5)


def test_samples_are_of_the_label_or_of_any_class(model, served):
    for label in (-1, 0, 1):
        given = {} if label < 0 else {"label": label}
        found = call(
            served["decoder"]["sample"],
            num_samples=np.array([5], "int32"),
            first=np.array([0], "int32"),
            seed=SEEDS,
            temperature=np.array([1.0], "float32"),
            label=np.array([label], "int32"),
        )["x"][0]
        np.testing.assert_allclose(found, model.sample(5, seed=3, **given), atol=1e-5)


def test_scores_sum_over_the_classes(model, served):
    rows = len(X)
    found = call(
        served["vae"]["score"],
        x=X,
        num_samples=np.full(rows, 4, "int32"),
        seed=np.arange(rows, dtype="int32"),
    )
    expected = model.log_likelihood({"x": X}, num_samples=4, seed=0, verbose=0)
    np.testing.assert_allclose(found["log_likelihood"], expected.per_example, atol=1e-4)


def test_phones_draw_the_same_rows(model, tmp_path):
    done = tfvae.export.tflite(model, tmp_path)
    decoder = LiteRTFile(done.paths["decoder.tflite"].read_bytes())
    drawn = decoder.run("sample_seeded", num_samples=4, seed=9, label=np.int32(1))
    np.testing.assert_allclose(drawn["x"], model.sample(4, seed=9, label=1), atol=1e-4)


@pytest.mark.parametrize("variant", ["float16", "dynamic", "int8"])
def test_files_of_fewer_bits_are_refused_by_the_models_name(model, tmp_path, variant):
    """What they lose is measured through one posterior, and a sum over classes has K of them."""
    with pytest.raises(UserError, match=r"model that rebuilds.* SemiSupervisedVAE can't"):
        tfvae.export.tflite(model, tmp_path, [variant], data={"x": X}, calibration={"x": X})
    assert not list(tmp_path.iterdir())
