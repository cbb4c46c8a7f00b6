"""Rows of detection are run once and kept."""

import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from tfvae import data
from tfvae.reproduce import detecting
from tfvae.reproduce.detection_table import DETECTION_TABLES, SCORES_OF_VAE, DetectionTask
from tfvae.reproduce.files import TableFiles
from tfvae.reproduce.keeping import compare_methods
from tfvae.reproduce.method_result import MethodResult
from tfvae.reproduce.methods import MethodRow, MethodTable
from tfvae.reproduce.results import read_results

pytestmark = pytest.mark.usefixtures("without_xla")

TABLE = MethodTable(
    "small",
    "A small table",
    "On tumours.",
    [DetectionTask("tumours", "Tumours", "Malignant.", "breast_cancer", (0,), epochs=1)],
    "tfvae.reproduce.detecting:run_detection",
)


def test_a_row_ranks_held_out_examples_and_goes_on_with_what_is_kept(tmp_path, monkeypatch):
    paths, said = TableFiles(tmp_path, "small"), []
    name = "tumours-isolation-forest"
    compare_methods(TABLE, [name], (1,), paths, said.append)
    found = read_results(paths.results, TABLE, MethodResult)[name, 1]
    (learned, normal, strange), *more = detecting.examples_of(TABLE.tasks[0], 1)
    assert not more
    # By hand, from scikit-learn's own table: 357 benign and 212 malignant tumours.
    assert [len(part) for part in (learned, normal, strange)] == [357 - 71, 71, 212]
    np.testing.assert_allclose(learned.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(learned.std(axis=0), 1.0, atol=1e-4)
    forest = IsolationForest(random_state=1).fit(learned)
    scores = -forest.score_samples(np.concatenate([normal, strange]))
    expected = roc_auc_score([0] * 71 + [1] * 212, scores)
    assert found.measured["isolation-forest"]["auroc"] == [pytest.approx(expected)]
    assert expected > 0.9
    assert "AUROC" in paths.page.read_text("utf-8")
    monkeypatch.setattr(detecting, "run_detection", None)  # it is not run again
    compare_methods(TABLE, [name], (1,), paths, said.append)
    assert re.fullmatch(rf"{name}, seed 1: kept, AUROC 0\.9\d+ \(isolation-forest\)", said[-1])


def test_a_vae_is_judged_by_each_of_its_scores():
    found = detecting.run_detection(TABLE.rows["tumours-vae"], 0)
    assert set(found) == {f"VAE, {score}" for score in SCORES_OF_VAE["vae"]}
    assert all(0.5 < each["auroc"][0] <= 1 for each in found.values())


def test_a_part_of_long_tasks_is_learned_and_ranked(monkeypatch):
    """Of 2,000 normal and 3 strange bits: the first 20 are learned, and 5 and 3 ranked."""
    bits = np.random.default_rng(0).integers(2, size=(2003, 28, 28, 1)).astype("float32")
    monkeypatch.setattr(detecting, "examples_of", lambda *_: [(bits, bits[:9], bits[2000:])])
    task = DetectionTask("bits", "", "", "mnist", num_ranked=5, learned_beside=20)
    found = detecting.run_detection(MethodRow(task, "isolation-forest"), 0)
    forest = IsolationForest(random_state=0).fit(bits[:20].reshape(20, -1))
    scores = -forest.score_samples(np.concatenate([bits[:5], bits[2000:]]).reshape(8, -1))
    expected = roc_auc_score([0] * 5 + [1] * 3, scores)
    assert found["isolation-forest"]["auroc"] == [pytest.approx(expected)]
    protocols = {replace(task, **part).protocol("vaes") for part in ({}, {"num_ranked": 6})}
    assert len(protocols) == 2


def test_scores_that_compare_get_models_of_their_own(monkeypatch):
    """A background model of bits drawn anew, and an ensemble of which no two seeds are equal."""
    learned = np.ones((50, 8), "float32")
    trained = []
    monkeypatch.setattr(detecting, "_trained", lambda *given: trained.append(given))
    detecting._score("likelihood_ratio", TABLE.tasks[0], learned, 3)
    detecting._score("waic", TABLE.tasks[0], learned, 3)
    (_, background, _), *members = trained
    # A fifth of the entries is drawn anew from 0 and 1, so that a tenth is 0: 40 of 400, +- 6.
    assert set(np.unique(background)) == {0.0, 1.0}
    assert 22 <= np.sum(background == 0.0) <= 58
    seeds = [seed for _, _, seed in members]
    assert len({3, *seeds}) == 5
    assert all(examples is learned for _, examples, _ in members)


def test_rows_are_named_once_and_their_data_known():
    table = DETECTION_TABLES["uses"]
    assert len(table.rows) == sum(len(task.methods) for task in table.tasks)
    for task in table.tasks:
        assert {task.dataset, task.anomalies or task.dataset} <= set(data.names())
        assert bool(task.classes) != bool(task.anomalies)
