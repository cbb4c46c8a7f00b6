"""Imputers side by side: the same holes for all, results that are kept, and known answers."""

import json

import numpy as np
import pytest
from sklearn.impute import KNNImputer

from tfvae.data import arrays
from tfvae.data.missing import chosen_entries
from tfvae.errors import UserError
from tfvae.reproduce.imputation import compare_imputers


def test_results_are_kept_and_the_mean_has_the_error_of_the_mean(tmp_path):
    path, said = tmp_path / "kept" / "imputation.json", []
    options = {"dataset": "wine", "draws": 2, "methods": ("mean", "knn"), "report": said.append}
    found = compare_imputers(path, **options)
    # Of standardised columns the true mean has 1; that of half the rows costs 1 / 89 more.
    np.testing.assert_allclose(found["mean"], 1.0, atol=0.1)
    table = arrays("wine")
    x = np.concatenate([table.train["x"], table.test["x"]]).astype("float64")
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    for draw, error in enumerate(found["knn"]):
        seen = chosen_entries(x.shape, 0.5, draw)
        filled = KNNImputer().fit_transform(np.where(seen, x, np.nan))
        assert error == pytest.approx(np.square(filled - x)[~seen].mean())
    assert np.all(found["knn"] < found["mean"])
    assert len(said) == len(json.loads(path.read_text())["rows"]) == 4
    again = compare_imputers(path, **options)
    assert len(said) == 4
    np.testing.assert_array_equal(again["knn"], found["knn"])


def test_the_model_fills_better_than_the_mean(tmp_path):
    options = {"dataset": "wine", "draws": 1, "epochs": 20, "methods": ("miwae",)}
    found = compare_imputers(tmp_path / "found.json", report=lambda line: None, **options)
    assert found["miwae"][0] < 0.9


def test_unknown_imputers_are_refused(tmp_path):
    with pytest.raises(UserError, match="Did you mean 'mean'"):
        compare_imputers(tmp_path / "found.json", methods=("maen",))
    with pytest.raises(UserError, match="share"):
        compare_imputers(tmp_path / "found.json", share=1.0)
