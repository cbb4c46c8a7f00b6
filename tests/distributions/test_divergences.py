"""The KL against closed forms in NumPy, quadrature, and its own Monte Carlo estimate."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae import heads, priors
from tfvae.distributions import divergences

tfd = tfp.distributions
RNG = np.random.default_rng(3)
B, D = 4, 3


def posterior(full, size=D):
    loc = RNG.normal(size=(B, size))
    factor = np.tril(0.6 * RNG.normal(size=(B, size, size)), -1) * full
    diagonal = np.exp(0.5 * RNG.normal(size=(B, size)))
    factor += diagonal[:, :, None] * np.eye(size)
    single = [a.astype("float32") for a in (loc, diagonal, factor)]
    if full:
        return tfd.MultivariateNormalTriL(single[0], single[2]), loc, factor
    return tfd.MultivariateNormalDiag(single[0], single[1]), loc, factor


def numpy_kl(loc, factor, prior_loc=0.0, prior_scale=1.0):
    """KL(N(loc, L L^T) || N(m, diag(s^2))), by determinants and traces in float64."""
    prior_loc, prior_scale = (np.broadcast_to(v, loc.shape[1:]) for v in (prior_loc, prior_scale))
    total = []
    for mean, lower in zip(loc, factor, strict=True):
        covariance, precision = lower @ lower.T, np.diag(1 / prior_scale**2)
        difference = mean - prior_loc
        log_ratio = 2 * np.log(prior_scale).sum() - np.linalg.slogdet(covariance)[1]
        quadratic = difference @ precision @ difference
        total.append(0.5 * (np.trace(precision @ covariance) + quadratic - len(mean) + log_ratio))
    return np.array(total)


@pytest.mark.parametrize("full", [False, True])
def test_closed_form_equals_numpys(full):
    q, loc, factor = posterior(full)
    kl = divergences.closed_form(q, priors.StandardNormal(D).distribution())
    np.testing.assert_allclose(kl, numpy_kl(loc, factor), rtol=1e-5)
    scaled = tfd.MultivariateNormalDiag([0.5, -1.0, 0.0], [2.0, 0.5, 1.0])
    expected = numpy_kl(loc, factor, [0.5, -1.0, 0.0], [2.0, 0.5, 1.0])
    np.testing.assert_allclose(divergences.closed_form(q, scaled), expected, rtol=1e-5)


@pytest.mark.parametrize("head_class", [heads.MultivariateNormalDiag, heads.MultivariateNormalTriL])
def test_closed_form_from_a_heads_own_mean_and_covariance(head_class):
    """The promise to users: relative error below 1e-5, from what the encoder returns, D = 20."""
    head = head_class(20)
    head.build((None, 16))
    for weight in head.weights:
        weight.assign(0.08 * RNG.normal(size=weight.shape))
    q = head(RNG.normal(size=(8, 16)).astype("float32"))
    factor = np.linalg.cholesky(q.covariance().numpy().astype("float64"))
    expected = numpy_kl(q.mean().numpy().astype("float64"), factor)
    kl = divergences.closed_form(q, priors.StandardNormal(20).distribution())
    np.testing.assert_allclose(kl, expected, rtol=1e-5)


def test_a_mixture_has_no_closed_form():
    """Then an objective estimates the KL, which tests/objectives holds against quadrature."""
    q, _, _ = posterior(False)
    assert divergences.closed_form(q, priors.MixtureOfGaussians(D, num_components=2)()) is None


# --- Per dimension ---------------------------------------------------------------------------


@pytest.mark.parametrize("full", [False, True])
def test_per_dimension_sums_to_the_kl_and_is_non_negative(full):
    q, loc, factor = posterior(full)
    for p, m, s in [
        (priors.StandardNormal(D).distribution(), 0.0, 1.0),
        (tfd.MultivariateNormalDiag([0.5, -1.0, 0.0], [2.0, 0.5, 1.0]), [0.5, -1, 0], [2, 0.5, 1]),
    ]:
        split = divergences.kl_per_dimension(q, p).numpy()
        assert split.shape == (B, D)
        assert np.all(split >= 0)
        np.testing.assert_allclose(
            split.sum(axis=1), numpy_kl(loc, factor, np.float64(m), np.float64(s)), rtol=1e-5
        )


def test_per_dimension_of_a_diagonal_is_the_marginals_kl():
    q, loc, factor = posterior(False)
    split = divergences.kl_per_dimension(q, priors.StandardNormal(D).distribution())
    for i in range(D):
        marginal = numpy_kl(loc[:, i : i + 1], factor[:, i : i + 1, i : i + 1])
        np.testing.assert_allclose(split[:, i], marginal, rtol=1e-4, atol=1e-6)


def test_per_dimension_of_a_full_covariance_is_the_chain_rules_term():
    """E over z_<i of the conditional's KL, with the conditional from the covariance, not from L."""
    q, loc, factor = posterior(True, size=2)
    split = divergences.kl_per_dimension(q, priors.StandardNormal(2).distribution()).numpy()
    covariance = factor @ factor.transpose(0, 2, 1)
    first = numpy_kl(loc[:, :1], np.sqrt(covariance[:, :1, :1]))
    slope = covariance[:, 1, 0] / covariance[:, 0, 0]
    conditional = covariance[:, 1, 1] - slope * covariance[:, 1, 0]
    mean_square = loc[:, 1] ** 2 + slope**2 * covariance[:, 0, 0]
    second = 0.5 * (conditional + mean_square - 1 - np.log(conditional))
    np.testing.assert_allclose(split, np.stack([first, second], axis=1), rtol=1e-4)


def test_per_dimension_is_zero_at_the_prior():
    q = tfd.MultivariateNormalDiag(tf.zeros((1, D)), tf.ones((1, D)))
    p = priors.StandardNormal(D).distribution()
    np.testing.assert_array_equal(divergences.kl_per_dimension(q, p), np.zeros((1, D)))


def test_per_dimension_refuses_what_does_not_split():
    q, _, _ = posterior(False)
    mixture = priors.MixtureOfGaussians(D)()
    with pytest.raises(ValueError, match=r"StandardNormal.*received .*Diag and NormalMixture"):
        divergences.kl_per_dimension(q, mixture)
    full = tfd.MultivariateNormalTriL(tf.zeros(D), tf.eye(D))
    with pytest.raises(ValueError, match=r"received MultivariateNormalDiag and .*TriL"):
        divergences.kl_per_dimension(q, full)
