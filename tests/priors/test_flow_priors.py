"""Priors of flows: densities by quadrature, and as products of SciPy's conditional Normals."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tests.flows.made import moved
from tfvae import priors
from tfvae.errors import UserError
from tfvae.noise import Noise

NETWORK = {"num_steps": 2, "units": [8], "activation": "tanh"}
PRIORS = {
    "realnvp": lambda size, **more: priors.RealNVPPrior(size, **{**NETWORK, **more}),
    "autoregressive": lambda size, **more: priors.AutoregressivePrior(size, **{**NETWORK, **more}),
}
DRAWS = 20_000


def built(name, size=2, **more):
    prior = PRIORS[name](size, **more)
    prior.build()
    return moved(prior, by=0.4)


@pytest.mark.parametrize("name", PRIORS)
def test_the_density_integrates_to_one_by_quadrature(name):
    axis = np.linspace(-25, 25, 1001)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).astype("float32")
    total = np.exp(built(name)().log_prob(grid).numpy().astype("float64")).sum()
    assert total * (axis[1] - axis[0]) ** 2 == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", PRIORS)
def test_draws_have_the_density(name):
    """The share of draws in each cell of a grid is the integral over the cell."""
    prior = built(name)
    z = prior.generate(Noise(3, row=tf.range(DRAWS))).numpy()
    edges = np.linspace(-4, 4, 9)
    counts = np.histogram2d(z[:, 0], z[:, 1], bins=[edges, edges])[0]
    inner = (np.arange(400) + 0.5) / 50 - 4  # 50 points to a side of a cell
    grid = np.stack(np.meshgrid(inner, inner, indexing="ij"), axis=-1).astype("float32")
    density = np.exp(prior().log_prob(grid).numpy().astype("float64"))
    expected = DRAWS * density.reshape(8, 50, 8, 50).sum(axis=(1, 3)) / 50**2
    assert expected.sum() > 0.5 * DRAWS
    assert np.all(np.abs(counts - expected) < 5 * np.sqrt(expected + 1))


@pytest.mark.parametrize("name", PRIORS)
def test_draws_come_with_their_density(name):
    prior = built(name, size=5)
    found = prior.checked_distribution()
    z, log_prob = found.experimental_sample_and_log_prob(50, seed=[1, 2])
    np.testing.assert_allclose(found.log_prob(z), log_prob, rtol=1e-3, atol=1e-2)


def test_an_autoregressive_step_is_a_product_of_conditional_normals():
    """log p(z) = sum_i log N(z_i; m_i(z_1 .. z_{i-1}), exp(a_i))."""
    prior = built("autoregressive", size=3, num_steps=1)
    z = (2 * np.random.default_rng(1).normal(size=(9, 3))).astype("float32")
    mean, raw = np.split(prior.steps[0].network(z).numpy().astype("float64"), 2, axis=-1)
    scale = np.exp(3 * np.tanh(raw / 3))
    assert scale.std() > 0.1
    expected = scipy.stats.norm.logpdf(z, mean, scale).sum(axis=-1)
    np.testing.assert_allclose(prior().log_prob(z), expected, rtol=1e-4, atol=1e-4)
    first = scipy.stats.norm(mean[0, 0], scale[0, 0])
    draws = prior.sample(DRAWS, seed=1).numpy()
    assert scipy.stats.kstest(draws[:, 0], first.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", PRIORS)
def test_a_temperature_is_a_factor_on_the_scale_of_the_base(name):
    prior = built(name)
    warm = prior.generate(Noise(3, row=tf.range(9)))
    cold = prior.generate(Noise(3, row=tf.range(9), temperature=tf.constant(0.01)))
    centre = prior().transport.forward(tf.zeros([1, 2])).z
    assert np.abs(warm - centre).max() > 1
    np.testing.assert_allclose(cold, np.repeat(centre, 9, axis=0), atol=0.2)


@pytest.mark.parametrize("name", PRIORS)
def test_coordinates_that_depend_on_each_other_have_no_quantiles(name):
    with pytest.raises(UserError, match="has no quantiles of its coordinates"):
        built(name).quantiles(tf.fill([1, 2], 0.5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: priors.RealNVPPrior(1), "needs at least 2 latent dimensions"),
        (lambda: priors.RealNVPPrior(2, num_steps=0), "num_steps"),
        (lambda: priors.AutoregressivePrior(2, units=[]), "units"),
        (lambda: priors.AutoregressivePrior(0), "latent_size"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()
