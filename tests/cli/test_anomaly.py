"""`tfvae anomaly`: scores and verdicts of other data, by a run's model and in the run's units."""

import csv

import numpy as np
import pytest

import tfvae
from tests.cli.conftest import Outcome
from tests.cli.small_runs import trained
from tfvae import uses
from tfvae.errors import UserError
from tfvae.runs.anomaly import fitted_detector, score_beside
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


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three of one kind that differ by their seeds."""
    folder = tmp_path_factory.mktemp("runs")
    return [trained(folder / str(seed), seed=seed) for seed in range(3)]


@pytest.mark.parametrize("name", ["likelihood_ratio", "waic"])
def test_scores_compare_with_the_models_of_further_runs(tfvae_command, runs, tmp_path, name):
    first, *others = runs
    compared = [run.read_model() for run in others]
    if name == "waic":
        options = ["--ensemble", ",".join(str(run.path) for run in others)]
        score: uses.AnomalyScore = uses.WAIC(compared)
    else:
        options = ["--background", others[0].path]
        score = uses.LikelihoodRatio(compared[0])
    output = tmp_path / "strange.csv"
    done = tfvae_command(
        "anomaly", first.path, "digits", "--score", name, *options, "--output", output
    )
    assert done.code == 0, done.err
    detector = fitted_detector(first.read_model(), first.read_config(), score, 0.05)
    _, test = tfvae.data.load("digits")
    found = rows_of(output)
    scores = np.array([float(row["score"]) for row in found])
    np.testing.assert_allclose(scores, detector.anomaly_scores(test), rtol=1e-4, atol=1e-3)
    assert f"nats, {type(score).__name__}, of 180 held-out examples" in done.out
    # Nobody's own -log p(x): the others count.
    alone = uses.NegativeLogLikelihood()(first.read_model(), test)
    assert np.abs(scores - alone).max() > 1.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("likelihood_ratio",), "compares this run's model with others: give --background RUN."),
        (("waic",), "compares this run's model with others: give --ensemble RUN,RUN,..."),
        (("waic", "--background", "{1}"), "--background is of --score likelihood_ratio, and this"),
        (("typicality", "--ensemble", "{1}"), "--ensemble is of --score waic, and this is --score"),
        (("waic", "--ensemble", "{1},{1}"), "is given twice"),
        (("waic", "--ensemble", "{1},none"), "none does not exist"),
        (("likelihood_ratio", "--background", "none"), "none does not exist"),
    ],
)
def test_runs_that_a_score_lacks_or_does_not_need_are_usage_errors(
    tfvae_command, runs, options, said
):
    words = [word.format(*(run.path for run in runs)) for word in options]
    done = tfvae_command("anomaly", runs[0].path, "digits", "--score", *words)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"dataset": "wine", "likelihood": "normal", "binarisation": "none"},
            "has x of shape (13,), and the run has x of shape (8, 8, 1)",
        ),
        ({"preset": "digits-conditional"}, "has label of shape (), and the run has no label"),
        ({"likelihood": "normal"}, "is a density, and that of the run is a probability"),
        (
            {"likelihood": "normal", "binarisation": "none", "dequantise": 17},
            "has x in other units",
        ),
        ({}, "has the weights of the run's: the two score alike"),
        ({"eval_samples": 3, "eval_examples": 4}, "has the weights of the run's: the two score"),
        ({"model": "autoencoder", "posterior": "point"}, "needs a model that scores"),
    ],
)
def test_runs_that_do_not_compare_are_refused(tfvae_command, runs, tmp_path, changes, said):
    other = trained(tmp_path / "other", **changes)
    for score in (("likelihood_ratio", "--background"), ("waic", "--ensemble")):
        done = tfvae_command("anomaly", runs[0].path, "digits", "--score", *score, other.path)
        assert (done.code, len(done.err.splitlines())) == (1, 1), done.err
        assert said in done.err
        assert "other" in done.err


def test_weights_that_are_equal_are_refused_and_not_settings(runs, tmp_path):
    first, second = runs[0], trained(tmp_path / "again")
    model, settings = first.read_model(), first.read_config()
    assert second.read_config() == settings
    other = second.read_model()
    kernel = other.decoder.head.projection.kernel
    kernel.assign(1.1 * kernel)
    other.save(second.model)
    score_beside("waic", model, settings, [second, runs[1]])
    with pytest.raises(UserError, match=r"model of .*again has the weights of that of .*again"):
        score_beside("waic", model, settings, [second, second])


def test_tables_standardised_by_other_training_rows_do_not_compare(tmp_path):
    options = {"standardise": True, "likelihood": "normal", "binarisation": None}
    runs = [
        trained(tmp_path / str(fraction), dataset="wine", test_fraction=fraction, **options)
        for fraction in (0.2, 0.3)
    ]
    model, settings = runs[0].read_model(), runs[0].read_config()
    with pytest.raises(UserError, match=r"0\.3 has x in other units.*--test-fraction"):
        score_beside("waic", model, settings, [runs[1]])


def test_the_options_know_the_detectors_scores():
    from tfvae.cli.compared_runs import LIKELIHOOD_RATIO, WAIC_SCORE
    from tfvae.cli.options import ANOMALY_SCORE
    from tfvae.uses.anomaly import ANOMALY_SCORES

    assert ANOMALY_SCORE.names == [*ANOMALY_SCORES, LIKELIHOOD_RATIO, WAIC_SCORE]
