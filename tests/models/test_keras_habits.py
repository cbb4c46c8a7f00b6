"""What people are used to from Keras: it works, or one message says what to do instead."""

import copy
import itertools
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.models.tiny import IMAGES, SHAPE, compiled, vae

QUIET = {"verbose": 0}
LABELS = np.arange(len(IMAGES))


@pytest.fixture(scope="module")
def model():
    fitted = compiled()
    fitted.fit(IMAGES, **QUIET)
    return fitted


def pairs(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(8)


def same(one, other):
    for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_an_autoencoders_targets_are_refused_with_what_to_do(model):
    for call in (
        lambda: model.fit(IMAGES, IMAGES, **QUIET),
        lambda: model.fit(IMAGES, validation_data=(IMAGES, IMAGES), **QUIET),
        lambda: model.fit(pairs(IMAGES, IMAGES), **QUIET),
        lambda: model.train_on_batch(IMAGES, IMAGES),
    ):
        with pytest.raises(ValueError, match=r"alone.* received targets.*: fit\(x\), or") as error:
            call()
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "arguments", [("adam", "mse"), ("adam", None, ["mse"])], ids=["loss", "by place"]
)
def test_a_loss_is_refused(arguments):
    with pytest.raises((ValueError, TypeError), match=r"loss='mse' was passed|positional"):
        vae().compile(*arguments)
    with pytest.raises(ValueError, match=r"metrics=\['mse'\] was passed"):
        vae().compile("adam", metrics=["mse"])


def test_looking_at_a_model(model):
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    for word in ("(Encoder)", "(Decoder)", "(None, 2)", "Trainable params"):
        assert word in "\n".join(lines)
    assert model.count_params() == sum(weight.size for weight in model.get_weights())
    assert model.layers == [model.encoder, model.decoder, model.prior, model.objective]
    assert model.get_layer("prior") is model.prior
    assert model.get_layer(index=0) is model.encoder


def test_names_of_metrics_are_those_of_what_evaluate_returns(model):
    named = dict(zip(model.metrics_names, model.evaluate(IMAGES, **QUIET), strict=True))
    assert named.keys() == {"loss", "elbo", "nll", "kl"}
    assert named["elbo"] == pytest.approx(-named["nll"] - named["kl"], rel=1e-5)
    as_dict = model.evaluate(IMAGES, return_dict=True, **QUIET)
    assert as_dict.keys() == named.keys()
    assert model.train_on_batch(IMAGES, return_dict=True).keys() == named.keys()


def test_copies(model):
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        same(model, other)
        other.fit(IMAGES, **QUIET)
        assert not np.array_equal(other.get_weights()[0], model.get_weights()[0])
    for other in (keras.models.model_from_json(model.to_json()), keras.models.clone_model(model)):
        other.build((None, *SHAPE))
        other.set_weights(model.get_weights())
        same(model, other)
    encoder = copy.deepcopy(model.encoder)
    np.testing.assert_array_equal(encoder(IMAGES).mean(), model.encoder(IMAGES).mean())


def test_one_seed_for_everything():
    runs = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        model = compiled(seed=None)
        runs.append(model.fit(IMAGES, batch_size=8, **QUIET).history)
    assert runs[0] == runs[1]


def test_a_global_policy_reaches_the_networks_and_scales_the_loss():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled()
        assert np.isfinite(model.fit(IMAGES, **QUIET).history["loss"][0])
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.encoder.network.dtype_policy.name == "mixed_float16"
    assert model.encoder.head.dtype_policy.name == "float32"
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def test_callbacks_of_keras(model, tmp_path):
    steps, epochs = [], []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: steps.append(batch),
        on_epoch_end=lambda epoch, logs: epochs.append(logs["val_elbo"]),
    )
    callbacks = [
        look,
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.TensorBoard(tmp_path / "board", update_freq="batch"),
        keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=2),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", "val_elbo", save_best_only=True),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
    ]
    history = model.fit(
        IMAGES,
        batch_size=5,
        epochs=2,
        validation_data=IMAGES,
        callbacks=callbacks,
        **QUIET,
    )
    assert steps == [0, 1, 2, 3, 0, 1, 2, 3]
    assert history.history["val_elbo"] == epochs
    log = (tmp_path / "log.csv").read_text()
    assert log.startswith("epoch,elbo,kl,")
    assert len(log.splitlines()) == 3
    assert {folder.name for folder in (tmp_path / "board").iterdir()} >= {"train", "validation"}
    assert tfvae.load_model(tmp_path / "best.keras").built


