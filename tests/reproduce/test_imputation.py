"""Imputers side by side: the same holes for all, and known answers."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.impute import KNNImputer

from tfvae import data, presets
from tfvae.reproduce.imputation_table import IMPUTATION_TABLES, ImputationTask
from tfvae.reproduce.imputing import rows_with_holes, run_imputation
from tfvae.reproduce.methods import MethodRow

TASK = ImputationTask("wine", "Wine", "Of wines.", "wine", epochs=20)


def error(method, seed):
    found = run_imputation(MethodRow(TASK, method), seed)
    ((value,),) = [each["error"] for each in found.values()]
    return value


@pytest.mark.parametrize("seed", [0, 1])
def test_imputers_have_the_same_holes_and_their_own_error(seed):
    x, seen = rows_with_holes(TASK, seed)
    assert x.shape == (178, 13)
    np.testing.assert_allclose((x.mean(axis=0), x.std(axis=0)), ([0] * 13, [1] * 13), atol=1e-9)
    assert 0.45 < seen.mean() < 0.55
    # Of standardised columns the true mean has 1; that of half the rows costs 1 / 89 more.
    assert error("mean", seed) == pytest.approx(1.0, abs=0.1)
    filled = KNNImputer().fit_transform(np.where(seen, x, np.nan))
    assert error("knn", seed) == pytest.approx(np.square(filled - x)[~seen].mean())
    assert error("knn", seed) < error("mean", seed)


def test_what_is_large_is_missing_in_half_of_the_columns_which_the_seed_draws():
    task, whole = replace(TASK, pattern="large"), rows_with_holes(TASK, 0)[0]
    lacking = []
    for seed in (0, 1):
        x, seen = rows_with_holes(task, seed)
        order = [int(np.square(whole.T - column).sum(axis=1).argmin()) for column in x.T]
        np.testing.assert_array_equal(x, whole[:, order])
        np.testing.assert_array_equal(seen[:, :6], x[:, :6] <= x[:, :6].mean(axis=0))
        assert seen[:, 6:].all()
        lacking.append(sorted(order[:6]))
    assert lacking[0] != lacking[1]


def test_images_are_filled_pixel_by_pixel():
    task = replace(IMPUTATION_TABLES["imputation"].rows["digits-missing-mean"].task, num_rows=300)
    x, seen = rows_with_holes(task, 1)
    assert x.shape == seen.shape == (300, 8, 8, 1)
    stored, rows = load_digits().data / 16.0, x.reshape(300, 64)
    numbers = [int(np.abs(stored - row).max(axis=1).argmin()) for row in rows]
    np.testing.assert_array_equal(rows, stored[numbers])
    held_out = np.setdiff1d(np.arange(numbers[-1]), numbers)
    assert np.all(np.diff(numbers) > 0), "each once, in their order"
    assert len(held_out) == numbers[-1] - 299, "without those between that are held out"
    assert not any((stored[n] == rows).all(axis=1).any() for n in held_out)
    found = run_imputation(MethodRow(task, "knn"), 1)["knn"]["error"]
    holes = np.where(seen, x, np.nan).reshape(300, 64)
    filled = KNNImputer().fit_transform(holes).reshape(x.shape)
    assert found == [pytest.approx(np.square(filled - x)[~seen].mean())]
    few = replace(task, epochs=3, draws=5)
    error_of_model = run_imputation(MethodRow(few, "miwae"), 1)["miwae"]["error"][0]
    assert 0 < error_of_model < np.square(x[~seen]).mean()
    assert few.protocol("miwae").startswith("digits of 300 rows, 0.5 missing: miwae")
    assert few.protocol("miwae").endswith("3 epochs, 5 draws")


def test_the_model_fills_better_than_the_mean():
    assert error("miwae", 0) < 0.9


def test_rows_are_named_once_and_their_data_and_presets_known():
    table = IMPUTATION_TABLES["imputation"]
    assert len(table.rows) == sum(len(task.methods) for task in table.tasks)
    assert {"wine-large-miwae", "wine-large-not-miwae"} <= set(table.rows)
    for task in table.tasks:
        assert task.dataset in data.names()
        assert presets.get(task.preset)["epochs"] > 0
