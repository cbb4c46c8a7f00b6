"""`fit` and `evaluate` on data that stay on the device: what Keras does, in fewer programs."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tfvae.data import Field
from tfvae.training.device_loop import DeviceLoop
from tfvae.training.executions import STEPS
from tfvae.training.placing import placed
from tfvae.training.resident import ResidentData, on_device


def make(seed=1, jit_compile=False, **compiled):
    """Not through XLA, unless that is what a test is about: it compiles four times longer."""
    keras.utils.set_random_seed(seed)
    heads, networks = tfvae.heads, tfvae.networks
    vae = tfvae.VAE(
        tfvae.Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli((8, 8, 1))),
        seed=seed,
    )
    vae.build((None, 8, 8, 1))
    vae.compile(keras.optimizers.Adam(1e-2), jit_compile=jit_compile, **compiled)
    return vae


def streamed(dataset):
    """The same batches, without what tells the model how they were made."""
    return dataset.map(lambda images: images)


def resident(dataset, **options):
    return on_device(dataset, {"x": Field((8, 8, 1))}, None, shuffled=True, seed=0, **options)


def load(**arguments):
    return tfvae.data.load("digits", batch_size=100, **arguments)


@pytest.fixture(scope="module")
def images():
    return np.concatenate(list(load()[1]))  # 359 images


def assert_same(first, second):
    """Two programs for the same arithmetic: XLA orders sums by how they are fused."""
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("binarisation", ["dynamic", "static", "none"])
def test_batches_are_those_of_the_pipeline(binarisation):
    (train, test), (train_too, test_too) = (
        load(binarisation=binarisation),
        load(binarisation=binarisation),
    )
    for dataset, batches in ((train, resident(train_too)), (test, resident(test_too))):
        for _ in range(2):  # two epochs, with a last batch that is smaller
            pairs = list(zip(dataset, batches, strict=True))
            assert len(pairs) == batches.num_batches
            for expected, images in pairs:
                np.testing.assert_array_equal(expected, images)


@pytest.mark.parametrize("jit_compile", [False, "auto"])
def test_history_is_that_of_keras_own_loop(jit_compile):
    even = {"batch_size": 359, "drop_remainder": True} if jit_compile else {"batch_size": 100}
    histories = []
    for change in (lambda dataset: dataset, streamed):
        train, test = tfvae.data.load("digits", seed=3, **even)
        vae = make(jit_compile=jit_compile)
        fit = vae.fit(change(train), epochs=2, validation_data=change(test), verbose=0)
        histories.append({**fit.history, "again": list(vae.evaluate(change(test), verbose=0))})
    assert_same(*histories)


def test_one_fit_of_two_epochs_is_two_fits_of_one(images):
    once, twice = make(), make()
    once.fit(images, batch_size=100, epochs=2, verbose=0)
    for _ in range(2):
        twice.fit(images, batch_size=100, epochs=1, verbose=0)
    for first, second in zip(once.get_weights(), twice.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_nothing_is_compiled_again_by_a_second_fit_or_evaluation():
    train, test = load()
    vae = make()
    vae.fit(train, epochs=1, validation_data=test, verbose=0)
    functions = vae.train_function, vae.test_function
    traced = []
    vae.loss_terms = lambda *arguments: traced.append(arguments)  # called while tracing alone
    vae.fit(train, epochs=2, validation_data=test, verbose=0)
    vae.evaluate(test, verbose=0)
    assert not traced
    assert functions == (vae.train_function, vae.test_function)


def test_callbacks_that_look_at_batches_see_every_one():
    class Count(keras.callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1
            assert logs["loss"] > 0

    train, _ = load()
    vae, count = make(), Count()
    vae.fit(train, epochs=1, callbacks=[count], verbose=0)
    assert count.seen == 15
    seen = []
    look = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    vae.fit(train, epochs=1, callbacks=look, verbose=0)
    assert seen == list(range(15))


def test_executions_are_as_long_as_asked_for():
    class Calls(keras.callbacks.TerminateOnNaN):
        """One of Keras' own: it does not mind."""

        def set_model(self, model):
            super().set_model(model)
            self.steps = model.steps_per_execution

    train, _ = load()
    calls = Calls()
    vae = make()
    vae.fit(train, callbacks=[calls], verbose=0)
    assert calls.steps == min(STEPS, 15)
    assert vae.steps_per_execution == 1, "restored"
    vae = make(steps_per_execution=4)
    vae.fit(train, callbacks=[calls], verbose=0)
    assert calls.steps == 4
    assert int(vae.optimizer.iterations) == 15


