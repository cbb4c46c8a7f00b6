"""The posteriors against SciPy's densities, with parameters by NumPy from the weights."""

import math
import re

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae import heads
from tfvae.distributions import divergences
from tfvae.distributions.draws import draw, matvec
from tfvae.noise import training_noise

tfd = tfp.distributions
ROWS, WIDTH, SIZE = 4, 6, 3
FEATURES = np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype("float32")
HEADS = [heads.MultivariateNormalDiag, heads.MultivariateNormalTriL]


def softplus(x):
    return np.logaddexp(0.0, x)


def built(head_class, size=SIZE, width=WIDTH):
    head = head_class(size)
    head.build((None, width))
    rng = np.random.default_rng(2)
    projected = []
    for dense in [head.projection, *([head.below] if hasattr(head, "below") else [])]:
        kernel, bias = dense.weights
        kernel.assign(rng.normal(size=kernel.shape) * 0.7)
        bias.assign(rng.normal(size=bias.shape))
        projected.append(FEATURES.astype("float64") @ kernel.numpy() + bias.numpy())
    projected = np.concatenate(projected, axis=1)
    return head, projected


def expected_factor(projected, full):
    """L for each row, entry by entry: the diagonal after the loc, then the folded lower part.

    Below the diagonal stands a fraction of the row's diagonal, over sqrt(D). With D = 3, row 1 and
    row 2, backwards, make one row of the rectangle.
    """
    factors = np.zeros((ROWS, SIZE, SIZE))
    shift = np.log(np.exp(1 - 1e-5) - 1)  # makes a zero projection the scale 1
    for row in range(ROWS):
        for i in range(SIZE):
            factors[row, i, i] = softplus(projected[row, SIZE + i] + shift) + 1e-5
        for (i, j), entry in zip(((1, 0), (2, 1), (2, 0)), projected[row, 2 * SIZE :], strict=full):
            factors[row, i, j] = entry / np.sqrt(SIZE) * factors[row, i, i]
    return factors


@pytest.mark.parametrize("head_class", HEADS)
def test_log_prob_equals_scipys(head_class):
    head, projected = built(head_class)
    factors = expected_factor(projected, head_class is heads.MultivariateNormalTriL)
    if head_class is heads.MultivariateNormalTriL:
        covariances = factors @ factors.transpose(0, 2, 1)
        correlation = covariances[0, 0, 1] / np.sqrt(covariances[0, 0, 0] * covariances[0, 1, 1])
        assert abs(correlation) > 0.1, "the example must be correlated to test anything"
    posterior = head(FEATURES)
    np.testing.assert_allclose(posterior.mean(), projected[:, :SIZE], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        posterior.covariance(), factors @ factors.transpose(0, 2, 1), rtol=1e-4, atol=1e-5
    )
    z = np.random.default_rng(3).normal(size=(ROWS, SIZE)).astype("float32")
    expected = [
        scipy.stats.multivariate_normal.logpdf(z[n], projected[n, :SIZE], factors[n] @ factors[n].T)
        for n in range(ROWS)
    ]
    # float32: a few hundred roundings of 6e-8 on values up to 100.
    np.testing.assert_allclose(posterior.log_prob(z), expected, rtol=2e-5)


@pytest.mark.parametrize("head_class", HEADS)
def test_density_integrates_to_one_by_quadrature(head_class):
    head, _ = built(head_class, size=2)
    # The trapezium rule over +-20 is exact to rounding for a smooth density of scale > 2 steps.
    axis = np.linspace(-20, 20, 801)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).astype("float32")
    posterior = head(FEATURES[:1])
    assert float(tf.reduce_min(posterior.scale.diag_part())) > 2 * (axis[1] - axis[0])
    total = np.exp(posterior.log_prob(grid[:, :, None]).numpy().astype("float64")).sum()
    assert total * (axis[1] - axis[0]) ** 2 == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("head_class", HEADS)
