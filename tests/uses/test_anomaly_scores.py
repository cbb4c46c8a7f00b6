"""Scores against a linear-Gaussian model, where each of them has a closed form."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tests.evaluation.models import NOISE, LinearGaussian, bits_as_codes, digits_model, images
from tfvae import uses
from tfvae.errors import UserError

pytestmark = pytest.mark.usefixtures("without_xla")

N = 12


def exact_nll(known, x):
    """E_q[-log p(x|z)], a Normal's second moment: of mean W m + b and covariance W S W^T."""
    flat = x.reshape(len(x), -1)
    mean = (flat - known.b) @ known.A.T + known.shift
    off = np.sum((flat - known.b - mean @ known.W.T) ** 2, axis=1)
    spread = np.trace(known.W @ known.L @ known.L.T @ known.W.T)
    pixels = flat.shape[1]
    return 0.5 * (off + spread) / NOISE**2 + pixels * np.log(NOISE * np.sqrt(2 * np.pi))


@pytest.mark.parametrize("full", [False, True])
def test_bounds_of_a_linear_gaussian_model(full):
    """4,000 draws: 0.1 nats are 4 standard errors of log p(x|z), which spreads by 1.5 here."""
    known, x = LinearGaussian(full, shift=0.1, widen=1.2), images(N)
    log_p = known.log_likelihood(x)
    reconstruction = uses.ReconstructionProbability(4000)(known.model, x)
    np.testing.assert_allclose(reconstruction, exact_nll(known, x), atol=0.1)
    bound = uses.NegativeELBO(4000)(known.model, x)
    np.testing.assert_allclose(bound, known.gap() - log_p, atol=0.1)
    np.testing.assert_allclose(uses.NegativeLogLikelihood(4000)(known.model, x), -log_p, atol=0.1)


def test_models_with_equal_weights_are_refused():
    """Copies, and the model itself; the state of random numbers and of training does not count."""
    known, x = LinearGaussian(full=True), images(N)
    copy, other = LinearGaussian(full=True, seed=0), LinearGaussian(full=True, seed=1)
    copy.model.sample(3)
    for make in (lambda m: uses.LikelihoodRatio(m, 2), lambda m: uses.WAIC([other.model, m], 2)):
        for same in (known.model, copy.model):
            with pytest.raises(UserError, match="have equal weights: they score alike") as found:
                make(same)(known.model, x)
            assert "\n" not in str(found.value)
    with pytest.raises(UserError, match="WAIC compares models, and two of those"):
        uses.AnomalyDetector(known.model, uses.WAIC([other.model, other.model], 2)).fit(images(20))


def test_one_draw_is_exact_where_the_posterior_is():
    known, x = LinearGaussian(full=True), images(N)
    found = uses.NegativeLogLikelihood(1)(known.model, x)
    np.testing.assert_allclose(found, -known.log_likelihood(x), atol=1e-3)  # float32


def three_models():
    """Exact posteriors, other weights."""
    return [LinearGaussian(full=True, seed=seed) for seed in range(3)]


def test_ratio_and_ensemble_and_typicality_are_their_formulas_of_the_exact_likelihoods():
    known, x = three_models(), images(N)
    log_p = np.stack([each.log_likelihood(x) for each in known])
    model, *others = (each.model for each in known)
    ratio = uses.LikelihoodRatio(others[0], num_samples=2)(model, x)
    np.testing.assert_allclose(ratio, log_p[1] - log_p[0], atol=2e-3)
    waic = uses.WAIC(others, num_samples=2)(model, x)
    expected = log_p.var(axis=0) - log_p.mean(axis=0)
    np.testing.assert_allclose(waic, expected, rtol=1e-3, atol=2e-3)
    normal = images(40, seed=1)
    score = uses.Typicality(num_samples=2).calibrated(model, normal)
    entropy = -known[0].log_likelihood(normal).mean()
    assert score.entropy == pytest.approx(entropy, abs=1e-3)
    np.testing.assert_allclose(score(model, x), np.abs(-log_p[0] - entropy), atol=2e-3)
    assert uses.Typicality(7.0).calibrated(model, normal).entropy == 7.0


