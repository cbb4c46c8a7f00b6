"""Draws against SciPy's laws, against the distributions' own densities, and their gradients."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.draws import draw
from tfvae.distributions.folded_normal import FoldedMultivariateNormalTriL
from tfvae.distributions.folded_triangle import FoldedTriangle
from tfvae.noise import Noise, training_noise

tfd, tfb = tfp.distributions, tfp.bijectors
B, D, DRAWS = 2, 3, 20_000
SEED = tf.constant([3, 4])
RNG = np.random.default_rng(0)
LOC = RNG.normal(size=(B, D)).astype("float32")
SCALE = np.exp(0.5 * RNG.normal(size=(B, D))).astype("float32")
OTHER = np.exp(0.5 * RNG.normal(size=(B, D))).astype("float32") + 1.0
LOWER = np.tril(0.5 * RNG.normal(size=(B, D, D)), -1)
TRIL = (LOWER + SCALE[:, :, None] * np.eye(D)).astype("float32")


def drawn(distribution, draws=DRAWS, seed=SEED):
    return draw(distribution, training_noise(seed, draws, B))


def independent(family):
    return lambda *parameters: tfd.Independent(family(*parameters), 1)


# family, parameters [B, D], SciPy's law of one entry
ENTRIES = {
    "normal": (tfd.Normal, (LOC, SCALE), scipy.stats.norm),
    "kumaraswamy": (tfd.Kumaraswamy, (SCALE, OTHER), None),
    "gumbel": (tfd.Gumbel, (LOC, SCALE), scipy.stats.gumbel_r),
    "beta": (tfd.Beta, (SCALE, OTHER), scipy.stats.beta),
    "gamma": (tfd.Gamma, (SCALE, OTHER), lambda a, rate: scipy.stats.gamma(a, scale=1 / rate)),
    "lognormal": (
        tfd.LogNormal,
        (LOC, SCALE),
        lambda loc, scale: scipy.stats.lognorm(scale, scale=np.exp(loc)),
    ),
    "laplace": (tfd.Laplace, (LOC, SCALE), scipy.stats.laplace),
}


def autoregressive(x):
    """Shift and log-scale of entry i, of the entries before it."""
    strictly_lower = tf.constant([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [-0.3, 0.4, 0.0]])
    return tf.linalg.matvec(strictly_lower, x), 0.3 * tf.tanh(tf.linalg.matvec(strictly_lower, x))


def flow(loc, scale):
    """exp(0.2 (0.5 + MAF(z))), z ~ N(loc, scale^2)."""
    steps = [
        tfb.Exp(),
        tfb.Scale(0.2),
        tfb.Shift(0.5),
        tfb.MaskedAutoregressiveFlow(autoregressive),
    ]
    return tfd.TransformedDistribution(tfd.MultivariateNormalDiag(loc, scale), tfb.Chain(steps))


def folded(loc, scale):
    """Of the head, with its entries from the scales."""
    return FoldedMultivariateNormalTriL(loc, FoldedTriangle(scale, scale - 1.0))


VECTORS = {
    "diag": (tfd.MultivariateNormalDiag, (LOC, SCALE)),
    "tril": (tfd.MultivariateNormalTriL, (LOC, TRIL)),
    "folded": (folded, (LOC, SCALE)),
    "flow": (flow, (LOC, SCALE)),
    **{name: (independent(family), given) for name, (family, given, _) in ENTRIES.items()},
}


@pytest.mark.parametrize("name", [*VECTORS, "bernoulli"])
def test_log_prob_is_the_distributions_own(name):
    bernoulli = (independent(lambda p: tfd.Bernoulli(probs=p, dtype=tf.float32)), (OTHER / 10,))
    make, parameters = {**VECTORS, "bernoulli": bernoulli}[name]
    distribution = make(*map(tf.constant, parameters))
    z, log_prob = drawn(distribution, 50)
    assert z.shape == (50, B, D)
    assert log_prob.shape == (50, B)
    # z by value, lest a bijector remember what it made it of.
    expected = distribution.log_prob(tf.constant(z.numpy()))
    np.testing.assert_allclose(log_prob, expected, rtol=2e-4, atol=2e-4)
    assert np.std(log_prob) > 0.1


@pytest.mark.parametrize("name", ENTRIES)
def test_entries_follow_scipys_law(name):
    """Kolmogorov and Smirnov: each p-value is below 1e-4 once in 10,000 seeds."""
    family, parameters, law = ENTRIES[name]
    z = drawn(tfd.Independent(family(*parameters), 1)).z.numpy().astype("float64")
    for row, column in np.ndindex(B, D):
        first, second = (p[row, column].astype("float64") for p in parameters)
        if law is None:  # SciPy has no Kumaraswamy
            cdf = lambda x, a=first, b=second: 1 - (1 - x**a) ** b  # noqa: E731
        else:
            cdf = law(first, second).cdf
        assert scipy.stats.kstest(z[:, row, column], cdf).pvalue > 1e-4
    correlations = np.corrcoef(z.reshape(DRAWS, -1).argsort(axis=0).argsort(axis=0).T)
    assert np.abs(correlations - np.eye(B * D)).max() < 4.5 / np.sqrt(DRAWS), "independent"


@pytest.mark.parametrize("name", ["diag", "tril", "folded"])
def test_normals_have_their_mean_and_covariance(name):
    """Within 5 standard errors; Var of a sample covariance is at most 2 s_i^2 s_j^2 / N."""
    make, parameters = VECTORS[name]
    distribution = make(*parameters)
    z = drawn(distribution).z.numpy().astype("float64")
    covariance = distribution.covariance().numpy()
    for row in range(B):
        spread = np.sqrt(np.diag(covariance[row]))
        off = (z[:, row].mean(axis=0) - distribution.mean()[row]) / spread
        assert np.abs(off).max() < 5 / np.sqrt(DRAWS)
        normalised = (np.cov(z[:, row].T) - covariance[row]) / np.outer(spread, spread)
        assert np.abs(normalised).max() < 5 * np.sqrt(2 / DRAWS)
        for i in range(D):
            law = scipy.stats.norm(distribution.mean()[row, i], spread[i])
            assert scipy.stats.kstest(z[:, row, i], law.cdf).pvalue > 1e-4


def test_bernoulli_draws_are_bits_with_the_right_mean():
    probs = OTHER / 10
    z = drawn(tfd.Independent(tfd.Bernoulli(probs=probs, dtype=tf.float32), 1)).z.numpy()
    assert set(np.unique(z)) == {0.0, 1.0}
    error = np.sqrt(probs * (1 - probs) / DRAWS)
    assert np.all(np.abs(z.mean(axis=0) - probs) < 4.5 * error)


def test_a_flow_draws_from_its_own_base():
    """z_0 ~ N(mu, sigma^2), then shift and scale by it; not the flow of N(0, I).

    E z_1 = mu_0 / 2 + mu_1 E exp(0.3 z_0) where the log-scale is 0.3 z_0.
    """
    loc, scale = np.array([[2.0, -1.0]]), np.array([[0.5, 0.2]])

    def conditioner(x):
        first = tf.stack([tf.zeros_like(x[..., 0]), x[..., 0]], axis=-1)
        return 0.5 * first, 0.3 * first

    q = tfd.TransformedDistribution(
        tfd.MultivariateNormalDiag(tf.constant(loc, tf.float32), tf.constant(scale, tf.float32)),
        tfb.MaskedAutoregressiveFlow(conditioner),
    )
    noise = training_noise(SEED, DRAWS, 1)
    z = draw(q, noise).z.numpy()[:, 0].astype("float64")
    through = q.bijector.forward(draw(q.distribution, noise).z)[:, 0]
    np.testing.assert_allclose(z, through, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(z[:, 0].mean(), 2.0, atol=5 * 0.5 / np.sqrt(DRAWS))
    np.testing.assert_allclose(z[:, 0].std(), 0.5, rtol=5 / np.sqrt(2 * DRAWS))
    expected = 0.5 * 2.0 - np.exp(0.3 * 2.0 + 0.5 * (0.3 * 0.5) ** 2)
    np.testing.assert_allclose(z[:, 1].mean(), expected, atol=5 * z[:, 1].std() / np.sqrt(DRAWS))
    assert abs(expected) > 0.5, "that of N(0, I) would be 0"


@pytest.mark.parametrize("name", VECTORS)
def test_gradients_reach_every_parameter(name):
    make, parameters = VECTORS[name]
    variables = [tf.Variable(value) for value in parameters]
    with tf.GradientTape() as tape:
        z, log_prob = drawn(make(*map(tf.convert_to_tensor, variables)), 5)
        loss = tf.reduce_sum(tf.square(z)) + tf.reduce_sum(log_prob)
    gradients = tape.gradient(loss, variables)
    for gradient, value in zip(gradients, parameters, strict=True):
        assert np.all(np.isfinite(gradient))
        np.testing.assert_array_equal(gradient.numpy() != 0, value != 0)  # a factor's upper half


@pytest.mark.parametrize("name", ["normal", "gamma", "beta", "lognormal", "gumbel"])
def test_the_gradient_is_that_of_the_quantile(name):
    """dz / dparameter at a fixed quantile, against SciPy's central difference."""
    family, parameters, law = ENTRIES[name]
    variables = [tf.Variable(value) for value in parameters]
    with tf.GradientTape() as tape:
        z = drawn(tfd.Independent(family(*map(tf.convert_to_tensor, variables)), 1), 1).z
        total = tf.reduce_sum(z)
    found = [gradient.numpy() for gradient in tape.gradient(total, variables)]
    first, second = (value.astype("float64") for value in parameters)
    u, step = law(first, second).cdf(z.numpy()[0].astype("float64")), 1e-4
    for i, shift in enumerate(np.eye(2) * step):
        higher, lower = (law(first + s * shift[0], second + s * shift[1]).ppf(u) for s in (1, -1))
        # z is float32: its own rounding comes back through the CDF.
        np.testing.assert_allclose(found[i], (higher - lower) / (2 * step), rtol=5e-3, atol=1e-3)


