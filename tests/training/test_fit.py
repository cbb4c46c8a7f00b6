"""The model through Keras: fit, evaluate, predict, callbacks, and what compile refuses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.models.tiny import IMAGES, SHAPE, compiled, vae
from tfvae import heads, networks, objectives

LOGGED = ["elbo", "kl", "loss", "nll"]


def dataset(batch=8, images=IMAGES):
    return tf.data.Dataset.from_tensor_slices(images).batch(batch)


@pytest.fixture(scope="module")
def fitted():
    """Two epochs on arrays with a remainder (20 = 2 x 8 + 4), validated."""
    model = compiled()
    options = {"batch_size": 8, "epochs": 2, "verbose": 0}
    history = model.fit(IMAGES, validation_data=IMAGES[:12], **options).history
    return model, history


def test_arrays_and_what_is_logged(fitted):
    _, history = fitted
    assert sorted(history) == sorted([*LOGGED, *(f"val_{name}" for name in LOGGED)])
    assert all(len(values) == 2 and np.isfinite(values).all() for values in history.values())
    np.testing.assert_allclose(history["loss"], np.negative(history["elbo"]), rtol=1e-5)


def test_logged_kl_is_numpys_closed_form_from_the_encoders_output():
    """At a learning rate of 0 the epoch's KL is the mean over all images, remainder weighted."""
    model = vae()
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    model.build((None, *SHAPE))
    kernel = model.encoder.head.projection.kernel
    kernel.assign(np.random.default_rng(0).normal(size=kernel.shape))
    history = model.fit(IMAGES, batch_size=8, shuffle=False, verbose=0).history
    posterior = model.encoder(IMAGES)
    loc, scale = (v.numpy().astype("float64") for v in (posterior.mean(), posterior.stddev()))
    kl = 0.5 * np.sum(loc**2 + scale**2 - 1 - 2 * np.log(scale), axis=1)
    assert history["kl"][0] == pytest.approx(kl.mean(), rel=1e-5)


def test_data_sets_with_a_remainder_and_validation(fitted):
    model = compiled()
    history = model.fit(dataset(), validation_data=dataset(), epochs=2, verbose=0).history
    assert sorted(history) == sorted(fitted[1])
    logs = model.evaluate(dataset(), verbose=0, return_dict=True)
    assert sorted(logs) == sorted(LOGGED)


def test_a_remainder_counts_by_its_images():
    """The mean over images, not over batches: a batch of one does not weigh as one of 19."""
    model = compiled()
    model.build((None, *SHAPE))
    posterior = model.encoder(IMAGES)
    loc, scale = posterior.mean().numpy(), posterior.stddev().numpy()
    kl = 0.5 * np.sum(loc**2 + scale**2 - 1 - 2 * np.log(scale), axis=1)
    logs = model.evaluate(dataset(batch=19), verbose=0, return_dict=True)
    assert logs["kl"] == pytest.approx(kl.mean(), rel=1e-4)
    logs = model.evaluate(IMAGES, batch_size=19, verbose=0, return_dict=True)
    assert logs["kl"] == pytest.approx(kl.mean(), rel=1e-4)


def test_predict_is_reconstruct_with_any_batch_size(fitted):
    model, _ = fitted
    expected = model.reconstruct(IMAGES).numpy()
    for predicted in (
        model.predict(IMAGES, batch_size=7, verbose=0),
        model.predict(dataset(batch=7), verbose=0),
    ):
        np.testing.assert_allclose(predicted, expected, atol=1e-6)


def test_predict_before_any_training():
    model = vae()
    assert model.predict(IMAGES, verbose=0).shape == IMAGES.shape


def test_eager_training_equals_compiled(fitted):
    model = vae()
    keras.utils.set_random_seed(0)
    runs = []
    for eagerly in (False, True):
        keras.utils.set_random_seed(0)
        model = vae()
        model.build((None, *SHAPE))
        model.compile("adam", run_eagerly=eagerly, jit_compile=False)
        runs.append(model.fit(dataset(), epochs=1, verbose=0).history)
    for name in LOGGED:
        assert runs[0][name] == pytest.approx(runs[1][name], rel=1e-5)


