"""A mixture as posterior: SciPy's density, and stratified draws that stand for those of q."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tests.flows.made import moved
from tfvae import VAE, Decoder, Encoder, heads, networks, objectives
from tfvae.errors import UserError
from tfvae.inference.inference import Inference, Joint
from tfvae.inference.proposal import Posterior
from tfvae.models import base
from tfvae.noise import training_noise

tfd = tfp.distributions
ROWS, WIDTH, SIZE, COMPONENTS, DRAWS = 3, 6, 2, 3, 20_000
FEATURES = np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype("float32")
SEED = tf.constant([3, 4])


def made():
    """The head, q, and its numbers in float64."""
    head = heads.GaussianMixture(SIZE, COMPONENTS)
    head.build((None, WIDTH))
    moved(head, by=0.6)
    parameters = {
        name: t.numpy().astype("float64") for name, t in head.parameters(FEATURES).items()
    }
    return head, head(FEATURES), parameters


def inference(head, q):
    """Of a model with the prior N(0, 1) and no likelihood."""
    prior = tfd.MultivariateNormalDiag(tf.zeros(SIZE), tf.ones(SIZE))

    def joint(z):
        log_prior = prior.log_prob(z)
        return Joint(tf.zeros_like(log_prior), log_prior, z)

    return Inference(Posterior(head, q, prior), joint, lambda n: training_noise(SEED, n, ROWS))


def test_the_density_is_scipys():
    _, q, found = made()
    z = (2 * np.random.default_rng(2).normal(size=(7, ROWS, SIZE))).astype("float32")
    each = scipy.stats.norm.logpdf(z[:, :, None], found["loc"], found["scale_diag"]).sum(axis=-1)
    log_probs = scipy.special.log_softmax(found["logits"], axis=-1)
    expected = scipy.special.logsumexp(log_probs + each, axis=-1)
    assert np.exp(log_probs).max() < 0.95, "else one Normal would do"
    np.testing.assert_allclose(q.log_prob(z), expected, rtol=1e-4, atol=1e-4)


def test_draws_have_the_law_of_each_entry():
    head, q, found = made()
    draw = head.draw(q, training_noise(SEED, DRAWS, ROWS))
    np.testing.assert_allclose(draw.log_prob, q.log_prob(draw.z), rtol=1e-5)
    probs = scipy.special.softmax(found["logits"], axis=-1)
    for row in range(ROWS):
        for i in range(SIZE):
            loc, scale = found["loc"][row, :, i], found["scale_diag"][row, :, i]

            def cdf(values, loc=loc, scale=scale, row=row):
                return scipy.stats.norm.cdf(values[:, None], loc, scale) @ probs[row]

            assert scipy.stats.kstest(draw.z[:, row, i], cdf).pvalue > 1e-3


def test_moments_are_those_of_the_mixture():
    head, q, found = made()
    probs = scipy.special.softmax(found["logits"], axis=-1)[..., None]
    mean = (probs * found["loc"]).sum(axis=1)
    square = (probs * (found["loc"] ** 2 + found["scale_diag"] ** 2)).sum(axis=1)
    moments = head.moments(q)
    assert moments.drawn == ()
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(moments.stddev, np.sqrt(square - mean**2), rtol=1e-4)


def test_strata_average_to_the_expectation_and_its_gradient():
    """E_q[|z|^2] = sum_k pi_k (|loc_k|^2 + |scale_k|^2), differentiated with TensorFlow."""
    head, _, _ = made()
    weights = [weight.value for weight in head.trainable_variables]
    with tf.GradientTape() as exact_tape:
        numbers = head.parameters(FEATURES)
        squares = tf.reduce_sum(numbers["loc"] ** 2 + numbers["scale_diag"] ** 2, axis=-1)
        exact = tf.reduce_sum(tf.nn.softmax(numbers["logits"]) * squares, axis=-1)
    with tf.GradientTape() as tape:
        draws = inference(head, head(FEATURES)).draw_strata(DRAWS)
        assert draws.z.shape == (COMPONENTS * DRAWS, ROWS, SIZE)
        estimate = draws.mean(tf.reduce_sum(draws.z**2, axis=-1))
    np.testing.assert_allclose(estimate, exact, rtol=0.05)
    # Of float32, summed over 60,000 draws.
    shares = draws.mean(tf.ones_like(draws.log_posterior))
    np.testing.assert_allclose(shares, np.ones(ROWS), rtol=1e-3)
    expected = exact_tape.gradient(exact, weights)
    for gradient, value in zip(tape.gradient(estimate, weights), expected, strict=True):
        np.testing.assert_allclose(gradient, value, atol=0.05 * np.abs(value).max())


def test_importance_weights_of_strata_average_to_the_evidence():
    """E[1/K sum_k K pi_k p(z_k) / q(z_k)] = 1, the integral of the prior."""
    head, q, _ = made()
    weights = np.exp(inference(head, q).draw_strata(DRAWS).log_weights.numpy().astype("float64"))
    error = weights.std(axis=0) / np.sqrt(len(weights))
    assert error.max() < 0.05
    assert np.all(np.abs(weights.mean(axis=0) - 1) < 4.5 * error)


def test_sticking_the_landing_has_the_same_mean_gradient():
    """The score of q, which it leaves out, has the expectation 0 over all strata."""
    head, _, _ = made()
    weights = [weight.value for weight in head.trainable_variables]
    gradients = []
    for frozen in (False, True):
        with tf.GradientTape() as tape:
            draws = inference(head, head(FEATURES)).draw_strata(DRAWS, frozen=frozen)
            kl = draws.mean(draws.log_ratio)
        gradients.append(tape.gradient(kl, weights))
    for live, held in zip(*gradients, strict=True):
        np.testing.assert_allclose(held, live, atol=0.05 * np.abs(live).max())
        assert np.any(held.numpy() != live.numpy())


class Careless(objectives.ELBO):
    """It averages draws as if all counted alike."""

    def __init__(self):
        super().__init__()
        self.stratified = False


@pytest.mark.parametrize(
    "objective",
    [lambda: objectives.ImportanceWeighted(3, gradient="doubly_reparameterised"), Careless],
)
def test_an_objective_that_does_not_draw_strata_is_refused(objective):
    with pytest.raises(UserError, match="the draws of GaussianMixture have none"):
        model(objective())


def model(objective):
    return VAE(
        Encoder(networks.MLP([8]), heads.GaussianMixture(SIZE)),
        Decoder(networks.MLP([8]), heads.IndependentBernoulli((WIDTH,))),
        objective=objective,
        seed=1,
    )


@pytest.mark.parametrize(
    "objective",
    [
        lambda: objectives.ImportanceWeighted(3),
        lambda: objectives.ImportanceWeighted(3, gradient="vimco"),
        lambda: objectives.ELBO(gradient="score_function"),
        lambda: objectives.ELBO(2, gradient="sticking_the_landing"),
    ],
)
def test_it_trains_by_the_others(objective):
    made = model(objective())
    made.build((None, WIDTH))
    made.compile("adam", jit_compile=False)
    before = [weight.numpy() for weight in made.encoder.head.trainable_variables]
    x = (np.random.default_rng(3).random((8, WIDTH)) > 0.5).astype("float32")
    history = made.fit(x, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    for weight, old in zip(made.encoder.head.trainable_variables, before, strict=True):
        assert np.any(weight.numpy() != old)


def test_the_limit_of_draws_counts_those_of_every_component(monkeypatch):
    """Three components of 4 draws are 12: of 6 numbers each, 72."""
    monkeypatch.setattr(base, "_MOST_NUMBERS", 71)
    x = np.zeros((2, WIDTH), "float32")
    refused = model(objectives.ELBO(num_samples=4))
    with pytest.raises(UserError, match="num_samples=4 draws of each of 3 components for exam"):
        refused(x)
    by_score = model(objectives.ELBO(num_samples=4, gradient="score_function"))
    by_score(x)  # it draws from q itself
    model(objectives.ELBO(num_samples=3))(x)


def test_other_posteriors_have_one_stratum_and_draws_that_count_alike():
    head = heads.MultivariateNormalDiag(SIZE)
    draws = inference(head, head(FEATURES)).draw_strata(4)
    assert draws.log_shares is None
    same = head.draw(head(FEATURES), training_noise(SEED, 4, ROWS))
    np.testing.assert_array_equal(draws.z, same.z)


@pytest.mark.parametrize("bad", [1, 0, 2.0])
def test_one_component_is_refused(bad):
    with pytest.raises(UserError, match="num_components must be an integer of at least 2"):
        heads.GaussianMixture(SIZE, num_components=bad)
