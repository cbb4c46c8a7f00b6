"""What a run says of its data before it trains."""

import numpy as np
import pytest

from tfvae import presets
from tfvae.errors import UserError
from tfvae.runs.datasets import load_data, model_and_data, report_bits


@pytest.mark.parametrize(
    ("likelihood", "bits", "said"),
    [
        ("normal", True, ["For bits, choose --likelihood bernoulli"]),
        ("normal", False, []),
        ("bernoulli", True, []),
        ("bernoulli", False, ["hold more than 0 and 1, and --likelihood bernoulli"]),
        ("categorical", True, ["is of grey levels. For those, choose --binarisation none"]),
        ("categorical", False, []),
    ],
)
def test_bits_under_a_density_and_grey_under_a_mass_are_reported(tmp_path, likelihood, bits, said):
    pixels = np.random.default_rng(0).random((20, 4, 4)) > 0.5
    np.save(tmp_path / "x.npy", pixels if bits else np.float32(0.5 * pixels + 0.25))
    config = presets.get(dataset=str(tmp_path / "x.npy"), likelihood=likelihood)
    lines = []
    report_bits(config, config.model((4, 4, 1)), load_data(config)[1], lines.append)
    assert len(lines) == len(said)
    assert all(text in line for text, line in zip(said, lines, strict=True))


def test_codes_are_for_models_of_codes(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 5, (20, 4, 4), "int32"))
    with pytest.raises(UserError, match="taken for codes, and VAE is no model of codes"):
        model_and_data(presets.get(dataset=str(tmp_path / "x.npy")))
    codes = {"dataset": str(tmp_path / "x.npy"), "model": "pixel_cnn", "num_levels": 5}
    model, _ = model_and_data(presets.get(**codes))
    assert model.fields()["x"].whole


def test_a_path_does_not_depend_on_the_folder(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.zeros((4, 4, 4), bool))
    monkeypatch.chdir(tmp_path)
    config = presets.get(dataset="x.npy")
    assert config["dataset"] == str(tmp_path / "x.npy")
    assert presets.get(dataset="digits")["dataset"] == "digits"
