"""The signature `anomaly` gives the scores and verdicts of the detector, without tfvae."""

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.evaluation.models import LinearGaussian, bits, digits_model, images
from tests.export.made import MADE
from tfvae import uses
from tfvae.export.saved_models.export import write
from tfvae.export.servables.vae import VAEServable

pytestmark = pytest.mark.usefixtures("without_xla")


def other():
    return digits_model(3, units=(6,), seed=1)


SCORES = {
    "negative_elbo": lambda: "negative_elbo",
    "negative_log_likelihood": lambda: uses.NegativeLogLikelihood(20),
    "reconstruction_probability": lambda: "reconstruction_probability",
    "typicality": lambda: uses.Typicality(num_samples=20),
    "likelihood_ratio": lambda: uses.LikelihoodRatio(other(), 20),
    "waic": lambda: uses.WAIC([other()], 20),
    "likelihood_regret": lambda: uses.LikelihoodRegret(5, step_samples=2, num_samples=20),
}


@pytest.mark.parametrize("name", SCORES)
def test_a_file_says_what_python_says(name, tmp_path):
    """From one seed; whatever the number of rows."""
    model, x = digits_model(2, units=(8,)), bits(60)
    detector = uses.AnomalyDetector(model, SCORES[name](), false_alarm_rate=0.3, seed=5).fit(x)
    write(VAEServable(model, anomaly=detector), tmp_path / "vae", MADE, ())
    served = tf.saved_model.load(str(tmp_path / "vae")).signatures
    assert {"anomaly", "anomaly_uint8", "anomaly_image_bytes"} <= set(served)
    answer = served["anomaly"](x=tf.constant(x))
    np.testing.assert_allclose(answer["score"], detector.anomaly_scores(x), rtol=1e-4, atol=1e-4)
    away = np.abs(detector.decision_function(x)) > 1e-3  # the example of the threshold is at 0
    verdicts = answer["is_anomaly"].numpy()
    assert verdicts.dtype == bool
    np.testing.assert_array_equal(verdicts[away], detector.predict(x)[away] == -1)
    assert 0 < verdicts.sum() < 60
    alone = served["anomaly"](x=tf.constant(x[4:5]))
    np.testing.assert_allclose(alone["score"][0], answer["score"][4], rtol=1e-4, atol=1e-4)
    as_bytes = served["anomaly_uint8"](x=tf.constant((255 * x).astype("uint8")))
    np.testing.assert_allclose(as_bytes["score"], answer["score"], rtol=1e-4, atol=1e-4)
    assert len(served["anomaly"](x=tf.zeros([0, 8, 8, 1]))["score"]) == 0


def test_a_table_is_taken_in_its_own_units(tmp_path):
    x = np.random.default_rng(0).normal(50.0, 7.0, (80, 3)).astype("float32")
    detector = uses.AnomalyDetector(epochs=2).fit(x)
    write(VAEServable(detector.model_, anomaly=detector), tmp_path / "vae", MADE, ())
    served = tf.saved_model.load(str(tmp_path / "vae")).signatures["anomaly"]
    answer = served(x=tf.constant(x))
    np.testing.assert_allclose(answer["score"], detector.anomaly_scores(x), rtol=1e-4, atol=1e-4)


def test_it_is_published_with_warm_up_and_only_where_asked_for(tmp_path):
    known = LinearGaussian(full=False)
    score = uses.NegativeELBO(2)
    detector = uses.AnomalyDetector(known.model, score, false_alarm_rate=0.2).fit(images(30))
    made = tfvae.export.saved_model(
        known.model, tmp_path, anomaly=detector, warmup_batch_sizes=(1,)
    )
    assert made.differences["vae/anomaly"] < 1e-4
    assert "vae/anomaly_uint8" in made.differences
    assert "anomaly" not in VAEServable(known.model).signatures()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda m: tfvae.export.saved_model(m, "x", anomaly=0.5),
            "expected a fitted tfvae.uses.An",
        ),
        (
            lambda m: tfvae.export.saved_model(m, "x", anomaly=uses.AnomalyDetector(m)),
            "not fitted, or of another model",
        ),
        (
            lambda m: tfvae.export.saved_model(
                m, "x", anomaly=uses.AnomalyDetector(other()).fit(bits(9))
            ),
            "not fitted, or of another model",
        ),
        (
            lambda m: tfvae.export.tflite(m, "x", anomaly=uses.AnomalyDetector(m)),
            "TFLite files have no signature `anomaly`",
        ),
    ],
)
def test_another_detector_and_other_files_are_refused(make, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        make(digits_model(2, units=(8,)))
    assert list(tmp_path.iterdir()) == []
