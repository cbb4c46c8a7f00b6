"""Classification against Bayes' rule in SciPy, and calibration against numbers by hand."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

import tfvae
from tests.models import linear_conditional, linear_semi_supervised
from tests.models.tiny import IMAGES
from tfvae import heads, networks, uses
from tfvae.errors import UserError, UserTypeError
from tfvae.uses.calibration import calibration


@pytest.fixture(scope="module")
def conditional():
    return linear_conditional.exact_model()


@pytest.fixture(scope="module")
def semi_supervised():
    return linear_semi_supervised.exact_model()


@pytest.mark.parametrize("prior", [None, [0.1, 0.2, 0.7]])
def test_a_conditional_model_classifies_by_bayes_rule(conditional, prior):
    exact = linear_conditional
    joint = np.stack(
        [
            [
                scipy.stats.multivariate_normal.logpdf(x, exact.mean(np.array([k]))[0],
                                                       exact.COVARIANCE)
                for x in exact.X
            ]
            for k in range(exact.CLASSES)
        ],
        axis=1,
    )  # fmt: skip
    joint += 0 if prior is None else np.log(prior)
    found = uses.classify(conditional, exact.X, num_samples=2, class_prior=prior)
    expected = scipy.special.softmax(joint, axis=1)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-3)
    np.testing.assert_array_equal(found.classes, expected.argmax(axis=1))


def test_a_semi_supervised_model_classifies_by_both(semi_supervised):
    exact = linear_semi_supervised
    for options in ({}, {"method": "bayes", "num_samples": 2}):
        found = uses.classify(semi_supervised, exact.DATA, **options)
        np.testing.assert_allclose(found.probabilities, exact.POSTERIOR, atol=1e-3)
    batches = tf.data.Dataset.from_tensor_slices(exact.DATA).batch(5)
    again = uses.classify(semi_supervised, batches)
    np.testing.assert_allclose(again.probabilities, exact.POSTERIOR, atol=1e-3)


def test_the_classifier_is_traced_once(monkeypatch):
    """However often it is asked: `tfvae evaluate` asks for each batch."""
    exact, traced = linear_semi_supervised, []
    model = exact.exact_model()
    original = type(model).class_probabilities

    def counted(self, batch):
        traced.append(batch)
        return original(self, batch)

    monkeypatch.setattr(type(model), "class_probabilities", counted)
    for _ in range(3):
        found = uses.classify(model, exact.DATA)
    assert len(traced) == 1
    np.testing.assert_allclose(found.probabilities, exact.POSTERIOR, atol=1e-3)


def test_the_calibration_error_is_that_by_hand():
    confidence = np.array([0.55, 0.6, 0.95, 0.9, 0.92, 1.0])
    right = np.array([True, False, True, True, False, True])
    found = calibration(confidence, right, 10)
    np.testing.assert_array_equal(found.counts, [0, 0, 0, 0, 0, 2, 0, 0, 1, 3])
    expected = (2 * abs(0.5 - 0.575) + abs(1 - 0.9) + 3 * abs(2 / 3 - 2.87 / 3)) / 6
    assert found.expected_error == pytest.approx(expected)


def test_certain_answers_that_are_right_are_calibrated(tmp_path):
    found = uses.Classification(np.eye(3)[[0, 1, 2, 1]])
    assert found.error([0, 1, 2, 1]) == 0
    assert found.error([0, 1, 2, 2]) == 0.25
    assert found.calibration([0, 1, 2, 1]).expected_error == 0
    assert found.calibration([0, 1, 2, 2]).expected_error == 0.25
    found.reliability([0, 1, 2, 2], save=tmp_path / "reliability.png")
    assert (tmp_path / "reliability.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0.0, 1.0, 2.0, 1.0], UserTypeError, "whole numbers"),
        ([0, 1], UserError, "one each of 4"),
        ([0, 1, 2, 3], UserError, "from 0 to 2"),
        ([0, 1, 2, -1], UserError, "without a label out"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, error, message):
    with pytest.raises(error, match=message):
        uses.Classification(np.eye(3)[[0, 1, 2, 1]]).error(labels)


def plain():
    model = tfvae.VAE(
        tfvae.Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(IMAGES.shape[1:])),
        seed=5,
    )
    model.build((None, *IMAGES.shape[1:]))
    return model


def test_models_and_methods_that_can_not_are_refused(conditional, semi_supervised):
    x = linear_conditional.X
    with pytest.raises(UserError, match=r"whose one condition is a label.*none"):
        uses.classify(plain(), IMAGES)
    with pytest.raises(UserError, match='expected "bayes", "classifier"'):
        uses.classify(conditional, x, method="naive")
    with pytest.raises(UserError, match=r"classifier.*ConditionalVAE can't"):
        uses.classify(conditional, x, method="classifier")
    with pytest.raises(UserError, match=r"p\(y\) of its own"):
        uses.classify(semi_supervised, x, method="bayes", class_prior=[0.2, 0.3, 0.5])
    with pytest.raises(UserError, match="expected 3 numbers"):
        uses.classify(conditional, x, class_prior=[0.5, 0.5])


def test_codes_are_classified_as_scikit_learn_does():
    model, labels = plain(), np.arange(len(IMAGES)) % 3
    labels[5:] = -1
    found = uses.classify_codes(model, IMAGES, labels).classify(IMAGES)
    codes = model.encode(IMAGES).astype("float64")
    codes = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    beside = LogisticRegression(max_iter=1000).fit(codes[:5], labels[:5]).predict_proba(codes)
    np.testing.assert_allclose(found.probabilities, beside, atol=1e-4)


@pytest.mark.parametrize(
    ("labels", "message"),
    [([0, 1], "one each"), (np.zeros(len(IMAGES)), "dtype float64"),
     (np.zeros(len(IMAGES), int), "1 classes")],
)  # fmt: skip
def test_labels_of_codes_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(UserError, match=message):
        uses.classify_codes(plain(), IMAGES, labels)