def test_regret_is_the_gap_of_a_posterior_that_is_wrong_alike_everywhere():
    """The best Normal is the exact posterior: the regret is KL(q || p(z|x)), of every example."""
    known, x = LinearGaussian(full=True, shift=0.3, widen=1.3), images(N)
    # log w of a draw of q deviates by 2.9 here, its mean over the 40,000 draws that all examples
    # share by 0.015.
    found = uses.LikelihoodRegret(num_steps=200, num_samples=40_000)(known.model, x)
    assert known.gap() > 0.3
    np.testing.assert_allclose(found, known.gap(), atol=0.05)
    exact = LinearGaussian(full=True)
    none = uses.LikelihoodRegret(50, num_samples=500)(exact.model, x)
    np.testing.assert_allclose(none, 0.0, atol=0.05)


SCORES = {
    "reconstruction": lambda other: uses.ReconstructionProbability(5),
    "elbo": lambda other: uses.NegativeELBO(5),
    "likelihood": lambda other: uses.NegativeLogLikelihood(5),
    "ratio": lambda other: uses.LikelihoodRatio(other, 5),
    "waic": lambda other: uses.WAIC([other], 5),
    "typicality": lambda other: uses.Typicality(20.0, 5),
    "regret": lambda other: uses.LikelihoodRegret(3, step_samples=2, num_samples=5),
}


@pytest.mark.parametrize("name", SCORES)
def test_an_example_scores_the_same_wherever_it_stands(name):
    """Place, neighbours, batch size, chunks of draws and kind of data change rounding alone."""
    known = LinearGaussian(full=False, shift=0.2, widen=1.3)
    x = images(7)
    score = SCORES[name](LinearGaussian(full=False, seed=1).model)
    found = score(known.model, x, seed=3)
    assert found.shape == (7,)
    assert found.dtype == np.float64
    same = {"rtol": 1e-4, "atol": 2e-4}
    np.testing.assert_allclose(score(known.model, x[::-1], seed=3), found[::-1], **same)
    np.testing.assert_allclose(score(known.model, x, seed=3, batch_size=2), found, **same)
    streamed = tf.data.Dataset.from_tensor_slices(x).batch(3)
    np.testing.assert_allclose(score(known.model, streamed, seed=3), found, **same)
    assert np.abs(score(known.model, x, seed=4) - found).max() > 1e-3
    copies = score(known.model, np.repeat(x[:1], 3, axis=0), seed=3)
    np.testing.assert_allclose(copies, found[0], **same)


def test_draws_are_made_in_chunks(monkeypatch):
    known, x = LinearGaussian(full=True, shift=0.3, widen=1.5), images(3)
    whole = uses.NegativeLogLikelihood(13)(known.model, x)
    monkeypatch.setattr("tfvae.evaluation.importance.NUMBERS_AT_ONCE", 5 * 3 * 16)
    other = LinearGaussian(full=True, shift=0.3, widen=1.5)
    np.testing.assert_allclose(uses.NegativeLogLikelihood(13)(other.model, x), whole, rtol=1e-5)


def test_what_is_strange_scores_higher():
    """Of x ~ p(x), and twice as far from its mean."""
    known = LinearGaussian(full=True)
    normal = scipy.stats.multivariate_normal(
        known.b, known.W @ known.W.T + NOISE**2 * np.eye(16), seed=0
    ).rvs(50)
    strange = known.b + 2 * (normal - known.b)
    x = np.concatenate([normal, strange]).reshape(-1, 4, 4, 1).astype("float32")
    x = np.clip(x, 0, 1)  # the model's images
    score = uses.NegativeLogLikelihood(2)(known.model, x)
    assert score[:50].mean() < score[50:].mean()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: uses.NegativeELBO(0), "num_samples must be an integer of at least 1"),
        (lambda: uses.LikelihoodRegret(num_steps=0), "num_steps must be an integer of at least 1"),
        (lambda: uses.LikelihoodRegret(learning_rate=0.0), "learning_rate must be a finite number"),
        (lambda: uses.WAIC([]), "ensemble is empty; expected one other"),
        (lambda: uses.Typicality(float("nan")), "entropy must be a finite number"),
        (
            lambda: uses.Typicality()(digits_model(2), np.zeros((2, 8, 8, 1), "float32")),
            "compares with normal data and was given none",
        ),
        (lambda: uses.NegativeELBO()(object(), images(2)), "NegativeELBO needs a model that score"),
        (
            lambda: uses.LikelihoodRatio(object())(digits_model(2), images(2)),
            "LikelihoodRatio needs a model that scores",
        ),
        (
            lambda: uses.LikelihoodRegret()(bits_as_codes(), np.zeros((2, 8, 8, 1), "float32")),
            "this model's z is bits",
        ),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
