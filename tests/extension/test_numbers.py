"""Each stranger's numbers against SciPy and quadrature."""

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import tensorflow as tf

from tests.extension.cases import CASES, SEED
from tests.extension.members.posterior import Kumaraswamy
from tests.extension.members.prior import Laplace
from tfvae import evaluation
from tfvae.noise import Noise

GRID = np.linspace(-30.0, 30.0, 6001)  # of z in one dimension; Laplace tails are long
POSTERIORS = [(1.0, 1.0), (0.5, 0.4), (3.0, 2.0), (0.9, 6.0)]


def cdf(z, a, b):
    """P(z' <= z) of the logit of a Kumaraswamy variable."""
    return 1.0 - (1.0 - scipy.special.expit(z) ** a) ** b


def head_and_distribution(a, b):
    head = Kumaraswamy(1)
    parameters = {"a": tf.constant([[a]], tf.float32), "b": tf.constant([[b]], tf.float32)}
    return head, head.distribution(**parameters)


@pytest.mark.parametrize(("a", "b"), POSTERIORS)
def test_the_density_is_the_derivative_of_the_distribution_function(a, b):
    _, q = head_and_distribution(a, b)
    z, step = np.linspace(-8.0, 5.0, 27), 1e-5
    expected = (cdf(z + step, a, b) - cdf(z - step, a, b)) / (2 * step)
    found = np.exp(q.log_prob(z.reshape(-1, 1, 1).astype("float32")).numpy()[:, 0])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("a", "b"), POSTERIORS)
def test_draws_have_that_distribution_and_come_with_their_density(a, b):
    head, q = head_and_distribution(a, b)
    z, log_q = head.draw(q, Noise(SEED, stream=tf.range(4096)[:, tf.newaxis], row=tf.range(1)))
    assert scipy.stats.kstest(z.numpy().reshape(-1), lambda x: cdf(x, a, b)).pvalue > 1e-3
    np.testing.assert_allclose(log_q, q.log_prob(z), rtol=1e-4, atol=1e-4)
    assert np.isfinite(log_q).all()


@pytest.mark.parametrize(("a", "b"), POSTERIORS)
def test_its_code_is_the_mean_of_draws(a, b):
    """There is no closed form: 256 draws, within 4.5 of their standard errors."""
    head, q = head_and_distribution(a, b)
    density = np.gradient(cdf(GRID, a, b), GRID)
    mean = scipy.integrate.trapezoid(GRID * density, GRID)
    stddev = np.sqrt(scipy.integrate.trapezoid((GRID - mean) ** 2 * density, GRID))
    found = head.moments(q)
    assert found.drawn == ("mean", "stddev")
    assert abs(float(head.code(q)[0, 0]) - mean) < 4.5 * stddev / 16
    np.testing.assert_allclose(found.stddev, stddev, rtol=0.25)


def test_the_estimated_kl_is_the_integral():
    """KL(q || N(0, 1)) of the case's own posteriors, from 2,000 draws each."""
    case = next(case for case in CASES if case.name == "posterior")
    model = case.built()
    found = evaluation.elbo(model, case.first(4), num_samples=2000)
    z = GRID.reshape(-1, 1, 1).astype("float32")
    log_q = model.encoder(case.first(4)).log_prob(z).numpy().astype("float64")
    density = np.exp(log_q)
    log_p = scipy.stats.norm.logpdf(GRID)[:, None]
    ratio = np.where(density > 0, log_q - log_p, 0.0)
    kl = scipy.integrate.trapezoid(density * ratio, GRID, axis=0)
    np.testing.assert_allclose(scipy.integrate.trapezoid(density, GRID, axis=0), 1.0, atol=1e-4)
    spread = np.sqrt(scipy.integrate.trapezoid(density * (ratio - kl) ** 2, GRID, axis=0))
    assert np.all(np.abs(found.kl - kl) < 4.5 * spread / np.sqrt(2000))


def test_the_prior_is_the_one_that_scipy_has_and_its_temperature_scales_it():
    prior = Laplace(2)
    prior.build()
    prior.loc.assign([1.0, -2.0])
    prior.log_scale.assign(np.log([0.5, 2.0]))
    z = prior.generate(Noise(SEED, row=tf.range(4096))).numpy()
    for axis, (loc, scale) in enumerate([(1.0, 0.5), (-2.0, 2.0)]):
        expected = scipy.stats.laplace(loc, scale)
        assert scipy.stats.kstest(z[:, axis], expected.cdf).pvalue > 1e-3
    cold = prior.generate(Noise(SEED, row=tf.range(4096), temperature=0.5)).numpy()
    np.testing.assert_allclose(cold - [1.0, -2.0], 0.5 * (z - [1.0, -2.0]), atol=1e-5)


def test_the_marginal_kl_is_the_integral():
    """Of all N examples in one batch the estimate is unbiased: the mean of 400 is the integral."""
    case = next(case for case in CASES if case.name == "objective")
    model, x = case.built(), case.first(6)
    batch = {"x": tf.constant(x)}
    model.num_examples.assign(len(x))
    estimate = tf.function(lambda: model.loss_terms(batch, True).terms["marginal_kl"])
    found = [float(estimate()) for _ in range(400)]
    z = GRID.reshape(-1, 1, 1).astype("float32")
    marginal = np.exp(model.encoder(x).log_prob(z).numpy().astype("float64")).mean(axis=1)
    log_p = scipy.stats.norm.logpdf(GRID)
    ratio = np.where(marginal > 1e-300, np.log(np.maximum(marginal, 1e-300)) - log_p, 0.0)
    expected = scipy.integrate.trapezoid(marginal * ratio, GRID)
    assert abs(np.mean(found) - expected) < 4.5 * np.std(found) / 20 + 1e-4