def test_stopping_and_going_on(model):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    before = int(model.optimizer.iterations)
    assert model.fit(IMAGES, batch_size=4, epochs=3, callbacks=[Stop()], **QUIET).epoch == [0]
    assert int(model.optimizer.iterations) == before + 1
    assert model.fit(IMAGES, initial_epoch=3, epochs=5, **QUIET).epoch == [3, 4]
    history = model.fit(
        IMAGES, validation_data=IMAGES, validation_freq=2, epochs=2, **QUIET
    ).history
    assert [len(history[name]) for name in ("elbo", "val_elbo")] == [2, 1]


def test_batches_by_name_from_a_generator_and_a_data_set(model):
    batches = ({"x": IMAGES[:10]} for _ in itertools.count())
    model.fit(batches, steps_per_epoch=3, **QUIET)
    by_name = tf.data.Dataset.from_tensor_slices({"x": IMAGES}).batch(8)
    expected = model.predict(IMAGES, **QUIET)
    np.testing.assert_allclose(model.predict(by_name, **QUIET), expected, rtol=1e-5)


def test_a_model_that_is_frozen_whole_says_so():
    model = compiled()
    model.trainable = False
    with pytest.raises(ValueError, match="nothing to train: all its layers are frozen"):
        model.fit(IMAGES, **QUIET)


def test_an_optimizer_with_averages_clipping_and_a_schedule():
    model = vae()
    rate = keras.optimizers.schedules.CosineDecay(1e-3, 100)
    optimizer = keras.optimizers.AdamW(rate, use_ema=True, clipnorm=1.0)
    model.compile(optimizer, jit_compile=False)
    assert np.isfinite(model.fit(IMAGES, epochs=2, **QUIET).history["loss"][-1])


def test_parts_serve_in_two_models():
    encoder, prior = vae().encoder, tfvae.priors.MixtureOfGaussians(2, 3)
    for _ in range(2):
        model = tfvae.VAE(encoder, vae().decoder, prior)
        model.compile("adam", jit_compile=False)
        before = np.array(encoder.head.projection.kernel) if encoder.built else None
        model.fit(IMAGES, **QUIET)
        assert not np.array_equal(before, encoder.head.projection.kernel)


def labelled():
    class Labelled(tfvae.VAE):
        """x, with a label beside it that it need not look at."""

        def fields(self):
            return {**super().fields(), "label": tfvae.data.Field.label(len(IMAGES))}

        def build(self, input_shape):
            super().build({"x": (None, *SHAPE)})

    parts = vae()
    model = Labelled(parts.encoder, parts.decoder, seed=1)
    model.compile("adam", jit_compile=False)
    return model


def test_images_with_labels_are_taken_in_the_order_of_the_fields():
    model = labelled()
    for data in ((IMAGES, LABELS), pairs(IMAGES, LABELS), {"label": LABELS, "x": IMAGES}):
        model.fit(data, validation_data=data, **QUIET)
        assert model.evaluate(data, return_dict=True, **QUIET)["nll"] > 0
        assert model.predict(data, **QUIET).shape == IMAGES.shape
    with pytest.raises(ValueError, match=r"fit\(\{'x': x, 'label': y\}\)"):
        model.fit(IMAGES, LABELS, **QUIET)
    with pytest.raises(ValueError, match=r"part number 3, float32 of shape \(None,\), is no field"):
        model.fit(pairs(IMAGES, LABELS, LABELS.astype("float32")), **QUIET)


def test_a_label_too_many_is_named(model):
    with pytest.raises(ValueError, match=r"part number 2, int64 of shape \(None,\), is no field"):
        model.fit(pairs(IMAGES, LABELS), **QUIET)
    with pytest.raises(ValueError, match="x has the field 'label', which the model does not have"):
        model.fit({"x": IMAGES, "label": LABELS}, **QUIET)