@pytest.mark.parametrize("change", [lambda dataset: dataset, streamed])
def test_as_many_steps_run_as_asked_for(change):
    """Keras runs whole executions, so their length has to divide these counts."""
    train, test = tfvae.data.load("digits", batch_size=10)  # 144 and 36 batches
    vae, validated = make(), []
    count = keras.callbacks.LambdaCallback(
        on_test_end=lambda logs: validated.append(float(vae.trackers["kl"].count))
    )
    validation = {"validation_data": change(test), "validation_steps": 3}
    vae.fit(change(train), steps_per_epoch=10, epochs=2, callbacks=count, verbose=0, **validation)
    assert int(vae.optimizer.iterations) == 20
    vae.fit(change(train), callbacks=count, verbose=0, **validation)
    assert int(vae.optimizer.iterations) == 20 + 144
    vae.evaluate(change(test), steps=7, callbacks=count, verbose=0)
    assert validated == [30.0, 30.0, 30.0, 70.0]


def test_floats_and_bytes_of_one_shape_are_two_recipes(images, tmp_path):
    vae = make()
    np.savez(tmp_path / "x.npz", x_train=np.uint8(255 * images), x_test=np.uint8(255 * images[:1]))
    vae.fit(images, batch_size=32, verbose=0)
    train, _ = tfvae.data.load(tmp_path / "x.npz", 32, "none", seed=1)
    vae.fit(train, verbose=0)
    assert int(vae.optimizer.iterations) == 24


def test_a_restored_run_ends_with_the_same_weights(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    whole = make()
    whole.fit(load(seed=3)[0], epochs=3, verbose=0)
    backup = keras.callbacks.BackupAndRestore(tmp_path)
    killed = make()
    with pytest.raises(KeyboardInterrupt):
        killed.fit(load(seed=3)[0], epochs=3, callbacks=[backup, Stop()], verbose=0)
    restored = make(seed=9)
    restored.fit(load(seed=3)[0], epochs=3, callbacks=[backup], verbose=0)
    for first, second in zip(whole.get_weights(), restored.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_validation_split_and_a_batch_larger_than_the_data(images):
    vae = make()
    history = vae.fit(images, batch_size=1000, validation_split=0.25, verbose=0).history
    assert history["val_elbo"][0] < 0
    assert int(vae.optimizer.iterations) == 1
    with pytest.raises(ValueError, match=r"validation_split=1\.5 leaves"):
        vae.fit(images, validation_split=1.5, verbose=0)


def test_eager_and_custom_ways_are_keras_own(images):
    vae = make(run_eagerly=True)
    assert np.isfinite(vae.fit(images[:64], verbose=0).history["loss"][0])
    vae = make()
    vae.fit(images, steps_per_epoch=2, verbose=0)
    assert int(vae.optimizer.iterations) == 2


def test_settings_of_compile_survive_saving(tmp_path):
    vae = make()
    vae.optimizer.build(vae.trainable_variables)
    vae.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_compile_config()["steps_per_execution"] == "auto"


def test_large_data_stream(images, monkeypatch):
    monkeypatch.setattr("tfvae.training.resident.LIMIT_BYTES", 1000)
    train, _ = load()
    vae = make()
    assert not isinstance(placed(vae, train, None, whole=True), ResidentData)
    assert not isinstance(placed(vae, images, 32, whole=True), ResidentData)


def test_the_compiled_step_never_leaves_the_device():
    """One loop, no host computation, callback or transfer; the pixels are an argument."""
    data = resident(load()[0])
    vae = make()
    vae.optimizer.build(vae.trainable_variables)
    epoch = iter(data)
    (run,) = epoch.take(2)
    loop = DeviceLoop(vae.train_step, jit_compile=True)
    program, arguments = loop.program(epoch, *run)
    compiled = loop.loop(data, 100, None)
    hlo = compiled.experimental_get_compiler_ir(*arguments)(stage="hlo")
    entry = hlo[hlo.index("ENTRY") :]
    assert "f32[1438,8,8,1]{3,2,1,0} parameter(0)" in entry
    assert len(re.findall(r" while\(", hlo)) == 1
    assert not re.findall(r"(infeed|outfeed|send|recv|custom-call)\(", hlo)
    # Neither data sets, Python nor copies to or from the host among the operations it came from.
    operations = {operation.type for operation in program.graph.get_operations()}
    assert not operations & {"PyFunc", "EagerPyFunc", "IteratorGetNext", "HostCopy"}
    assert data.columns()["x"].device == tf.zeros(()).device


@pytest.mark.parametrize("depthwise", [False, True])
def test_xla_is_used_where_it_pays(depthwise):
    """Not for convolutions on a CPU, for which it has no fast kernel, nor for depthwise ones."""
    image, networks = (8, 8, 1), tfvae.networks
    alone = keras.Sequential([keras.layers.DepthwiseConv2D(3), keras.layers.Flatten()])
    vae = tfvae.VAE(
        tfvae.Encoder(
            alone if depthwise else networks.Conv([2]), tfvae.heads.MultivariateNormalDiag(2)
        ),
        tfvae.Decoder(networks.MLP([4]), tfvae.heads.IndependentBernoulli(image)),
    )
    vae.compile()
    assert vae.jit_compile == bool(tf.config.list_logical_devices("GPU"))
    assert make(jit_compile="auto").jit_compile
