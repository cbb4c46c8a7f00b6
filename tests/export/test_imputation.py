"""Served files fill holes as Python does, without tfvae."""

import numpy as np
import pytest
import tensorflow as tf

import tests.models.linear_missing as exact
import tfvae
from tests.export.made import MADE
from tests.models.test_missing import HOLES, MIXED, small
from tfvae import missingness, uses
from tfvae.export.saved_models.export import write
from tfvae.export.servables.vae import VAEServable
from tfvae.noise import example_seeds

pytestmark = pytest.mark.usefixtures("without_xla")

ROWS, DRAWS = len(exact.X), 300


def loaded(model, folder):
    write(VAEServable(model), folder / "vae", MADE, ())
    return tf.saved_model.load(str(folder / "vae")).signatures


def request(rows=slice(None), **fields):
    seeds = tf.bitcast(example_seeds(7, 0, ROWS), tf.int32)[rows]
    fields = {name: tf.constant(values[rows]) for name, values in fields.items()}
    return {**fields, "seed": seeds, "num_samples": tf.fill(seeds.shape, DRAWS)}


@pytest.fixture(scope="module", params=[None, missingness.SelfMasking("large")])
def case(request, without_xla, tmp_path_factory):
    """A model and its signatures."""
    model = exact.exact_model(pattern=None, missing_process=request.param)
    return model, loaded(model, tmp_path_factory.mktemp("served"))


def test_a_file_fills_what_python_fills(case):
    model, served = case[0], case[1]["impute"]
    right = uses.impute(model, MIXED, DRAWS, seed=7)
    found = served(**request(**MIXED))["x"]
    np.testing.assert_allclose(found, right, atol=1e-5)
    np.testing.assert_array_equal(found[exact.MIXED > 0], exact.X[exact.MIXED > 0])
    alone = served(**request(slice(3, 4), **MIXED))["x"]
    np.testing.assert_allclose(alone, right[3:4], atol=1e-5)
    few = request(**MIXED)
    few["num_samples"] = tf.constant([1] + [DRAWS] * (ROWS - 1))
    found = served(**few)["x"]
    np.testing.assert_allclose(found[1:], right[1:], atol=1e-5)
    assert np.any(found[0] != right[0])
    assert len(served(**request(slice(0, 0), **MIXED))["x"]) == 0


def test_a_file_draws_what_python_draws(case):
    model, served = case[0], case[1]["impute_draw"]
    right = uses.impute(model, MIXED, DRAWS, multiple=1, seed=7)[0]
    found = served(**request(**MIXED))["x"]
    np.testing.assert_allclose(found, right, atol=1e-5)
    assert np.any(found != uses.impute(model, MIXED, DRAWS, seed=7))
    again = request(**MIXED)
    again["seed"] = again["seed"] + 1
    again = served(**again)["x"]
    assert np.all((again != found).numpy()[exact.MIXED == 0])  # each seed its own draw


def test_nan_is_filled_where_it_is_a_hole(tmp_path):
    model = small(nan_is_missing=True)
    model.build((None, 5))
    found = loaded(model, tmp_path)["impute"](**request(x=HOLES))["x"]
    np.testing.assert_allclose(found, uses.impute(model, HOLES, DRAWS, seed=7), atol=1e-5)


def test_a_row_without_anything_seen_is_refused(case):
    _, served = case
    with pytest.raises(tf.errors.InvalidArgumentError, match="seen must be"):
        served["impute"](**request(x=exact.X, seen=np.zeros_like(exact.X)))


def test_a_model_of_whole_rows_has_no_such_signature():
    model = tfvae.presets.model("digits", latent_size=2, units=(8,))
    assert not [name for name in VAEServable(model).signatures() if "impute" in name]
