"""What stands on a trained encoder, as Keras users write it."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.extension import cases
from tests.models.test_frozen import X, model
from tfvae.errors import UserError


@pytest.fixture(scope="module")
def vae():
    built = model()
    built.build((None, 4, 4, 1))
    return built


def test_codes_are_the_posteriors_means(vae):
    codes = vae.code_model()
    expected = vae.encoder(X).mean().numpy()
    np.testing.assert_allclose(codes.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(codes(X), codes(X))


def test_draws_are_fresh_and_the_posteriors():
    vae = model()
    vae.build((None, 4, 4, 1))
    codes, posterior = vae.code_model(draw=True), vae.encoder(X[:1])
    x = np.repeat(X[:1], 4000, axis=0)
    first, second = codes(x).numpy(), codes(x).numpy()
    assert np.all(first != second)
    error = posterior.stddev().numpy()[0] / np.sqrt(len(x))
    assert np.all(np.abs(first.mean(axis=0) - posterior.mean().numpy()[0]) < 5 * error)
    covariance = posterior.covariance().numpy()[0]
    np.testing.assert_allclose(np.cov(first.T), covariance, atol=0.1 * covariance.max())


# A mean does not depend on what makes the scale, and Keras says so.
@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables.*below")
@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("style", ["sequential", "functional"])
def test_a_classifier_trains_on_it_and_is_loaded_by_keras(style, frozen, tmp_path):
    vae = model()
    vae.build((None, 4, 4, 1))
    codes = vae.code_model()
    codes.trainable = not frozen
    if style == "sequential":
        classifier = keras.Sequential([keras.Input((4, 4, 1)), codes, keras.layers.Dense(3)])
    else:
        inputs = keras.Input((4, 4, 1))
        classifier = keras.Model(inputs, keras.layers.Dense(3)(codes(inputs)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(0.1), loss)
    encoder = [np.array(v) for v in vae.encoder.variables]
    decoder = [np.array(v) for v in vae.decoder.variables]
    classifier.fit(X, np.arange(32) % 3, verbose=0)
    assert len(classifier.trainable_variables) == 2 + (0 if frozen else len(encoder))
    moved = [not np.array_equal(a, b) for a, b in zip(encoder, vae.encoder.variables, strict=True)]
    assert any(moved) is not frozen  # the weights are the encoder's own
    for before, after in zip(decoder, vae.decoder.variables, strict=True):
        np.testing.assert_array_equal(before, after)
    classifier.save(tmp_path / "classifier.keras")
    np.save(tmp_path / "x.npy", X)
    code = (
        "import sys, numpy as np, tfvae, keras\n"
        "m = keras.models.load_model(sys.argv[1])\n"
        "np.save(sys.argv[3], m.predict(np.load(sys.argv[2]), verbose=0))"
    )
    files = [str(tmp_path / name) for name in ("classifier.keras", "x.npy", "y.npy")]
    done = subprocess.run(
        [sys.executable, "-c", code, *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    again = keras.models.load_model(tmp_path / "classifier.keras")
    assert len(again.trainable_variables) == len(classifier.trainable_variables)
    expected = classifier.predict(X, verbose=0)
    np.testing.assert_allclose(np.load(files[2]), expected, rtol=1e-5, atol=1e-6)


def test_keras_inputs_into_the_encoder_itself_say_what_to_use(vae):
    with pytest.raises(UserError, match=r"returns a distribution.*code_model\(\)"):
        vae.encoder(keras.Input((4, 4, 1)))
    with pytest.raises(UserError, match=r"code_model\(\)"):
        keras.Sequential([keras.Input((4, 4, 1)), vae.encoder, keras.layers.Dense(3)])


@pytest.mark.parametrize("name", ["labelled", "levels"])
def test_strangers_fields_and_levels_come_by_name(name):
    case = next(case for case in cases.CASES if case.name == name)
    stranger = case.built()
    data = {n: np.zeros((4, *f.shape), f.dtype) for n, f in stranger.fields().items()}
    found = stranger.code_model().predict(data, verbose=0)
    expected = stranger.encode({n: tf.constant(v) for n, v in data.items()})
    tf.nest.map_structure(np.testing.assert_allclose, found, expected)


def test_encode_and_reconstruct_take_arrays_and_data_sets_in_batches(vae, capsys):
    data = tf.data.Dataset.from_tensor_slices(X).batch(5)
    expected = vae.encoder(X).mean().numpy()
    for codes in (vae.encode(X), vae.codes(data, batch_size=7), vae.encode(data)):
        assert isinstance(codes, np.ndarray)
        assert codes.dtype == np.float32
        np.testing.assert_allclose(codes, expected, rtol=1e-5, atol=1e-6)
    whole = vae.reconstruct(X).numpy()
    for rebuilt in (vae.reconstruct(data), vae.reconstruct(X, batch_size=9)):
        np.testing.assert_allclose(rebuilt, whole, rtol=1e-5, atol=1e-6)
    vae.codes(X, verbose=1)
    vae.reconstruct(data, verbose=1)
    said = capsys.readouterr().out
    assert "32/32" in said  # examples
    assert "7/7" in said  # batches


def test_a_call_outside_of_training_is_what_predict_returns(tmp_path):
    vae = model()
    vae.build((None, 4, 4, 1))
    expected = vae.predict(X, verbose=0)
    for _ in range(2):
        np.testing.assert_allclose(vae(X), expected, rtol=1e-5, atol=1e-6)
    inputs = keras.Input((4, 4, 1))
    functional = keras.Model(inputs, vae(inputs))
    for _ in range(2):
        found = functional.predict(X, verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert np.any(vae(X, training=True).numpy() != vae(X, training=True).numpy())
    vae.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(tmp_path / "served")
    for _ in range(2):
        np.testing.assert_allclose(served.serve(X), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("call", ["__call__", "reconstruct", "encode"])
@pytest.mark.parametrize(
    ("x", "said"),
    [(255 * X, "expected values in"), (X[:, :3], "shape"), (np.full_like(X, np.nan), "finite|NaN")],
)
def test_direct_calls_refuse_what_fit_does(vae, call, x, said):
    with pytest.raises(UserError, match=said):
        getattr(vae, call)(x)


def test_gradients_by_x_pass_through_a_direct_call(vae):
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(vae(x))
    assert np.any(tape.gradient(total, x).numpy() != 0)


def test_priors_are_sampled_with_defaults(vae):
    prior = vae.prior
    assert prior.sample().shape == (1, 2)
    assert np.any(prior.sample(5).numpy() != prior.sample(5).numpy())
    np.testing.assert_array_equal(
        vae.decoder(prior.sample(5, seed=3)).mean(), vae.sample(5, seed=3)
    )
    fresh = tfvae.priors.StandardNormal(3).sample(20_000, seed=0).numpy()
    np.testing.assert_allclose(np.cov(fresh.T), np.eye(3), atol=0.05)


def test_fit_shows_its_arguments():
    import inspect

    shown = list(inspect.signature(tfvae.VAE.fit).parameters)
    theirs = list(inspect.signature(keras.Model.fit).parameters)
    assert shown == theirs
