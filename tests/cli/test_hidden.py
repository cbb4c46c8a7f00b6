"""Runs on data that lack entries or quadrants, from the command line to the numbers."""

import json
import re

import numpy as np
import pytest

from tests.cli.test_conditional import QUICK
from tfvae import load_model, presets

# The prior has units of its own.
SMALL = tuple("--network.units" if word == "--units" else word for word in QUICK)


def metrics(path):
    return json.loads((path / "metrics.json").read_text())["test"]


def test_a_table_with_holes_trains_and_is_evaluated(command, tmp_path):
    code, said = command("train", "breast-cancer-missing", *QUICK)
    assert code == 0, said
    run = tmp_path / "runs" / "breast-cancer-missing"
    found = metrics(run)
    assert found["log_likelihood"] > found["elbo"] - 1
    assert found["bits_per_dimension"] is None
    code, said = command("evaluate", str(run))
    assert code == 0, said
    assert "bits" not in said
    assert load_model(run / "model.keras").fields()["seen"].shape == (30,)


def test_quadrants_are_predicted_and_evaluated(command, tmp_path):
    code, said = command("train", "digits-quadrants", "--quadrants", "2", *SMALL)
    assert code == 0, said
    run = tmp_path / "runs" / "digits-quadrants"
    # 32 of 64 bits: far more than one bit each would say that whole images are counted.
    assert -35 < metrics(run)["log_likelihood"] < 0
    assert (run / "pictures" / "samples.png").is_file()
    assert set(load_model(run / "model.keras").conditions()) == {"visible"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--model", "missing_data"), "no column 'seen'.*missing.0.5 makes one"),
        (("train", "digits", "--missing", "0.5", "--quadrants", "1"), "give one of them"),
        (("train", "digits", "--missing", "1.5"), "share below 1"),
        (("train", "digits", "--missing-pattern", "block"), "give missing, too"),
    ],
)
def test_what_does_not_go_together_is_refused(command, words, message):
    code, said = command(*words, *QUICK)
    assert code != 0
    assert re.search(message, said), said


def test_new_images_that_can_not_be_cut_up_are_refused_by_name(command, tmp_path):
    assert command("train", "digits-super-resolution", *SMALL)[0] == 0
    np.save(tmp_path / "odd.npy", np.zeros((3, 7, 8, 1), "float32"))
    code, said = command("anomaly", "runs/digits-super-resolution", "odd.npy")
    assert code == 1
    assert "low_resolution" in said or "--low-resolution 2 does not divide" in said


@pytest.mark.parametrize(
    "name",
    [
        "breast-cancer-missing",
        "breast-cancer-self-masking",
        "digits-missing",
        "digits-quadrants",
        "mnist-missing",
        "mnist-quadrants",
    ],
)
def test_the_models_of_presets_are_made_without_data(name):
    model = presets.model(name, latent_size=2, **{"network.units": (8,)})
    assert len(model.fields()) > 1
