"""A run that is killed in the middle of an epoch ends as one that never was."""

import csv
import json

import numpy as np
import pytest

import tfvae
from tests.cli.conftest import EPOCHS_BEFORE, SETTINGS
from tfvae import presets


def _rows(text):
    return [
        {name: value for name, value in row.items() if name != "seconds"}
        for row in csv.DictReader(text.splitlines())
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same run, never killed; its evaluation and pictures are not needed."""
    from tfvae.runs import training

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "measure", lambda *_: {})
        patch.setattr(training, "draw", lambda *_: [])
        path = tmp_path_factory.mktemp("whole") / "whole"
        config = presets.get("digits", **SETTINGS)
        return training.train(config, path, report=lambda line: None)


def test_weights_and_optimizer_are_bit_identical(resumed, whole):
    ours, theirs = resumed[0].model, whole.model
    for a, b in zip(
        [*ours.weights, *ours.optimizer.variables],
        [*theirs.weights, *theirs.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


def test_history_is_continuous(killed_history, resumed, whole):
    run, said = resumed
    rows = _rows(run.folder.history.read_text("utf-8"))
    assert len(_rows(killed_history[1])) == EPOCHS_BEFORE
    assert any(f"after epoch {EPOCHS_BEFORE} " in line for line in said)
    assert rows == _rows(whole.folder.history.read_text("utf-8"))
    assert [float(row["kl_weight"]) for row in rows] == pytest.approx([1 / 6, 1 / 2, 5 / 6])


def test_saved_model_is_the_trained_one(resumed):
    run, _ = resumed
    loaded = tfvae.load_model(run.folder.model)
    for a, b in zip(loaded.weights, run.model.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


def test_folder_holds_what_the_run_promises_and_nothing_else(resumed):
    run, _ = resumed
    names = {path.name for path in run.folder.path.iterdir()}
    assert names == {"model.keras", "config.json", "metrics.json", "history.csv", "pictures"}
    pictures = {path.stem for path in run.folder.pictures.iterdir()}
    curves = {"reconstructions", "samples", "latent_scatter", "training_curves"}
    assert pictures == {*curves, "manifold"}
    config = json.loads(run.folder.config.read_text("utf-8"))
    assert config["settings"]["units"] == [16]
    assert config["settings"]["likelihood"] == "bernoulli"
    assert {"tfvae", "tensorflow", "keras", "python"} <= set(config["versions"])
    metrics = json.loads(run.folder.metrics.read_text("utf-8"))
    assert metrics["test"]["log_likelihood"] < 0
    assert (metrics["test"]["num_samples"], metrics["test"]["num_images"]) == (5, 20)
