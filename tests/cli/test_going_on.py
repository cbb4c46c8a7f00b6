"""A run goes on with more epochs and with its own data, and says when it came to nothing."""

import json

import keras
import numpy as np
import pytest

import tfvae
from tfvae import presets
from tfvae.data.fingerprint import fingerprint
from tfvae.errors import UserError
from tfvae.runs.datasets import load_data
from tfvae.runs.measuring import has_diverged
from tfvae.runs.training import train
from tfvae.training.averages import swap_averages

SMALL = {
    "epochs": 2,
    "batch_size": 16,
    "units": (8,),
    "latent_size": 2,
    "eval_samples": 3,
    "eval_examples": 4,
    "schedule": "constant",
}


@pytest.fixture
def data(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((40, 4, 4, 1), "float32"))
    return tmp_path / "x.npy"


def run(data, folder, **changes):
    settings = presets.get(dataset=str(data), likelihood="normal", **{**SMALL, **changes})
    return train(settings, folder, report=lambda _: None)


WHOLE = {"epochs": 4, "batch_size": 36}  # all that are not held out, in one step
AVERAGED = {
    "average_decay": 0.9,
    "network.batch_normalisation": True,
    "statistics": "training",
}


@pytest.mark.parametrize("changes", [{}, AVERAGED], ids=["plain", "averaged"])
def test_a_finished_run_goes_on_with_more_epochs_to_the_same_weights(data, tmp_path, changes):
    run(data, tmp_path / "a", **changes)
    longer, whole = (
        run(data, tmp_path / "a", epochs=5, **changes),
        run(data, tmp_path / "b", epochs=5, **changes),
    )
    assert longer.metrics["epochs"] == 5
    for ours, theirs in zip(longer.model.weights, whole.model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    pairs = zip(longer.model.optimizer.variables, whole.model.optimizer.variables, strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)
    text = (tmp_path / "a" / "history.csv").read_text("utf-8")
    assert [line.split(",")[0] for line in text.splitlines()] == ["epoch", *"12345"]
    assert longer.folder.read_config()["epochs"] == 5
    assert longer.folder.finished
    with pytest.raises(UserError, match="holds another run: --epochs is 5 there and 3 here"):
        run(data, tmp_path / "a", epochs=3, **changes)
    with pytest.raises(UserError, match="--seed is 0 there and 1 here; --epochs is 5 there"):
        run(data, tmp_path / "a", epochs=9, seed=1, **changes)


class Kept(keras.callbacks.Callback):
    """Keeps the weights after each epoch."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append([weight.numpy() for weight in self.model.trainable_weights])


def test_averages_and_new_statistics_are_what_is_saved(data, tmp_path, monkeypatch):
    """Of epochs of one step: the averages by hand, from the weights at each step's end."""
    kept = Kept()
    with monkeypatch.context() as patch:
        patch.setattr("tfvae.settings.building.callbacks", lambda settings: [kept])
        options = {**WHOLE, "network.batch_normalisation": True}
        plain = run(data, tmp_path / "a", **options).model
    averaged = run(data, tmp_path / "b", **WHOLE, **AVERAGED).model
    decay, averages = AVERAGED["average_decay"], kept.weights[0]
    for weights in kept.weights[1:]:
        pairs = zip(averages, weights, strict=True)
        averages = [decay * average + (1 - decay) * weight for average, weight in pairs]
    assert len(kept.weights) == int(plain.optimizer.iterations) == WHOLE["epochs"]
    for average, ours in zip(averages, averaged.trainable_weights, strict=True):
        np.testing.assert_allclose(ours, average, rtol=1e-5, atol=1e-6)
    assert not np.allclose(averages[0], kept.weights[-1][0], atol=1e-4)
    swap_averages(averaged)
    for trained, ours in zip(plain.trainable_weights, averaged.trainable_weights, strict=True):
        np.testing.assert_array_equal(trained, ours)  # what trained is kept beside the averages
    swap_averages(averaged)
    loaded = tfvae.load_model(tmp_path / "b" / "model.keras")
    for saved, ours in zip(loaded.weights, averaged.weights, strict=True):
        np.testing.assert_array_equal(saved, ours)
    layer = averaged.encoder.network.normalisations[0]
    found = layer.moving_mean.numpy()
    x = np.concatenate(list(load_data(averaged_settings(data))[0].as_numpy_iterator()))
    sums = x.reshape(len(x), -1) @ averaged.encoder.network.hidden[0].kernel.numpy()
    np.testing.assert_allclose(found, sums.mean(axis=0), rtol=1e-4, atol=1e-5)


def averaged_settings(data):
    return presets.get(dataset=str(data), likelihood="normal", **{**SMALL, **WHOLE, **AVERAGED})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"statistics": "training"}, "no batch normalisation that trains"),
        ({"statistics_temperature": 0.7}, "--statistics-temperature 0.7 is of samples"),
    ],
)
def test_statistics_that_are_not_there_are_refused_before_training(
    data, tmp_path, changes, message
):
    with pytest.raises(UserError, match=message):
        run(data, tmp_path / "a", **changes)
    assert not (tmp_path / "a").exists()


def test_an_extended_run_that_is_killed_goes_on(data, tmp_path, monkeypatch):
    run(data, tmp_path / "a")

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tfvae.runs.stage.fit", killed)
        with pytest.raises(KeyboardInterrupt):
            run(data, tmp_path / "a", epochs=5)
    assert not (tmp_path / "a" / "metrics.json").exists()
    assert run(data, tmp_path / "a", epochs=5).metrics["epochs"] == 5


def test_other_data_in_the_place_of_a_runs_own_are_refused(data, tmp_path, tfvae_command):
    finished = run(data, tmp_path / "a").folder
    config = json.loads(finished.config.read_text("utf-8"))
    assert config["data"] == fingerprint(data)
    x = np.load(data)
    np.save(data, 1 - x)
    with pytest.raises(UserError, match=r"is a run on other data: .*x.npy has been replaced"):
        run(data, tmp_path / "a", epochs=5)
    for command in ("evaluate", "export"):
        done = tfvae_command(command, tmp_path / "a")
        assert done.code == 1
        assert "is a run on other data" in done.err
    np.save(data, x)  # at another time: what counts is what it holds
    assert run(data, tmp_path / "a", epochs=3).metrics["epochs"] == 3


@pytest.mark.parametrize(
    ("elbo", "untrained", "diverged"),
    [(-1.2e8, -43.0, True), (float("nan"), -43.0, True), (-44.0, -43.0, False), (5.0, -2.0, False)],
)
def test_divergence_is_to_be_far_below_the_beginning(elbo, untrained, diverged):
    assert has_diverged(elbo, untrained) is diverged


def test_a_run_that_came_to_nothing_exits_with_1(data, tmp_path, tfvae_command):
    done = tfvae_command(
        *("train", "--dataset", data, "--runs-dir", tmp_path, "--no-export", "--units", "8"),
        *("--epochs", "2", "--eval-samples", "3", "--learning-rate", "30", "--batch-size", "4"),
        *("--latent-size", "2"),
    )
    assert done.code == 1
    assert "Training diverged" in done.err
    assert "lower --learning-rate" in done.err
