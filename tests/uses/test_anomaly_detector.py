"""The detector: its threshold, how often it is wrong, what it takes and what it refuses."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from tests.evaluation.models import NOISE, SHAPE, LinearGaussian, bits, digits_model, images
from tests.models import linear_missing
from tests.uses.test_aggregate import autoencoder
from tfvae import uses

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.mark.parametrize(("count", "rate", "place"), [(99, 0.05, 95), (19, 0.05, 19), (5, 0.05, 5)])
def test_the_threshold_is_the_score_of_a_place(count, rate, place):
    """ceil((n + 1) (1 - a)): of 99 the 95th, of 19 the largest; of fewer no higher one is there."""
    scores = np.random.default_rng(0).permutation(np.arange(1.0, count + 1))
    assert uses.score_threshold(scores, rate) == place


def test_a_normal_example_is_an_anomaly_with_the_probability_asked_for():
    """Over 4,000 thresholds of 39 scores, whose exact rate is 0.05 of any continuous law."""
    rng = np.random.default_rng(1)
    rates = [
        scipy.stats.gamma.sf(uses.score_threshold(rng.gamma(2.0, size=39), 0.05), 2.0)
        for _ in range(4000)
    ]
    assert np.mean(rates) == pytest.approx(0.05, abs=4.5 * np.std(rates) / np.sqrt(4000))


@pytest.mark.parametrize(("count", "above"), [(200, 9), (50, 0), (7, 7)])
def test_the_interval_is_that_of_scipys_exact_test(count, above):
    scores = np.repeat([2.0, 0.0], [above, count - above])
    found = uses.false_alarms(scores, 1.0)
    exact = scipy.stats.binomtest(above, count).proportion_ci(0.95, "exact")
    np.testing.assert_allclose((found.low, found.high), (exact.low, exact.high), rtol=1e-9)
    assert (found.rate, found.count) == (above / count, count)


KNOWN = LinearGaussian(full=True)


def normal_rows(count, seed=0):
    """x ~ p(x) of the model, [N, 16]; its images may be any numbers."""
    covariance = KNOWN.W @ KNOWN.W.T + NOISE**2 * np.eye(16)
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(KNOWN.b, covariance, count).astype("float32")


def test_of_draws_from_the_model_as_many_are_anomalies_as_asked_for():
    """-log p(x) is exact here with one draw, and 2 (-log p(x) - c) ~ chi^2 of 16 of them."""
    score = uses.NegativeLogLikelihood(1)
    detector = uses.AnomalyDetector(KNOWN.model, score, false_alarm_rate=0.1, seed=3)
    assert detector.fit(normal_rows(2000)) is detector
    covariance = KNOWN.W @ KNOWN.W.T + NOISE**2 * np.eye(16)
    constant = 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    true_rate = scipy.stats.chi2.sf(2 * (detector.threshold_ - constant), 16)
    assert true_rate == pytest.approx(0.1, abs=4.5 * np.sqrt(0.09 / 1000))  # a place of 1,000
    alarms = detector.false_alarms_
    assert (detector.num_calibration_, alarms.count) == (1000, 1000)
    assert alarms.low < alarms.rate < alarms.high
    assert alarms.rate == pytest.approx(true_rate, abs=4.5 * np.sqrt(0.09 / 1000))
    strange = KNOWN.b + 3 * (normal_rows(50, seed=1) - KNOWN.b)
    assert np.mean(detector.predict(strange)) == -1
    x = normal_rows(300, seed=2)
    found = detector.anomaly_scores(x)
    np.testing.assert_array_equal(detector.score_samples(x), -found)
    np.testing.assert_allclose(detector.decision_function(x), detector.threshold_ - found)
    np.testing.assert_array_equal(detector.predict(x) == -1, found > detector.threshold_)


def test_rows_images_columns_and_batches_are_the_same_examples():
    x = normal_rows(40)
    as_images = x.reshape(-1, *SHAPE)
    expected = uses.AnomalyDetector(KNOWN.model, uses.NegativeELBO(2)).fit(x)
    assert expected.n_features_in_ == 16
    batched = tf.data.Dataset.from_tensor_slices(as_images).batch(7)
    for data in (as_images, {"x": as_images}, batched):
        detector = uses.AnomalyDetector(KNOWN.model, uses.NegativeELBO(2)).fit(data)
        assert detector.threshold_ == expected.threshold_
        assert detector.n_features_in_ == 16
        np.testing.assert_array_equal(detector.anomaly_scores(data), expected.anomaly_scores(x))


def test_a_given_model_stays_and_a_clone_shares_it():
    before = [weight.numpy() for weight in KNOWN.model.weights]
    detector = uses.AnomalyDetector(KNOWN.model, "typicality").fit(normal_rows(20))
    assert detector.model_ is KNOWN.model
    assert detector.score_.entropy is not None
    for weight, value in zip(KNOWN.model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    other = clone(detector)
    assert other.model is KNOWN.model
    assert not hasattr(other, "threshold_")


def test_a_function_makes_a_model_that_is_trained():
    made = []

    def factory():
        made.append(digits_model(2, units=(4,)))
        return made[-1]

    detector = uses.AnomalyDetector(factory, epochs=1).fit(bits(50))
    assert detector.model_ is made[0]
    assert int(made[0].optimizer.iterations.numpy()) > 0
    assert detector.mean_ is None
    assert (detector.num_calibration_, detector.false_alarms_.count) == (10, 10)
    assert detector.predict(bits(3).reshape(3, 64)).shape == (3,)


def test_a_table_is_standardised_and_a_constant_column_does_no_harm():
    rng = np.random.default_rng(0)
    x = np.stack([rng.normal(5e3, 1e3, 300), rng.normal(0, 1e-3, 300), np.ones(300)], axis=1)
    detector = uses.AnomalyDetector(epochs=3).fit(x)
    assert detector.scale_[2] == 1
    again = uses.AnomalyDetector(epochs=3).fit(x)
    np.testing.assert_array_equal(again.anomaly_scores(x), detector.anomaly_scores(x))
    assert detector.predict([[5e3, 0.0, 1.0], [5e3, 1.0, 1.0]]).tolist() == [1, -1]


def test_what_is_not_fitted_says_so():
    for method in ("predict", "score_samples", "decision_function", "anomaly_scores"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(uses.AnomalyDetector(), method)(np.zeros((2, 3)))


def test_a_model_of_rows_with_holes_takes_them():
    """Its NaN are what is missing: -log p(x_seen), exact with one draw."""
    x = np.where(linear_missing.SAME > 0, linear_missing.X, np.nan)
    model = linear_missing.exact_model(nan_is_missing=True)
    detector = uses.AnomalyDetector(model, uses.NegativeLogLikelihood(1)).fit(x)
    expected = linear_missing.log_p(linear_missing.X, linear_missing.SAME)
    np.testing.assert_allclose(detector.score_samples(x), expected, atol=1e-4)


def with_nan():
    x = normal_rows(9)
    x[3, 5] = np.nan
    return x


def fitted():
    return uses.AnomalyDetector(KNOWN.model, uses.NegativeELBO(1)).fit(normal_rows(10))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fitted().predict(normal_rows(3)[:, :9]), "X has 9 features, but AnomalyDetector"),
        (lambda: fitted().predict(images(2, (4, 2, 2))), r"shape \(4, 2, 2\), and the model's are"),
        (lambda: fitted().predict(images(2, (4, 5))), r"shape \(4, 5\), and the model's are"),
        (
            lambda: uses.AnomalyDetector(KNOWN.model).fit(np.zeros((9, 5))),
            r"5 numbers an example, and the model's x has shape \(4, 4, 1\)",
        ),
        (lambda: uses.AnomalyDetector(KNOWN.model).fit(normal_rows(1)), "n_samples=1 normal"),
        (lambda: uses.AnomalyDetector().fit(with_nan()), r"X has 1 NaN .* index \(3, 5\)"),
        (lambda: fitted().predict(with_nan()), r"X has 1 NaN .* index \(3, 1, 1, 0\)"),
        (lambda: fitted().predict(normal_rows(3)[0]), r"X has shape \(16,\); expected rows"),
        (lambda: uses.AnomalyDetector(KNOWN.model).fit(images(0, (4, 4, 1))), r"0 sample\(s\)"),
        (lambda: uses.AnomalyDetector(KNOWN.model).score_samples(normal_rows(3)), "not fitted"),
        (lambda: uses.AnomalyDetector().fit(normal_rows(3)), "n_samples=3 normal .* at least 4"),
        (lambda: uses.AnomalyDetector(epochs=0).fit(normal_rows(9)), "epochs must be an integer"),
        (lambda: uses.AnomalyDetector(seed=-1).fit(normal_rows(9)), "seed must be an integer"),
        (
            lambda: uses.AnomalyDetector(false_alarm_rate=1.0).fit(normal_rows(9)),
            "false_alarm_rate must be above 0 and below 1, received 1.0",
        ),
        (
            lambda: uses.AnomalyDetector(anomaly_score="negative_elb").fit(normal_rows(9)),
            "Did you mean 'negative_elbo'",
        ),
        (
            lambda: uses.AnomalyDetector(anomaly_score=uses.NegativeELBO).fit(normal_rows(9)),
            "or an AnomalyScore such as",
        ),
        (lambda: uses.AnomalyDetector("digits").fit(normal_rows(9)), "a function that returns a"),
        (
            lambda: uses.AnomalyDetector({}).fit({"x": normal_rows(9)}),
            "takes arrays, received a di",
        ),
        (lambda: uses.AnomalyDetector(autoencoder()).fit(bits(9)), "needs a model that scores"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message) as found:
        make()
    assert "\n" not in str(found.value)