def test_a_zero_projection_is_the_standard_normal(head_class):
    """The scale is 1, not softplus(0) = 0.69: a fresh encoder starts at the prior's spread."""
    head = head_class(SIZE)
    head.build((None, WIDTH))
    posterior = head(np.zeros((2, WIDTH), "float32"))
    np.testing.assert_allclose(posterior.covariance(), np.stack([np.eye(SIZE)] * 2), atol=1e-6)
    np.testing.assert_array_equal(posterior.mean(), np.zeros((2, SIZE)))


def test_a_fresh_full_covariance_is_diagonal_and_can_learn_not_to_be():
    head = heads.MultivariateNormalTriL(SIZE)
    with tf.GradientTape() as tape:
        posterior = head(FEATURES)
        loss = tf.reduce_sum(posterior.log_prob(np.full((ROWS, SIZE), 0.3, "float32")))
    covariance = posterior.covariance().numpy()
    np.testing.assert_array_equal(covariance, covariance * np.eye(SIZE))
    assert np.all(np.any(tape.gradient(loss, head.below.kernel).numpy() != 0, axis=0))


@pytest.mark.parametrize("head_class", HEADS)
def test_samples_follow_loc_plus_factor_times_noise(head_class):
    head, _ = built(head_class)
    posterior = head(FEATURES)
    draws = posterior.sample(50_000, seed=(1, 2)).numpy().astype("float64")
    covariance = posterior.covariance().numpy()
    error = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2) / len(draws))
    assert np.all(np.abs(draws.mean(axis=0) - posterior.mean()) < 4.5 * error)
    for n in range(ROWS):
        spread = np.sqrt(np.diag(covariance[n]))
        normalised = (np.cov(draws[:, n].T) - covariance[n]) / np.outer(spread, spread)
        # Var of a sample covariance is at most 2 sigma_i^2 sigma_j^2 / N.
        assert np.abs(normalised).max() < 4.5 * np.sqrt(2 / len(draws))


@pytest.mark.parametrize("head_class", HEADS)
def test_an_extreme_projection_stays_finite(head_class):
    """softplus(-1000) is 0 in float32; the minimum scale keeps log q and its gradient finite."""
    head = head_class(2)
    head.build((None, WIDTH))
    head.projection.bias.assign([0.0] * 2 + [-1000.0] * 2)
    with tf.GradientTape() as tape:
        posterior = head(np.zeros((1, WIDTH), "float32"))
        z = posterior.sample(seed=(1, 2))
        log_q = posterior.log_prob(z)
    assert np.isfinite(log_q).all()
    assert np.isfinite(tape.gradient(log_q, head.projection.bias)).all()


def test_types_and_parameters():
    diag, tril = heads.MultivariateNormalDiag(3), heads.MultivariateNormalTriL(3)
    assert isinstance(diag(FEATURES), tfd.MultivariateNormalDiag)
    assert isinstance(tril(FEATURES), tfd.MultivariateNormalTriL)
    assert {k: tuple(v.shape) for k, v in diag.parameters(FEATURES).items()} == {
        "loc": (ROWS, 3),
        "scale_diag": (ROWS, 3),
    }
    parameters = tril.parameters(FEATURES)
    assert tuple(parameters["scale_tril"].shape) == (ROWS, 3, 3)
    factor = parameters["scale_tril"].numpy()
    np.testing.assert_array_equal(factor, np.tril(factor))


