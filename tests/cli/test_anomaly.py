"""`tfvae anomaly`: scores and verdicts of other data, by a run's model and in the run's units."""

import csv

import numpy as np
import pytest

import tfvae
from tests.cli.conftest import Outcome
from tests.cli.small_runs import trained
from tfvae.runs.anomaly import fitted_detector
from tfvae.runs.other_data import new_examples

pytestmark = pytest.mark.usefixtures("without_xla")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_scores_and_verdicts_are_those_of_the_detector(tfvae_command, tmp_path):
    run = trained(tmp_path / "run")
    done: Outcome = tfvae_command("anomaly", run.path, "digits", "--false-alarm-rate", "0.2")
    assert done.code == 0, done.err
    model, config = run.read_model(), run.read_config()
    detector = fitted_detector(model, config, "negative_elbo", 0.2)
    _, test = tfvae.data.load("digits")
    found = rows_of(run.path / "anomalies.csv")
    assert [int(row["row"]) for row in found] == list(range(359))
    scores = np.array([float(row["score"]) for row in found])
    np.testing.assert_allclose(scores, detector.anomaly_scores(test), rtol=1e-5)
    strange = np.array([row["is_anomaly"] == "1" for row in found])
    np.testing.assert_array_equal(strange, detector.predict(test) == -1)
    threshold, alarms, count, path = done.out.splitlines()[-4:]
    assert threshold.startswith(f"threshold {detector.threshold_:.4f} nats, NegativeELBO, of 180")
    assert f"{detector.false_alarms_.low:.4f} to {detector.false_alarms_.high:.4f}" in alarms
    assert count == f"anomalies {strange.sum()} of 359 examples"
    assert path == str(run.path / "anomalies.csv")


def test_a_file_keeps_its_order_and_is_standardised_as_the_run_was(tmp_path):
    run = trained(
        tmp_path / "run", dataset="wine", standardise=True, likelihood="normal", binarisation=None
    )
    model, config = run.read_model(), run.read_config()
    split = tfvae.data.arrays("wine")
    x = np.random.default_rng(0).normal(split.train["x"].mean(axis=0), 1.0, (25, 13))
    np.save(tmp_path / "new.npy", x.astype("float32"))
    found = np.concatenate(list(new_examples(model, config, str(tmp_path / "new.npy"))))
    expected = (x - split.train["x"].mean(axis=0)) / split.train["x"].std(axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_what_does_not_score_is_refused_by_name(tfvae_command, tmp_path):
    run = trained(tmp_path / "run", model="autoencoder", posterior="point", binarisation="none")
    done = tfvae_command("anomaly", run.path, "digits")
    assert done.code == 1
    assert "needs a model that scores" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none", "digits"], "none does not exist"),
        (["none", "digits", "--score", "elbo"], "no such anomaly score 'elbo'"),
        (["none", "digits", "--false-alarm-rate", "1"], "1.0 is not in the range 0.0<x<1.0"),
    ],
)
def test_bad_input_is_a_usage_error(tfvae_command, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    done = tfvae_command("anomaly", *arguments)
    assert done.code == 2
    assert said in done.err


def test_the_options_know_the_detectors_scores():
    from tfvae.cli.options import ANOMALY_SCORE
    from tfvae.uses.anomaly import ANOMALY_SCORES

    assert ANOMALY_SCORE.names == list(ANOMALY_SCORES)
