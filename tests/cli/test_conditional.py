"""A run of a conditional model: its columns are its conditions."""

import re

import numpy as np
import pytest

from tfvae import load_model, presets

QUICK = ("--epochs", "1", "--latent-size", "2", "--units", "8", "--no-export")
QUICK += ("--eval-samples", "5", "--eval-examples", "20")


def test_it_trains_and_draws_what_it_is_told(command, tmp_path):
    code, said = command("train", "digits-conditional", *QUICK)
    assert code == 0, said
    run = tmp_path / "runs" / "digits-conditional"
    assert (run / "pictures" / "classes.png").is_file()
    model = load_model(run / "model.keras")
    np.save("label.npy", np.arange(4))
    four = range(4)
    for given, labels in (("label=3", 3), ("label=[0,1,2,3]", four), ("label=label.npy", four)):
        chosen = ("--num-samples", 4, "--condition", given, "--output", "drawn.npy")
        code, said = command("sample", "runs/digits-conditional", *chosen)
        assert code == 0, said
        expected = model.sample(4, seed=0, label=labels)
        np.testing.assert_allclose(np.load("drawn.npy"), expected, atol=1e-6)


def test_columns_of_a_file_are_conditions(command, tmp_path):
    rng = np.random.default_rng(0)
    columns = {"x": rng.normal(size=(60, 5)), "dose": rng.normal(size=(60, 2))}
    np.savez("table.npz", **{n: v.astype("float32") for n, v in columns.items()})
    chosen = ("--dataset", "table.npz", "--fields", "x,dose", "--name", "table")
    code, said = command("train", "--model", "conditional", *chosen, *QUICK)
    assert code == 0, said
    model = load_model(tmp_path / "runs" / "table" / "model.keras")
    assert {name: field.shape for name, field in model.conditions().items()} == {"dose": (2,)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--model", "conditional"), "no conditions.*--fields x,label"),
        (("train", "digits-conditional", "--fields", "x,lable"), "Did you mean 'label'"),
        (("train", "digits", "--prior", "conditional_normal"), "a VAE has none to give"),
        (("benchmark", "digits-conditional", "--images", "200"), "random images alone"),
    ],
)
def test_what_does_not_fit_is_refused(command, arguments, message):
    code, said = command(*arguments)
    assert code != 0
    assert "Traceback" not in said
    assert re.search(message, said), said


def test_a_preset_is_a_model_without_its_data():
    model = presets.model("digits-conditional", units=(8,))
    assert model.conditions()["label"].classes == range(10)
