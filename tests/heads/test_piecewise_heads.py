"""Histograms as latents: their parameters, who may use them, and a posterior of two modes."""

import re

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

import tfvae
from tests.heads.two_modes import (
    MODES,
    SHARES,
    SPREAD,
    best_histogram,
    best_normal,
    kl_of_histogram,
    kl_of_normal,
)
from tests.models.tiny import IMAGES, SHAPE
from tfvae import heads, networks, objectives, priors
from tfvae.distributions.divergences import closed_form, kl_per_dimension
from tfvae.distributions.piecewise_constant import PiecewiseConstant
from tfvae.distributions.quantiles import coordinate_quantiles
from tfvae.errors import UserError
from tfvae.noise import Noise

tfd = tfp.distributions
ROWS, WIDTH, SIZE, PIECES = 4, 6, 2, 5
FEATURES = np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype("float32")


@pytest.fixture(scope="module")
def head():
    made = heads.LatentPiecewise(SIZE, num_pieces=PIECES)
    made.build((None, WIDTH))
    made.projection.kernel.assign(np.random.default_rng(2).normal(size=(WIDTH, SIZE * PIECES)))
    return made


@pytest.fixture(scope="module")
def masses(head):
    logits = FEATURES @ head.projection.kernel.numpy()
    return scipy.special.softmax(logits.reshape(ROWS, SIZE, PIECES), axis=-1)


def test_the_density_is_that_of_scipys_histograms(head, masses):
    z = np.random.default_rng(3).random((ROWS, SIZE)).astype("float32")
    edges = np.linspace(0.0, 1.0, PIECES + 1)
    expected = [
        sum(
            scipy.stats.rv_histogram((masses[n, d], edges), density=False).logpdf(z[n, d])
            for d in range(SIZE)
        )
        for n in range(ROWS)
    ]
    np.testing.assert_allclose(head(FEATURES).log_prob(z), expected, rtol=1e-4)


def test_the_code_is_the_mean_and_a_served_file_has_it(head, masses):
    middles = (np.arange(PIECES) + 0.5) / PIECES
    outputs = head.outputs(head.parameters(FEATURES))
    assert set(outputs) == {"logits", "mean", "stddev"}
    np.testing.assert_allclose(outputs["mean"], masses @ middles, rtol=1e-5)
    np.testing.assert_allclose(head.code(head(FEATURES)), masses @ middles, rtol=1e-5)
    again = head.from_outputs(outputs)
    z = np.full((ROWS, SIZE), 0.3, "float32")
    np.testing.assert_allclose(again.log_prob(z), head(FEATURES).log_prob(z), rtol=1e-6)


def test_frozen_it_is_the_same_without_a_gradient_of_its_parameters(head):
    z = tf.fill([ROWS, SIZE], 0.3)
    with tf.GradientTape(persistent=True) as tape:
        live = head(FEATURES)
        held = head.frozen(live)
        densities = live.log_prob(z), held.log_prob(z)
    np.testing.assert_array_equal(*densities)
    kernel = head.projection.kernel
    assert np.abs(tape.gradient(densities[0], kernel)).max() > 0.01
    assert tape.gradient(densities[1], kernel) is None


def test_the_kl_splits_over_dimensions(head):
    prior = priors.PiecewisePrior(SIZE, num_pieces=3)
    prior.build()
    prior.logits.assign([[0.0, 1.0, -1.0], [0.5, 0.0, 0.0]])
    q, p = head(FEATURES), prior()
    split = kl_per_dimension(q, p)
    assert split.shape == (ROWS, SIZE)
    assert np.all(split >= 0)
    np.testing.assert_allclose(tf.reduce_sum(split, axis=-1), closed_form(q, p), rtol=1e-5)
    for d in range(SIZE):
        q_d, p_d = (PiecewiseConstant(law.distribution.logits[..., d, :]) for law in (q, p))
        np.testing.assert_allclose(split[:, d], closed_form(q_d, p_d), rtol=1e-5)


def test_a_prior_of_equal_masses_has_no_weights_and_is_uniform():
    prior = priors.PiecewisePrior(2, num_pieces=4, learned=False)
    z = prior.sample(2000, seed=1)
    assert prior.weights == []
    np.testing.assert_allclose(prior().log_prob(z), np.zeros(2000), atol=1e-6)
    assert scipy.stats.kstest(np.ravel(z), "uniform").pvalue > 0.01
    np.testing.assert_allclose(prior.quantiles(tf.constant([[0.2, 0.7]])), [[0.2, 0.7]], rtol=1e-6)


def test_a_learned_prior_draws_by_its_masses():
    prior = priors.PiecewisePrior(1, num_pieces=2)
    prior.build()
    prior.logits.assign(np.log([[0.9, 0.1]]))
    z = prior.generate(Noise(3, row=tf.range(5000))).numpy()
    assert (z < 0.5).mean() == pytest.approx(0.9, abs=4.5 * np.sqrt(0.9 * 0.1 / 5000))