def test_training_learns_two_patterns_to_within_their_entropy():
    """log p(x) = -log 2 = -0.69 is the optimum; tanh, because few rectifiers may all be off."""
    model = tfvae.VAE(
        tfvae.Encoder(networks.MLP([16], activation="tanh"), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([16], activation="tanh"), heads.IndependentBernoulli(SHAPE)),
        seed=5,
    )
    model.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    images = np.repeat(IMAGES[:2], 32, axis=0)
    history = model.fit(images, batch_size=16, epochs=100, verbose=0).history
    assert history["elbo"][0] < -40
    assert -3 < history["elbo"][-1] < -0.6
    np.testing.assert_array_equal(model.reconstruct(images).numpy() > 0.5, images > 0.5)


def test_kl_weight_steers_the_loss_and_what_is_learned():
    logs = {}
    for weight in (0.0, 50.0):
        model = compiled(objective=objectives.ELBO(kl_weight=weight))
        history = model.fit(IMAGES, batch_size=4, epochs=15, verbose=0).history
        logs[weight] = {name: values[-1] for name, values in history.items()}
        expected = logs[weight]["nll"] + weight * logs[weight]["kl"]
        assert logs[weight]["loss"] == pytest.approx(expected, rel=1e-4)
    assert logs[50.0]["kl"] < 0.5 * logs[0.0]["kl"]


def test_changing_the_kl_weight_between_epochs_changes_a_compiled_step():
    """A variable, not a constant of the trace."""
    model = compiled()
    for weight in (1.0, 7.0):
        model.term_weight("kl").assign(weight)
        logs = model.fit(IMAGES, verbose=0).history
        expected = logs["nll"][0] + weight * logs["kl"][0]
        assert logs["loss"][0] == pytest.approx(expected, rel=1e-5)


# --- Callbacks and settings ------------------------------------------------------------------


def test_early_stopping_on_val_elbo_and_checkpoints(tmp_path):
    model = compiled()
    stop = keras.callbacks.EarlyStopping("val_elbo", mode="max", patience=0, min_delta=1e9)
    path = str(tmp_path / "best.keras")
    keep = keras.callbacks.ModelCheckpoint(path, "val_elbo", mode="max", save_best_only=True)
    options = {"epochs": 5, "validation_data": IMAGES, "verbose": 0}
    history = model.fit(IMAGES, callbacks=[stop, keep], **options).history
    assert len(history["loss"]) == 2, "the second epoch cannot be better by 1e9 nats"
    loaded = keras.saving.load_model(path)
    assert loaded.reconstruct(IMAGES).shape == IMAGES.shape


def test_weights_only_checkpoints(tmp_path):
    model = compiled()
    model.fit(IMAGES, verbose=0)
    model.save_weights(tmp_path / "w.weights.h5")
    other = vae()
    other.build((None, *SHAPE))
    other.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(other.reconstruct(IMAGES), model.reconstruct(IMAGES))


def test_several_steps_per_execution():
    model = vae()
    model.compile("adam", steps_per_execution=3, jit_compile=False)
    model.fit(dataset(batch=4), verbose=0)
    assert int(model.optimizer.iterations) == 5


def test_xla_is_the_default_and_repeats_bit_for_bit():
    histories, weights = [], []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        model = vae()
        model.compile("adam")
        assert model.jit_compile is True
        histories.append(model.fit(IMAGES, batch_size=8, epochs=2, verbose=0).history)
        weights.append(model.get_weights())
    assert histories[0] == histories[1]
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_other_seeds_give_other_runs():
    losses = []
    for seed in (1, 2):
        keras.utils.set_random_seed(0)
        losses.append(compiled(seed=seed).fit(IMAGES, shuffle=False, verbose=0).history["loss"])
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"loss": "mse"},
        {"loss": keras.losses.BinaryCrossentropy()},
        {"loss_weights": [1.0]},
        {"metrics": ["mae"]},
        {"weighted_metrics": ["mae"]},
    ],
)
def test_compile_refuses_a_loss_and_says_why(arguments):
    with pytest.raises(ValueError, match=r"was passed to compile\(\)") as error:
        vae().compile("adam", **arguments)
    message = str(error.value)
    assert f"{next(iter(arguments))}=" in message
    assert "objective" in message
    assert "ELBO" in message


def test_training_without_compile_says_so():
    for call in (vae().fit, vae().evaluate):
        with pytest.raises(ValueError, match="compile"):
            call(IMAGES, verbose=0)