@pytest.mark.parametrize("size", [2, 3, 4, 7, 50])
def test_the_folded_factor_is_the_matrix(size):
    """Whatever is computed from the folded entries, NumPy computes from the dense factor."""
    head, _ = built(heads.MultivariateNormalTriL, size)
    posterior = head(FEATURES)
    factor = head.parameters(FEATURES)["scale_tril"].numpy().astype("float64")
    lower = np.tril_indices(size)
    assert np.unique(factor[0][lower]).size == len(lower[0]), "every entry has a place of its own"
    assert not np.triu(factor, 1).any()
    eps = np.random.default_rng(4).normal(size=(5, ROWS, size)).astype("float32")
    close = {"rtol": 1e-4, "atol": 1e-4 * np.abs(factor).max()}
    expected = np.einsum("bij,sbj->sbi", factor, eps)
    np.testing.assert_allclose(posterior.scale.matvec(eps[0]), expected[0], **close)
    np.testing.assert_allclose(matvec(posterior.scale, tf.constant(eps)), expected, **close)
    np.testing.assert_allclose(matvec(posterior.scale, tf.constant(eps[:1])), expected[:1], **close)
    variance = np.square(factor).sum(-1)
    np.testing.assert_allclose(posterior.variance(), variance, rtol=1e-4)
    np.testing.assert_allclose(posterior.stddev(), np.sqrt(variance), rtol=1e-4)
    log_det = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(-1)
    np.testing.assert_allclose(posterior.scale.log_abs_determinant(), log_det, rtol=1e-4)
    np.testing.assert_allclose(posterior.scale[1:3].to_dense(), factor[1:3], rtol=1e-5)
    part = posterior[1:3]
    assert part.batch_shape == (2,)
    np.testing.assert_allclose(part.covariance(), posterior.covariance()[1:3], rtol=1e-5)


def test_training_never_makes_the_matrix():
    """In the program of draws and KL, no array has D x D entries for each of B rows."""
    head, size = heads.MultivariateNormalTriL(30), 30
    head.build((None, WIDTH))

    @tf.function(jit_compile=True)
    def step(features):
        with tf.GradientTape() as tape:
            posterior = head(features)
            z = draw(posterior, training_noise(tf.constant([1, 2]), 1, ROWS)).z
            prior = tfd.MultivariateNormalDiag(tf.zeros(size), tf.ones(size))
            loss = tf.reduce_sum(z) + tf.reduce_sum(divergences.closed_form(posterior, prior))
        return tape.gradient(loss, head.trainable_variables)

    def shapes(function):
        text = function.experimental_get_compiler_ir(FEATURES)(stage="optimized_hlo")
        return {tuple(map(int, found.split(","))) for found in re.findall(r"f32\[([\d,]+)\]", text)}

    matrices = ROWS * size * size
    assert max(math.prod(shape) for shape in shapes(step)) < matrices
    dense = tf.function(lambda features: head(features).covariance(), jit_compile=True)
    assert max(math.prod(shape) for shape in shapes(dense)) >= matrices, "or it would see nothing"


@pytest.mark.parametrize("head_class", HEADS)
def test_one_latent_dimension(head_class):
    head, features = head_class(1), FEATURES
    posterior = head(features)
    assert posterior.event_shape == (1,)
    assert posterior.covariance().shape == (ROWS, 1, 1)


@pytest.mark.parametrize("head_class", HEADS)
def test_feature_maps_are_flattened(head_class):
    maps = np.random.default_rng(0).normal(size=(2, 3, 3, 4)).astype("float32")
    head = head_class(2)
    from_maps = head(maps)
    assert from_maps.batch_shape == (2,)
    np.testing.assert_array_equal(from_maps.mean(), head(maps.reshape(2, -1)).mean())


@pytest.mark.parametrize("head_class", HEADS)
def test_float32_under_a_lower_policy(head_class):
    head = head_class(2)
    posterior = head(tf.cast(FEATURES, tf.bfloat16))
    assert posterior.dtype == tf.float32
    assert all(v.dtype == tf.float32 for v in head.parameters(FEATURES).values())
    assert head.compute_dtype == "float32"


@pytest.mark.parametrize("head_class", HEADS)
@pytest.mark.parametrize("bad", [0, -1, 2.0, "2", True, None])
def test_a_bad_latent_size_is_refused(head_class, bad):
    with pytest.raises(ValueError, match=r"latent_size must be an integer of at least 1, received"):
        head_class(bad)