def vae(objective=None, prior=None, posterior=None):
    return tfvae.VAE(
        tfvae.Encoder(networks.MLP([4]), posterior or heads.LatentPiecewise(2)),
        tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli(SHAPE)),
        prior=prior or priors.PiecewisePrior(2),
        objective=objective,
        seed=1,
    )


@pytest.mark.parametrize(
    "objective",
    [
        objectives.ImportanceWeighted(2),
        objectives.ImportanceWeighted(2, gradient="doubly_reparameterised"),
        objectives.ELBO(analytic_kl=False),
        objectives.ELBO(gradient="sticking_the_landing"),
        objectives.GECO(target=5.0, analytic_kl=False),
    ],
    ids=["iw", "dreg", "estimated", "landing", "geco"],
)
def test_an_objective_that_follows_log_q_along_z_is_refused(objective):
    with pytest.raises(UserError, match=r"log q\(z\|x\) through z, and the density of .* jumps"):
        vae(objective).build((None, *SHAPE))


@pytest.mark.parametrize(
    "objective",
    [
        objectives.ELBO(free_bits=0.01),
        objectives.ELBO(gradient="score_function", analytic_kl=False, baseline=False),
        objectives.ImportanceWeighted(2, gradient="vimco"),
    ],
    ids=["free_bits", "score_function", "vimco"],
)
def test_an_objective_that_does_not_is_taken(objective):
    made = vae(objective)
    made.build((None, *SHAPE))
    assert np.all(np.isfinite(made(IMAGES[:2], training=True)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: heads.LatentPiecewise(2, 1), "num_pieces must be an integer of at least 2"),
        (lambda: priors.PiecewisePrior(2, 1), "num_pieces must be an integer of at least 2"),
        (
            lambda: vae(prior=priors.StandardNormal(2)).build((None, *SHAPE)),
            "LatentPiecewise is over numbers in [0, 1], and the prior StandardNormal over real",
        ),
        (
            lambda: vae(posterior=heads.MultivariateNormalDiag(2)).build((None, *SHAPE)),
            "over real numbers, and the prior PiecewisePrior over numbers in [0, 1]",
        ),
        (
            lambda: heads.Flow(heads.LatentPiecewise(2), [tfvae.flows.Radial()]),
            "LatentPiecewise makes numbers in [0, 1]",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(UserError, match=re.escape(message)):
        make()


def fitted(make, *starts):
    """Maximises E_q[log p] + H(q): along draws at all quantiles, and H in closed form."""
    parameters = [tf.Variable(start) for start in starts]
    optimizer = keras.optimizers.Adam(0.05)
    quantiles = ((np.arange(1000, dtype="float32") + 0.5) / 1000)[:, np.newaxis]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            law = make(*parameters)
            distances = (coordinate_quantiles(law, quantiles) - tf.constant(MODES)) / SPREAD
            log_parts = tf.math.log(SHARES) - 0.5 * tf.square(distances)
            log_p = tf.reduce_mean(tf.reduce_logsumexp(log_parts, axis=-1))
            loss = -log_p - law.entropy()
        optimizer.apply_gradients(zip(tape.gradient(loss, parameters), parameters, strict=True))

    for _ in range(250):
        step()
    return make(*parameters)


def fitted_histogram(count):
    law = fitted(
        lambda logits: tfd.Independent(PiecewiseConstant(logits), 1),
        np.zeros((1, count), "float32"),
    )
    return kl_of_histogram(law.distribution.log_densities().numpy()[0].astype("float64"))


def fitted_normal(loc, log_scale):
    law = fitted(
        lambda mu, log_sigma: tfd.MultivariateNormalDiag(mu, tf.exp(log_sigma)),
        np.array([loc], "float32"),
        np.array([log_scale], "float32"),
    )
    return kl_of_normal(float(law.mean()[0]), float(law.stddev()[0]))


@pytest.fixture(scope="module")
def least_of_normals():
    """What the better pays of Normals that started wide, and at a mode."""
    return min(fitted_normal(0.5, -1.0), fitted_normal(0.25, -2.0))


def test_the_best_normal_pays_for_one_mode(least_of_normals):
    """-log 0.6 = 0.51 nats, by quadrature and SciPy's own minimum."""
    assert least_of_normals == pytest.approx(-np.log(0.6), abs=0.01)
    assert least_of_normals == pytest.approx(kl_of_normal(*best_normal()), abs=0.01)


@pytest.mark.parametrize("count", [7, 20])
def test_a_histogram_follows_two_modes_that_no_normal_does(count, least_of_normals):
    """By quadrature. Five pieces, whose edges lie on both modes, would be no better."""
    found = fitted_histogram(count)
    assert found == pytest.approx(kl_of_histogram(best_histogram(count)), abs=0.01)
    assert found < 0.35 * least_of_normals
    assert kl_of_histogram(best_histogram(5)) > least_of_normals
