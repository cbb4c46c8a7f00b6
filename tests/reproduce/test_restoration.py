"""Rows of restoration are run once and kept."""

import re

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tfvae import data, presets
from tfvae.evaluation import pooled_peak_signal_to_noise, structural_similarity
from tfvae.evaluation.image_filters import bicubic
from tfvae.reproduce import restoring, trained
from tfvae.reproduce.files import TableFiles
from tfvae.reproduce.keeping import compare_methods
from tfvae.reproduce.method_result import MethodResult
from tfvae.reproduce.methods import MethodTable
from tfvae.reproduce.restoration_table import (
    DRAWS_OF_EACH,
    LINEAR,
    RESTORATION_TABLES,
    UNTRAINED,
    VAE,
    RestorationTask,
)
from tfvae.reproduce.results import read_results

pytestmark = pytest.mark.usefixtures("without_xla")

_QUICK = {"epochs": 1, "latent_size": 2, "network.units": (8,)}
TABLE = MethodTable(
    "small",
    "A small table",
    "On digits.",
    [
        RestorationTask("noise", "Noise", "Normal.", "digits-denoising", _QUICK),
        RestorationTask(
            "size", "Size", "Small.", "digits-super-resolution", _QUICK, (VAE, LINEAR, UNTRAINED)
        ),
    ],
    "tfvae.reproduce.restoring:run_restoration",
)


def held_out():
    return np.concatenate(list(data.load("digits", binarisation="none")[1].as_numpy_iterator()))


def test_a_row_is_measured_and_goes_on_with_what_is_kept(tmp_path, monkeypatch):
    paths, said, name = TableFiles(tmp_path, "small"), [], "size-untrained"
    compare_methods(TABLE, [name], (1,), paths, said.append)
    found = read_results(paths.results, TABLE, MethodResult)[name, 1].measured
    x = held_out()
    low = x.reshape(-1, 4, 2, 4, 2, 1).mean(axis=(2, 4)).astype("float32")
    assert found["bicubic"]["psnr"][0] == pytest.approx(
        pooled_peak_signal_to_noise(x, bicubic(low, 2))
    )
    assert found["bicubic"]["ssim"][0] == pytest.approx(
        structural_similarity(x, bicubic(low, 2)).mean()
    )
    # Blocks of what was given are that again when they are made small.
    assert found["blocks"]["consistency"][0] == pytest.approx(0.0, abs=1e-6)
    assert found["bicubic"]["consistency"][0] > 0.01
    assert "bicubic" in paths.page.read_text("utf-8")
    monkeypatch.setattr(restoring, "run_restoration", None)  # it is not run again
    compare_methods(TABLE, [name], (1,), paths, said.append)
    assert re.fullmatch(rf"{name}, seed 1: kept, PSNR 1\d\.\d\d dB \(\w+\)", said[-1])


def test_filters_and_least_squares_are_told_as_much_as_the_model():
    filters = restoring.run_restoration(TABLE.rows["noise-untrained"], 0)
    assert set(filters) == {"corrupted", "median", "non-local means"}
    # 10 log10(1 / 0.25^2) decibels, a little more as what leaves [0, 1] is cut.
    assert 12.04 < filters["corrupted"]["psnr"][0] < 15.0
    linear = restoring.run_restoration(TABLE.rows["noise-linear"], 0)["linear"]
    assert linear["psnr"][0] > filters["corrupted"]["psnr"][0] + 1.0
    assert "consistency" not in linear


def test_least_squares_are_those_of_scikit_learn():
    x = np.random.default_rng(0).random((50, 2, 2, 1))
    y = 2.0 * x
    found = restoring._linear(x, y, x[:5])
    assert found.shape == (5, 2, 2, 1)
    expected = Ridge(1e-3).fit(x.reshape(50, 4), y.reshape(50, 4)).predict(x[:5].reshape(5, 4))
    np.testing.assert_allclose(found.reshape(5, 4), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["noise-vae", "noise-plain-vae", "size-vae"])
def test_a_vae_is_trained_and_judged_in_two_ways(name, monkeypatch):
    seen = []
    monkeypatch.setattr(
        trained, "model_and_data", lambda s: (seen.append(s), real(s))[1], raising=True
    )
    row = TABLE.rows[name]
    found = restoring.run_restoration(row, 3)
    assert len(found) == 2
    assert all(0 < each["psnr"][0] < 30 for each in found.values())
    (settings,) = seen
    assert settings["seed"] == 3
    assert (settings["corruption"] is None) == (name != "noise-vae")
    assert f"{DRAWS_OF_EACH} draws" in row.protocol()


real = trained.model_and_data


def test_rows_are_named_once_and_their_presets_known():
    table = RESTORATION_TABLES["restoration"]
    assert len(table.rows) == sum(len(task.methods) for task in table.tasks)
    for task in table.tasks:
        settings = presets.get(task.preset, **task.changes)
        assert (settings["corruption"] is None) != task.of_noise
        assert (settings["low_resolution"] is None) == task.of_noise
