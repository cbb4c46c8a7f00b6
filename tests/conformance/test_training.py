"""Training, over every member: what trains, that it repeats, and that it goes on after a reload."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conformance.cases import BATCH
from tfvae.models.loading import load_model

FIT = {"batch_size": BATCH, "verbose": 0}


def values(model):
    """Every number of a model and its optimiser: (path below the model, value)."""
    optimizer = model.optimizer.variables if model.compiled else []
    return [(w.path.partition("/")[2], w.numpy()) for w in [*model.weights, *optimizer]]


def assert_equal_bits(first, second, paths=True):
    """`paths`: whether names must agree too; within Keras' own models they change on reload."""
    if paths:
        assert [path for path, _ in first] == [path for path, _ in second]
    for (path, value), (_, other) in zip(first, second, strict=True):
        np.testing.assert_array_equal(value, other, err_msg=path)


@pytest.fixture(scope="module")
def run(case, tmp_path_factory):
    """A model trained for two epochs and saved between them."""
    path = tmp_path_factory.mktemp(case.name) / "model.keras"
    model = case.built(jit_compile=False)
    before = [weight.numpy() for weight in model.trainable_weights]
    first = model.fit(case.inputs, **FIT).history
    model.save(path)
    saved, reconstruction = values(model), model.predict(case.inputs, verbose=0)
    second = model.fit(case.inputs, **FIT).history
    return {
        "model": model,
        "inputs": case.inputs,
        "before": before,
        "path": path,
        "saved": saved,
        "reconstruction": reconstruction,
        "history": (first, second),
        "after": values(model),
    }


def test_weight_count_is_the_expected_one(case, run):
    model = run["model"]
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == case.trainable
    assert sum(int(np.prod(w.shape)) for w in model.non_trainable_weights) == case.non_trainable


def test_no_variable_hides_from_keras(case):
    """TFP objects keep variables where Keras does not look: watch what a step really reads."""
    model = case.built()
    with tf.GradientTape() as tape:
        model(case.batch(BATCH), training=True)
        loss = sum(model.losses)
    watched = {id(v) for v in tape.watched_variables()}
    known = {id(w.value) for w in model.trainable_weights}
    assert watched <= known, "a trainable variable that Keras does not know would never train"
    assert known <= watched
    assert loss.shape == ()


def test_every_trainable_weight_gets_a_gradient(case):
    model = case.built()
    with tf.GradientTape() as tape:
        model(case.inputs, training=True)
        loss = sum(model.losses)
    weights = [weight.value for weight in model.trainable_weights]
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, weights), strict=True):
        assert gradient is not None, weight.path
        gradient = tf.convert_to_tensor(gradient).numpy()
        assert np.isfinite(gradient).all(), weight.path
        assert np.any(gradient != 0), weight.path


def test_every_trainable_weight_moves_in_fit(run):
    for weight, before in zip(run["model"].trainable_weights, run["before"], strict=True):
        assert np.any(weight.numpy() != before), weight.path


def test_two_seeded_runs_are_equal_bit_for_bit(case, run):
    model = case.built(jit_compile=False)
    history = tuple(model.fit(case.inputs, **FIT).history for _ in range(2))
    assert history == run["history"]
    # Automatic names count the models of a session: "encoder_3/...".
    assert_equal_bits(values(model), run["after"], paths=False)


def without_build_config(config):
    """How Keras built a layer is no argument of it."""
    if isinstance(config, dict):
        return {k: without_build_config(v) for k, v in config.items() if k != "build_config"}
    return [without_build_config(v) for v in config] if isinstance(config, list) else config


def test_keras_file_goes_on_as_if_never_saved(case, run):
    """Weights, optimiser, seed state, compile arguments: the next epoch is equal bit for bit."""
    loaded = keras.saving.load_model(run["path"], safe_mode=True)
    own = case.own_names
    assert_equal_bits(values(loaded), run["saved"], paths=own)
    np.testing.assert_array_equal(loaded.predict(case.inputs, verbose=0), run["reconstruction"])
    assert loaded.jit_compile is False
    assert type(loaded.optimizer) is keras.optimizers.Adam
    assert loaded.optimizer.get_config() == run["model"].optimizer.get_config()
    assert loaded.fit(case.inputs, **FIT).history == run["history"][1]
    assert_equal_bits(values(loaded), run["after"], paths=own)


def test_config_round_trip(case, run):
    model = run["model"]
    clone = type(model).from_config(model.get_config())
    clone.build((None, *case.shape))
    config = without_build_config(model.get_config())
    assert without_build_config(clone.get_config()) == config
    layers, again = (list(m._flatten_layers()) for m in (model, clone))
    assert [(type(a), a.name) for a in layers] == [(type(b), b.name) for b in again]
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.reconstruct(case.inputs), model.reconstruct(case.inputs))
    assert without_build_config(load_model(run["path"]).get_config()) == config


def test_a_file_of_a_model_that_was_never_compiled_loads(case, tmp_path):
    model = case.make()
    model.build((None, *case.shape))
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert_equal_bits(values(loaded), values(model), paths=False)
    assert not loaded.compiled


def test_logged_values_and_their_relation(case, run):
    for history in run["history"]:
        assert all(np.isfinite(v).all() for v in history.values())
        if case.scores:
            bound = -np.add(history["nll"], history["kl"])
            np.testing.assert_allclose(history["elbo"], bound, rtol=1e-5)
        else:
            assert set(history) == {"loss", "nll"}
        if case.discrete:
            assert min(history["nll"]) > 0
        np.testing.assert_allclose(history["loss"], case.loss(history), rtol=1e-5)


def test_predict_rests_and_fit_draws(run):
    """Nothing is drawn outside of training and evaluation; there, each step draws anew."""
    model = run["model"]
    before = model.seed_state.numpy()
    first, again = (model.predict(run["inputs"], verbose=0) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(model.seed_state.numpy(), before)
    model(run["inputs"])
    np.testing.assert_array_equal(model.seed_state.numpy(), before)
    model(run["inputs"], training=True)
    assert np.any(model.seed_state.numpy() != before)
