"""Checkpoints that can't be used, and losses that can't be saved."""

import json
import math

import keras
import numpy as np
import pytest

import tfvae
from tests.models import test_phases
from tests.models.tiny import IMAGES
from tfvae.runs.checkpoint import Checkpoint
from tfvae.training.averages import swap_averages


def _model(units):
    model = keras.Sequential([keras.layers.Dense(units)])
    model.build((None, 3))
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def checkpoint(tmp_path):
    made = Checkpoint(tmp_path / "checkpoint.npz", tmp_path / "history.csv")
    made.set_model(_model(2))
    made.on_train_begin()
    made.on_epoch_end(0, {"loss": 1.0})
    return made


def test_restores_variables_and_history(checkpoint):
    other, model = Checkpoint(checkpoint.path, checkpoint.history), _model(2)
    assert other.restore(model) == 1
    assert other.rows == checkpoint.rows
    for a, b in zip(model.weights, checkpoint.model.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("kind", [test_phases.TwoPhases, tfvae.VAE])
def test_a_trained_model_is_taken_over_with_what_trained_it(tmp_path, kind):
    """A finished run has averages in the weights' place, and goes on from the weights."""

    def made():
        optimizer = keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.8)
        model = test_phases.make(kind, optimizer)
        model.optimizer.build(model.trainable_variables)
        return model

    trained, model = made(), made()
    checkpoint = Checkpoint(tmp_path / "checkpoint.npz", tmp_path / "history.csv")
    trained.fit(IMAGES, epochs=2, callbacks=[checkpoint], verbose=0)
    checkpoint.restore(trained)
    raw = [variable.numpy() for variable in (*trained.weights, *trained.optimizer.variables)]
    before = trained.trainable_weights[0].numpy()
    swap_averages(trained)
    assert not np.allclose(trained.trainable_weights[0], before)
    assert Checkpoint(checkpoint.path, checkpoint.history).take_over(trained, model) == 2
    for variable, value in zip((*model.weights, *model.optimizer.variables), raw, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_a_kill_between_the_two_files_loses_no_history(checkpoint):
    written = checkpoint.history.read_bytes()
    checkpoint.history.unlink()
    Checkpoint(checkpoint.path, checkpoint.history).restore(_model(2))
    assert checkpoint.history.read_bytes() == written


def test_absent_checkpoint_is_the_beginning(tmp_path):
    assert Checkpoint(tmp_path / "none.npz", tmp_path / "history.csv").restore(_model(2)) == 0


def test_other_model_is_refused(checkpoint):
    with pytest.raises(ValueError, match=r"of another model.*--overwrite"):
        Checkpoint(checkpoint.path, checkpoint.history).restore(_model(4))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_damaged_checkpoint_is_refused(checkpoint, share):
    content = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"checkpoint\.npz can't be read"):
        Checkpoint(checkpoint.path, checkpoint.history).restore(_model(2))


def change(name, value):
    def changed(arrays):
        return {**arrays, name: value(arrays.get(name))}

    return changed


def state(**changes):
    def changed(content):
        described = json.loads(content.tobytes())
        return np.frombuffer(json.dumps(described | changes).encode(), np.uint8)

    return change("state", changed)


# The last two variables are the optimizer's momenta of the bias.
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda arrays: {n: a for n, a in arrays.items() if n != "variable_1"}, "of another model"),
        (change("variable_99", lambda _: np.zeros(3)), "of another model"),
        (change("variable_0", lambda a: a.astype("float64")), "variable_0.npy is float64"),
        (change("variable_1", lambda a: a[:-1]), r"variable_1.npy is float32 of shape \(1,\)"),
        (change("variable_7", lambda a: a[:-1]), r"variable_7.npy is float32 of shape \(1,\)"),
        (change("variable_0", lambda a: np.asfortranarray(a)), "variable_0.npy is float32"),
        (state(variables=["dense/kernel"] * 8), "of another model"),
        (state(history=[{"loss": 1.0}]), "history is damaged"),
        (state(history=[{"epoch": "1"}]), "history is damaged"),
        (state(history=3), "history is damaged"),
        (change("state", lambda _: np.frombuffer(b"[" * 10_000, np.uint8)), "nested more than"),
    ],
)
def test_a_checkpoint_restores_every_variable_or_none(checkpoint, edit, message):
    with np.load(checkpoint.path) as file:
        arrays = dict(file)
    assert len(arrays) == 9  # two weights, their momenta, iteration and learning rate; the state
    np.savez(checkpoint.path, **edit(arrays))
    model = _model(2)
    before = [value.numpy() for value in (*model.weights, *model.optimizer.variables)]
    with pytest.raises(ValueError, match=message):
        Checkpoint(checkpoint.path, checkpoint.history).restore(model)
    for value, expected in zip((*model.weights, *model.optimizer.variables), before, strict=True):
        np.testing.assert_array_equal(value.numpy(), expected)


def test_a_compressed_checkpoint_is_refused_before_it_is_unpacked(checkpoint):
    with np.load(checkpoint.path) as file:
        np.savez_compressed(checkpoint.path, **dict(file))
    with pytest.raises(ValueError, match="it is compressed"):
        Checkpoint(checkpoint.path, checkpoint.history).restore(_model(2))


def test_diverged_epoch_is_an_error_and_not_saved(checkpoint):
    before = checkpoint.path.read_bytes()
    with pytest.raises(FloatingPointError, match=r"diverged in epoch 2.*lower learning_rate"):
        checkpoint.on_epoch_end(1, {"loss": math.nan})
    assert checkpoint.path.read_bytes() == before
