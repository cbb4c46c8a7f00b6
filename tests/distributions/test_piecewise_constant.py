"""The histogram's law against NumPy's histogram and SciPy's quadrature, draws against derivatives.

Everything outside comes from the masses, by NumPy in float64.
"""

import itertools

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.divergences import closed_form
from tfvae.distributions.draws import NoTemperatureError, draw
from tfvae.distributions.piecewise_constant import PiecewiseConstant
from tfvae.distributions.quantiles import coordinate_quantiles
from tfvae.noise import Noise

tfd = tfp.distributions
LOGITS = {
    2: np.array([0.7, -0.4]),
    3: np.array([2.0, -1.0, 1.0]),
    7: np.array([0.0, 3.0, -2.0, 1.0, -4.0, 2.0, 0.5]),
}
COUNTS = list(LOGITS)


def distribution(count):
    return PiecewiseConstant(tf.constant(LOGITS[count], tf.float32))


def histogram(logits):
    """SciPy's own law of a histogram."""
    edges = np.linspace(0.0, 1.0, len(logits) + 1)
    return scipy.stats.rv_histogram((scipy.special.softmax(logits), edges), density=False)


def integral(function, *counts):
    """By SciPy's quadrature, told where the integrand jumps."""
    edges = np.unique(np.concatenate([np.arange(n + 1) / n for n in counts]))
    return sum(
        scipy.integrate.quad(function, low, high)[0] for low, high in itertools.pairwise(edges)
    )


def density(logits, z):
    return len(logits) * scipy.special.softmax(logits)[min(int(z * len(logits)), len(logits) - 1)]