def test_gradient_of_a_normal_is_that_of_the_path():
    loc, scale = tf.Variable(tf.zeros((3, 2))), tf.Variable(tf.ones((3, 2)))
    with tf.GradientTape() as tape:
        z = draw(tfd.MultivariateNormalDiag(loc, scale), training_noise(SEED, 5, 3)).z
        total = tf.reduce_sum(z)
    gradients = tape.gradient(total, (loc, scale))
    np.testing.assert_allclose(gradients[0], 5.0 * np.ones((3, 2)))
    np.testing.assert_allclose(gradients[1], tf.reduce_sum(z, axis=0), rtol=1e-5)


@pytest.mark.parametrize("name", VECTORS)
def test_the_seed_decides(name):
    make, parameters = VECTORS[name]
    distribution = make(*parameters)
    first = drawn(distribution, 4).z.numpy()
    np.testing.assert_array_equal(first, drawn(distribution, 4).z)
    assert np.all(first != drawn(distribution, 4, SEED + 1).z.numpy())


@pytest.mark.parametrize("name", [*VECTORS, "bernoulli"])
@pytest.mark.parametrize("leading", [(4,), (4, B)], ids=["prior", "posterior"])
def test_a_draw_for_each_entry_of_the_noise(name, leading):
    """[N] draws of a distribution without a batch, and [S, B] of one with a batch of B."""
    if name in VECTORS:
        make, parameters = VECTORS[name]
    else:
        make, parameters = independent(lambda p: tfd.Bernoulli(probs=p)), (OTHER / 10,)
    distribution = make(*map(tf.constant, parameters))
    noise = training_noise(SEED, 4, B)
    if leading == (4,):
        distribution, noise = distribution[0], Noise(7, row=tf.range(4))
    z, log_prob = draw(distribution, noise)
    assert z.shape == (*leading, D)
    assert log_prob.shape == leading


