"""Posteriors of flows: densities by quadrature and against SciPy, and draws with their density."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tests.flows.made import moved
from tfvae import VAE, Decoder, Encoder, flows, heads, networks, objectives
from tfvae.distributions.moments import DRAWS
from tfvae.errors import UserError, UserTypeError
from tfvae.noise import Noise

tfd = tfp.distributions
ROWS, WIDTH, SIZE = 3, 6, 4
FEATURES = np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype("float32")
NETWORK = {"num_steps": 2, "units": [8], "activation": "tanh", "context_size": 3}
MAKERS = {
    "householder": lambda size: heads.HouseholderFlow(size, num_steps=3),
    "planar": lambda size: heads.PlanarFlow(size, num_steps=3),
    "radial": lambda size: heads.RadialFlow(size, num_steps=3),
    "realnvp": lambda size: heads.RealNVPFlow(size, **NETWORK),
    "iaf": lambda size: heads.InverseAutoregressiveFlow(size, **NETWORK),
    "spline": lambda size: heads.SplineFlow(size, num_bins=4, **NETWORK),
    "own": lambda size: heads.Flow(
        heads.MultivariateNormalTriL(size), [flows.Radial(), flows.AffineCoupling([8], "tanh")]
    ),
}
INVERTIBLE = [name for name in MAKERS if name != "planar"]


def posterior(name, size=SIZE):
    head = MAKERS[name](size)
    head.build((None, WIDTH))
    moved(head, by=0.3)
    return head, head(FEATURES)


def noise(draws):
    return Noise(1, stream=tf.range(draws)[:, None], row=tf.range(ROWS))


def bits_model(posterior, objective=None):
    return VAE(
        Encoder(networks.MLP([8]), posterior),
        Decoder(networks.MLP([8]), heads.IndependentBernoulli((WIDTH,))),
        objective=objective,
        seed=1,
    )


@pytest.mark.parametrize("name", INVERTIBLE)
def test_a_draw_comes_with_its_density(name):
    head, q = posterior(name)
    z, log_prob = head.draw(q, noise(50))
    assert z.shape == (50, ROWS, SIZE)
    np.testing.assert_allclose(q.log_prob(z), log_prob, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("name", INVERTIBLE)
def test_the_density_integrates_to_one_by_quadrature(name):
    _, q = posterior(name, size=2)
    axis = np.linspace(-15, 15, 601)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).astype("float32")
    log_prob = q.log_prob(grid[:, :, None]).numpy().astype("float64")
    total = np.exp(log_prob).sum(axis=(0, 1)) * (axis[1] - axis[0]) ** 2
    np.testing.assert_allclose(total, 1.0, atol=0.01)  # splines have kinks


def test_importance_weights_average_to_one_of_a_density_that_is_that_of_draws_alone():
    """E_q[p(z) / q(z)] = 1 of planar flows, which have no density of a given z."""
    head, q = posterior("planar", size=2)
    z, log_prob = head.draw(q, noise(20_000))
    mean, stddev, _ = head.moments(q)
    target = tfd.MultivariateNormalDiag(mean, 0.5 * stddev)  # narrower, so that weights are bounded
    weights = np.exp((target.log_prob(z) - log_prob).numpy().astype("float64"))
    error = weights.std(axis=0) / np.sqrt(len(weights))
    assert error.max() < 0.1
    assert np.all(np.abs(weights.mean(axis=0) - 1) < 4.5 * error)


@pytest.mark.parametrize("name", MAKERS)
def test_tfps_own_sampler_has_the_same_law(name):
    head, q = posterior(name, size=2)
    z = head.draw(q, noise(4_000)).z.numpy()
    own = q.sample(4_000, seed=[1, 2]).numpy()
    for row in range(ROWS):
        for i in range(2):
            assert scipy.stats.ks_2samp(z[:, row, i], own[:, row, i]).pvalue > 1e-4


def reflectors(orthogonal):
    """v_1 .. v_D with Q = H_1 ... H_D up to signs of columns, by LAPACK."""
    (packed, _), _ = scipy.linalg.qr(orthogonal, mode="raw")
    return [
        np.concatenate([np.zeros(i), [1.0], packed[i + 1 :, i]]) for i in range(len(orthogonal))
    ]


def test_householder_steps_reach_any_covariance():
    """D reflections are any rotation: of the eigenvectors of a covariance, for one."""
    rng = np.random.default_rng(5)
    factor = rng.normal(size=(SIZE, SIZE))
    covariance = factor @ factor.T
    variances, vectors = np.linalg.eigh(covariance)
    head = heads.HouseholderFlow(SIZE, num_steps=SIZE)
    head.build((None, WIDTH))
    for step, v in zip(head.steps, reversed(reflectors(vectors)), strict=True):
        step.vector.assign(v)
    mean = rng.normal(size=SIZE)
    q = head.distribution(
        context=tf.zeros([1, SIZE * SIZE]),
        loc=tf.constant((vectors.T @ mean)[None] * signs(head, vectors), tf.float32),
        scale_diag=tf.constant(np.sqrt(variances)[None], tf.float32),
    )
    z = rng.normal(size=(20, 1, SIZE)).astype("float32")
    expected = scipy.stats.multivariate_normal.logpdf(z[:, 0], mean, covariance)
    np.testing.assert_allclose(q.log_prob(z)[:, 0], expected, rtol=1e-3)
    np.testing.assert_allclose(q.mean()[0], mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(q.stddev()[0], np.sqrt(np.diag(covariance)), rtol=1e-4)


def signs(head, vectors):
    """Of what the reflections make of the unit vectors, against the columns they stand for."""
    columns = tf.eye(SIZE)
    for step in head.steps:
        columns = step.forward(columns, tf.zeros([1, SIZE])).z
    return np.sign(np.sum(columns.numpy().T * vectors, axis=0))


def test_moments_are_exact_where_all_steps_are_linear_and_of_draws_elsewhere():
    head, q = posterior("householder")
    found = head.moments(q)
    assert found.drawn == ()
    z = head.draw(q, noise(20_000)).z.numpy()
    error = found.stddev / np.sqrt(len(z))
    assert np.all(np.abs(z.mean(axis=0) - found.mean) < 4.5 * error)
    np.testing.assert_allclose(z.std(axis=0), found.stddev, rtol=0.04)
    head, q = posterior("iaf")
    found = head.moments(q)
    assert set(found.drawn) == {"mean", "stddev"}
    z = head.draw(q, noise(20_000)).z.numpy()
    error = z.std(axis=0) / np.sqrt(DRAWS)
    assert np.all(np.abs(z.mean(axis=0) - found.mean) < 4.5 * error)


@pytest.mark.parametrize("name", MAKERS)
def test_its_outputs_describe_it_again(name):
    head, q = posterior(name)
    outputs = head.outputs(head.parameters(FEATURES))
    assert {"mean", "stddev"} <= set(outputs)
    again = head.from_outputs(outputs)
    np.testing.assert_array_equal(head.draw(again, noise(2)).z, head.draw(q, noise(2)).z)


@pytest.mark.parametrize("name", INVERTIBLE)
def test_frozen_it_has_gradients_of_z_alone(name):
    head, _ = posterior(name)
    weights = [weight.value for weight in head.trainable_variables]
    z = tf.random.normal([ROWS, SIZE], seed=1)
    with tf.GradientTape() as tape:
        tape.watch(z)
        q = head(FEATURES)
        held = head.frozen(q).log_prob(z)
    np.testing.assert_array_equal(held, q.log_prob(z))
    *of_weights, of_z = tape.gradient(held, [*weights, z])
    assert not [gradient for gradient in of_weights if gradient is not None]
    assert np.all(np.any(of_z.numpy() != 0, axis=-1))


@pytest.mark.parametrize(
    "objective",
    [
        lambda: objectives.ImportanceWeighted(4, gradient="doubly_reparameterised"),
        lambda: objectives.ELBO(gradient="sticking_the_landing"),
        lambda: objectives.ELBO(gradient="score_function"),
        lambda: objectives.ImportanceWeighted(4, gradient="vimco"),
    ],
)
def test_what_asks_for_the_density_of_a_given_z_refuses_a_flow_without_an_inverse(objective):
    message = r"PlanarFlow has a density of its own draws alone.* gradient=\"pathwise\""
    with pytest.raises(UserError, match=message):
        bits_model(heads.PlanarFlow(2), objective())
    head, q = posterior("planar")
    with pytest.raises(UserError, match="the Planar steps of PlanarFlow have none"):
        head.frozen(q)
    with pytest.raises(UserError, match="Planar has none that can be computed"):
        posterior("planar")[1].log_prob(tf.zeros([ROWS, SIZE]))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: heads.RealNVPFlow(1), UserError, "needs at least 2 latent dimensions"),
        (lambda: heads.SplineFlow(1), UserError, "needs at least 2 latent dimensions"),
        (lambda: heads.HouseholderFlow(1), UserError, "needs at least 2 latent dimensions"),
        (lambda: heads.PlanarFlow(2, num_steps=0), UserError, "num_steps must be an integer"),
        (lambda: heads.InverseAutoregressiveFlow(2, num_steps=1.5), UserError, "num_steps"),
        (lambda: heads.Flow(heads.MultivariateNormalDiag(2), []), UserError, "non-empty list"),
        (lambda: heads.Flow(flows.Radial(), [flows.Radial()]), UserTypeError, "base"),
        (lambda: heads.Flow(heads.LatentBernoulli(2), [flows.Radial()]), UserError, "makes bits"),
        (lambda: heads.Flow(heads.PlanarFlow(2), [flows.Radial()]), UserError, "a flow itself"),
    ],
)
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("make", [heads.PlanarFlow, heads.RadialFlow])
def test_one_dimension_will_do_for_these(make):
    head = make(1, num_steps=2)
    assert head.draw(head(FEATURES), noise(2)).z.shape == (2, ROWS, 1)