@pytest.mark.parametrize("count", COUNTS)
def test_density_and_cdf_are_scipys_histogram(count):
    law, found = histogram(LOGITS[count]), distribution(count)
    # Off the edges, where SciPy's choice of a piece is a convention.
    z = np.random.default_rng(0).random(200).astype("float32")
    np.testing.assert_allclose(found.log_prob(z), law.logpdf(z), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.cdf(z), law.cdf(z), rtol=1e-5, atol=1e-6)
    assert np.all(np.isneginf(found.log_prob(tf.constant([-0.01, 1.01]))))
    np.testing.assert_array_equal(found.cdf(tf.constant([-1.0, 0.0, 1.5]))[:2], [0.0, 0.0])
    assert float(found.cdf(1.5)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("count", COUNTS)
def test_the_density_integrates_to_one_and_to_the_moments(count):
    found, logits = distribution(count), LOGITS[count]

    def pdf(z):
        return float(found.prob(tf.constant(z, tf.float32)))

    assert integral(pdf, count) == pytest.approx(1.0, abs=1e-6)
    mean = integral(lambda z: z * density(logits, z), count)
    variance = integral(lambda z: (z - mean) ** 2 * density(logits, z), count)
    entropy = -integral(lambda z: density(logits, z) * np.log(density(logits, z)), count)
    assert float(found.mean()) == pytest.approx(mean, rel=1e-5)
    assert float(found.variance()) == pytest.approx(variance, rel=1e-5)
    assert float(found.stddev()) == pytest.approx(np.sqrt(variance), rel=1e-5)
    assert float(found.entropy()) == pytest.approx(entropy, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("count", COUNTS)
def test_quantile_is_scipys_and_the_inverse_of_the_cdf(count):
    found = distribution(count)
    u = np.linspace(0.001, 0.999, 101).astype("float32")
    z = found.quantile(u)
    np.testing.assert_allclose(z, histogram(LOGITS[count]).ppf(u), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.cdf(z), u, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("n", "m"), [(2, 2), (7, 7), (3, 7), (7, 2), (3, 1)])
def test_the_kl_is_the_integral_for_as_many_pieces_and_for_others(n, m):
    of_q = LOGITS[n]
    of_p = np.zeros(1) if m == 1 else LOGITS[m][::-1] * 0.5
    expected = integral(
        lambda z: density(of_q, z) * np.log(density(of_q, z) / density(of_p, z)), n, m
    )
    q, p = (PiecewiseConstant(tf.constant(logits, tf.float32)) for logits in (of_q, of_p))
    assert float(closed_form(q, p)) == pytest.approx(expected, rel=1e-5)
    assert expected > 0.01, "the laws must differ to test anything"


def test_the_kl_of_a_law_to_itself_is_zero():
    for count in COUNTS:
        assert float(closed_form(distribution(count), distribution(count))) == 0.0


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("count", COUNTS)
def test_the_gradient_through_draws_is_that_of_the_exact_expectation(count, jit_compile):
    """E[sin(3 z) + z^2] by all draws u = (k + 1/2) / N; its derivative from the integral of f.

    E[f] = sum_i pi_i n int_piece f, so that dE/dlogit_i = pi_i (f_i - E[f]), f_i the piece's mean.
    """
    logits = tf.constant(LOGITS[count], tf.float32)
    u = ((np.arange(200_000) + 0.5) / 200_000).astype("float32")

    @tf.function(jit_compile=jit_compile)
    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(logits)
            z = PiecewiseConstant(logits).quantile(u)
            total = tf.reduce_mean(tf.sin(3.0 * z) + tf.square(z))
        return total, tape.gradient(total, logits)

    masses, edges = scipy.special.softmax(LOGITS[count]), np.arange(count + 1) / count
    means = [
        count * scipy.integrate.quad(lambda z: np.sin(3 * z) + z**2, low, high)[0]
        for low, high in itertools.pairwise(edges)
    ]
    total, found = gradient()
    assert float(total) == pytest.approx(masses @ means, abs=1e-4)
    np.testing.assert_allclose(found, masses * (means - masses @ means), atol=1e-4)
    assert np.abs(found).max() > 0.02


def test_log_q_of_a_draw_has_no_gradient_through_z():
    """Why a KL is never estimated along the path: the entropy does change with the logits."""
    logits = tf.constant(LOGITS[3], tf.float32)
    u = tf.constant(((np.arange(30_000) + 0.5) / 30_000).astype("float32"))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        law = PiecewiseConstant(logits)
        estimated, exact = -tf.reduce_mean(law.log_prob(law.quantile(u))), law.entropy()
    assert float(estimated) == pytest.approx(float(exact), abs=1e-3)
    np.testing.assert_allclose(tape.gradient(estimated, logits), np.zeros(3), atol=1e-3)
    assert np.abs(tape.gradient(exact, logits)).max() > 0.1


def test_draws_of_noise_have_the_law_and_their_density():
    """Kolmogorov-Smirnov against SciPy's law, one test for each of two coordinates."""
    logits = np.stack([LOGITS[3], [-1.0, 0.5, 0.0]])
    law = tfd.Independent(PiecewiseConstant(tf.constant(logits, tf.float32)), 1)
    z, log_prob = draw(law, Noise(3, row=tf.range(4000)))
    for d in range(2):
        assert scipy.stats.kstest(z[:, d], histogram(logits[d]).cdf).pvalue > 0.01
    expected = sum(histogram(logits[d]).logpdf(z[:, d]) for d in range(2))
    # A draw within rounding of an edge may count to either side: none of these does.
    np.testing.assert_allclose(log_prob, expected, rtol=1e-4, atol=1e-5)
    again = law.sample(4000, seed=(1, 2))
    for d in range(2):
        assert scipy.stats.kstest(again[:, d], histogram(logits[d]).cdf).pvalue > 0.01


def test_coordinates_have_quantiles():
    law = tfd.Independent(PiecewiseConstant(tf.constant([LOGITS[3], -LOGITS[3]], tf.float32)), 1)
    found = coordinate_quantiles(law, tf.constant([[0.3, 0.3], [0.9, 0.5]]))
    expected = [histogram(sign * LOGITS[3]).ppf([0.3, q]) for sign, q in ((1, 0.9), (-1, 0.5))]
    np.testing.assert_allclose(found, np.stack(expected, axis=1), rtol=1e-5)


def test_a_temperature_is_refused():
    law = tfd.Independent(PiecewiseConstant(tf.zeros([2, 3])), 1)
    with pytest.raises(NoTemperatureError, match="PiecewiseConstant have no scale"):
        draw(law, Noise(3, row=tf.range(4), temperature=0.5))


def test_a_piece_without_mass_leaves_values_and_gradients_finite():
    logits = tf.constant([[0.0, -200.0, 0.0], [-200.0, 0.0, -200.0]])
    u = tf.constant([[1e-7, 1e-7], [0.5, 0.5], [0.9999999, 0.9999999]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        law = PiecewiseConstant(logits)
        z = law.quantile(u)
        total = tf.reduce_sum(z) + tf.reduce_sum(closed_form(law, PiecewiseConstant([0.0, 1.0])))
    assert np.all(np.isfinite(tape.gradient(total, logits)))
    assert np.all((z >= 0.0) & (z <= 1.0))
    assert np.all((z[:, 1] >= 1 / 3 - 1e-6) & (z[:, 1] <= 2 / 3 + 1e-6))