def wide(parameter):
    """`[B, 2, ...]`: two copies, the second one apart."""
    return tf.stack([parameter, parameter + 0.5], axis=1)


@pytest.mark.parametrize("name", ["diag", "tril", "flow", "normal", "gumbel", "gamma"])
def test_independent_vectors_are_drawn_apart(name):
    """An event `[2, D]` of two vectors: their noise is not shared, and neither is log q."""
    make, parameters = VECTORS[name]
    distribution = tfd.Independent(make(*map(wide, parameters)), 1)
    z, log_prob = drawn(distribution, 2000)
    assert z.shape == (2000, B, 2, D)
    expected = distribution.log_prob(tf.constant(z.numpy()))
    np.testing.assert_allclose(log_prob, expected, rtol=2e-4, atol=2e-4)
    ranks = z.numpy()[:, 0].reshape(2000, -1).argsort(axis=0).argsort(axis=0)
    apart = np.corrcoef(ranks.T)[:D, D:]
    assert np.abs(apart).max() < 4.5 / np.sqrt(2000)


def test_a_scalar_and_a_matrix_of_scalars():
    z, log_prob = drawn(tfd.Gamma(SCALE[:, 0], 2.0), 6)
    assert z.shape == log_prob.shape == (6, B)
    normal = tfd.Independent(tfd.Normal(tf.zeros([B, 2, D]), 1.0), 2)
    z, log_prob = drawn(normal, 6)
    assert z.shape == (6, B, 2, D)
    expected = scipy.stats.norm.logpdf(z.numpy()).sum(axis=(2, 3))
    np.testing.assert_allclose(log_prob, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["tril", "folded", "flow", "gamma", "kumaraswamy"])
def test_xla_draws_the_same(name):
    make, parameters = VECTORS[name]
    function = lambda *given: drawn(make(*given), 6)  # noqa: E731
    parameters = [tf.constant(value) for value in parameters]
    for found, expected in zip(
        tf.function(function, jit_compile=True)(*parameters), function(*parameters), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
