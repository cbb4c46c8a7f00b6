"""`tfvae export --anomaly`: a signature with the threshold inside, and what can't have one."""

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.cli.small_runs import trained
from tfvae import uses
from tfvae.runs.anomaly import fitted_detector

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [trained(folder / str(seed), seed=seed) for seed in range(2)]


@pytest.mark.parametrize("name", ["negative_elbo", "likelihood_ratio"])
def test_the_signature_says_what_the_detector_does(tfvae_command, runs, tmp_path, name):
    run, other = runs
    score, options = name, []
    if name == "likelihood_ratio":
        score, options = uses.LikelihoodRatio(other.read_model()), ["--background", other.path]
    words = ["--anomaly", name, "--false-alarm-rate", "0.3", "--variants", "float32"]
    done = tfvae_command("export", run.path, "--output", tmp_path / "out", *words, *options)
    assert done.code == 0, done.err
    detector = fitted_detector(run.read_model(), run.read_config(), score, 0.3)
    said = f"threshold {detector.threshold_:.4f} nats, {type(detector.score_).__name__}, of 180"
    assert said in done.out
    x = np.concatenate(list(tfvae.data.load("digits")[1].as_numpy_iterator()))[:100]
    (folder,) = (tmp_path / "out" / "vae").iterdir()
    served = tf.saved_model.load(str(folder)).signatures["anomaly"]
    answer = served(x=tf.constant(x))
    scores = detector.anomaly_scores(x)
    np.testing.assert_allclose(answer["score"], scores, rtol=1e-4, atol=1e-3)
    away = np.abs(scores - detector.threshold_) > 1e-2
    strange = answer["is_anomaly"].numpy()
    np.testing.assert_array_equal(strange[away], scores[away] > detector.threshold_)
    assert 0 < strange.sum() < 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("waic",), "--anomaly waic compares this run's model with others: give --ensemble"),
        (("likelihood_ratio",), "--anomaly likelihood_ratio compares this run's model with others"),
        (("negative_elbo", "--ensemble", "{1}"), "--ensemble is of --anomaly waic, and this is"),
        (("negative_elbo", "--aggregate", "3"), "a model with --aggregate has no likelihood"),
        (("elbow",), "no such anomaly score 'elbow'"),
    ],
)
def test_scores_that_can_not_be_served_are_usage_errors(tfvae_command, runs, tmp_path, words, said):
    words = [word.format(*(run.path for run in runs)) for word in words]
    done = tfvae_command("export", runs[0].path, "--output", tmp_path / "out", "--anomaly", *words)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "out").exists()


def test_other_runs_without_a_score_are_a_usage_error(tfvae_command, runs, tmp_path):
    done = tfvae_command("export", runs[0].path, "--background", runs[1].path)
    assert done.code == 2
    assert "--background is of --anomaly likelihood_ratio, and there is none" in done.err


def test_a_model_that_does_not_score_has_no_signature(tfvae_command, tmp_path):
    run = trained(tmp_path / "run", model="autoencoder", posterior="point", binarisation="none")
    words = ("--output", tmp_path / "out", "--anomaly", "negative_elbo")
    done = tfvae_command("export", run.path, *words)
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert "needs a model that scores" in done.err
    assert not (tmp_path / "out").exists()