def test_the_marginal_kl_knows_how_many_examples_there_are():
    """With one of N = 2 examples in the batch, the other half of the marginal is nobody's."""
    case = next(case for case in CASES if case.name == "objective")
    model, seed = case.built(), case.built().seed_state
    batch = {"x": tf.constant(case.first(1))}
    values = []
    for number in (1, 2):
        model.num_examples.assign(number)
        model.seed_state.assign(seed)
        values.append(float(model.loss_terms(batch, True).terms["marginal_kl"]))
    assert values[0] - values[1] == pytest.approx(np.log(2.0), abs=1e-5)


def log_likelihood_by_quadrature(case, model, rows):
    """log p(x) of the first examples: the trapezoid rule over z, with densities from SciPy."""
    grid = np.linspace(-20.0, 20.0, 4001)
    z, step = grid.reshape(-1, 1).astype("float32"), grid[1] - grid[0]
    if case.name == "levels":
        return _by_quadrature_over_levels(model, case.first(rows))
    x, log_prior = np.asarray(case.data["x"][:rows]), case.log_prior(model, z.astype("float64"))
    found = []
    for n in range(rows):
        given = {name: np.repeat(v[n], len(z)) for name, v in case.given(rows).items()}
        joint = case.log_likelihood(model, z, x[n], **given) + log_prior
        found.append(scipy.special.logsumexp(joint) + np.log(step))
    return np.array(found)


def _by_quadrature_over_levels(model, x):
    """p(x) = int p(x|z1) [int p(z1|z2) p(z2) dz2] dz1."""
    from tests.extension.cases import bits

    grid = np.linspace(-10.0, 10.0, 1001)
    z, step = grid.reshape(-1, 1).astype("float32"), grid[1] - grid[0]
    down = {k: v.numpy().astype("float64")[:, 0] for k, v in model.downward.parameters(z).items()}
    log_given = scipy.stats.norm.logpdf(grid[:, None], down["loc"], down["scale_diag"])
    log_first = scipy.special.logsumexp(log_given + scipy.stats.norm.logpdf(grid), axis=1)
    joint = [bits(model, z, row) + log_first for row in x]
    return scipy.special.logsumexp(joint, axis=1) + 2 * np.log(step)


@pytest.fixture(scope="module")
def exact(case, trained):
    return log_likelihood_by_quadrature(case, trained[0], 6)


def test_log_likelihood_is_the_integral_and_the_elbo_below(case, trained, exact):
    options = {"num_samples": 20_000, "verbose": 0}
    found = evaluation.log_likelihood(trained[0], case.first(6), **options)
    # A Normal proposal misses the tail of an example that is rare: half of them have to be near.
    assert np.median(np.abs(found.per_example - exact)) < 0.02
    assert abs(found.mean - exact.mean()) < 0.2
    bound = evaluation.elbo(trained[0], case.first(6), **options)
    np.testing.assert_array_less(bound.per_example, exact + 0.01)  # noise of 20,000 draws


def test_naive_log_likelihood_is_the_integral(case, trained, exact):
    found = evaluation.naive_log_likelihood(trained[0], case.first(6), 20_000, verbose=0)
    # Of weights with an effective sample size ESS, the logarithm's standard error is 1/sqrt(ESS).
    error = 1.0 / np.sqrt(found.effective_sample_size)
    np.testing.assert_array_less(np.abs(found.per_example - exact), 4.5 * error + 1e-3)
    assert error.max() < 0.1, "else this tests nothing"


@pytest.mark.parametrize("case", [c for c in CASES if c.annealed], ids=str, indirect=True)
def test_annealed_chains_find_the_integral_from_the_prior(case, trained, exact):
    found = evaluation.annealed_importance_sampling(
        trained[0], case.first(6), num_chains=64, num_steps=60, step_size=0.4, verbose=0
    )
    error = np.sqrt(1.0 / found.effective_sample_size - 1.0 / 64)
    np.testing.assert_array_less(np.abs(found.per_example - exact), 4.5 * error + 0.05)


@pytest.mark.parametrize("case", [c for c in CASES if c.annealed], ids=str, indirect=True)
def test_a_refined_bound_lies_between_the_encoders_and_the_integral(case, trained, exact):
    """Of one level of z or two: the affine images of a proposal need its draws alone."""
    options = {"num_samples": 4000, "verbose": 0}
    found = evaluation.refine(trained[0], case.first(6), num_steps=100, **options)
    assert found.mean > evaluation.elbo(trained[0], case.first(6), **options).mean
    # Of log w, whose spread is 3 nats here: 4.5 * 3 / sqrt(4000).
    np.testing.assert_array_less(found.per_example, exact + 0.2)


@pytest.mark.parametrize("case", [c for c in CASES if c.annealed], ids=str, indirect=True)
def test_chains_agree_on_the_mean_that_importance_weights_find(case, trained):
    model, data = trained[0], case.first(2)
    options = {"num_samples": 300, "burn_in": 100, "verbose": 0}
    found = evaluation.posterior_samples(model, data, **options)
    draws = model.infer(model.named(data)).draw_from(
        Noise(3, tf.range(20_000)[:, tf.newaxis], tf.range(2))
    )
    weights = tf.nn.softmax(draws.log_weights, axis=0)[..., tf.newaxis]
    for z, drawn, size in zip(
        *map(tf.nest.flatten, (found.z, draws.z, found.effective_sample_size)), strict=True
    ):
        expected = tf.reduce_sum(weights * drawn, axis=0)
        error = 5 * z.std(axis=(0, 1)) / np.sqrt(np.minimum(size, 500)) + 0.02
        np.testing.assert_array_less(np.abs(z.mean(axis=(0, 1)) - expected), error)
