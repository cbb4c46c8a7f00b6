"""The ELBO against exact values of a linear-Gaussian model, and against formulas in NumPy."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tests.objectives import linear_gaussian as model
from tfvae import priors
from tfvae.distributions.draws import draw
from tfvae.noise import training_noise
from tfvae.objectives import ELBO

tfd = tfp.distributions
ROWS = 4000


def evaluate(objective, posterior, **options):
    return objective.nats(model.inference(posterior, **options))


def everything(nats):
    return {**nats.terms, **nats.watched}


@pytest.mark.parametrize("analytic_kl", [None, True, False])
@pytest.mark.parametrize("num_samples", [1, 7])
def test_expectation_is_the_exact_elbo(analytic_kl, num_samples):
    """4.5 standard errors over 4000 copies of each image."""
    objective = ELBO(analytic_kl=analytic_kl, num_samples=num_samples)
    nats = evaluate(objective, model.posterior(rows=ROWS))
    mean, error = model.per_image(everything(nats)["elbo"], ROWS)
    assert np.all(np.abs(mean - model.exact_elbo()) < 4.5 * error)
    assert np.all(mean < model.LOG_PX), "a bound"


def test_at_the_true_posterior_the_monte_carlo_elbo_is_log_p_x_without_noise():
    nats = evaluate(ELBO(analytic_kl=False), model.true_posterior())
    np.testing.assert_allclose(nats.watched["elbo"], model.LOG_PX, rtol=1e-5)


def test_more_samples_lower_the_variance():
    variances = []
    for num_samples in (1, 16):
        nats = evaluate(ELBO(num_samples=num_samples), model.posterior(rows=ROWS))
        variances.append(model.per_image(nats.terms["nll"], ROWS)[1] ** 2)
    # A ratio of variances of 4000 draws each is within 15 % of 16.
    np.testing.assert_allclose(variances[0] / variances[1], 16, rtol=0.15)


def test_terms_and_signs():
    nats = evaluate(ELBO(), model.posterior())
    assert list(nats.terms) == ["nll", "kl"]
    assert list(nats.watched) == ["elbo"]
    assert all(value.shape == (3,) for value in everything(nats).values())
    np.testing.assert_allclose(
        nats.watched["elbo"], -(nats.terms["nll"] + nats.terms["kl"]), rtol=1e-6
    )


def test_nll_is_numpys_at_the_drawn_z():
    posterior = model.posterior()
    nats = evaluate(ELBO(num_samples=3), posterior)
    z = draw(posterior, training_noise(tf.constant((1, 2)), 3, 3)).z.numpy()
    loc = z @ model.W.T + model.B
    expected = -scipy.stats.norm.logpdf(model.X, loc, model.SIGMA).sum(axis=-1).mean(axis=0)
    np.testing.assert_allclose(nats.terms["nll"], expected, rtol=1e-5)
    np.testing.assert_allclose(nats.reconstruction, loc[0], rtol=1e-4, atol=1e-5)


def test_discrete_data_have_non_negative_nll_and_elbo_below_zero():
    """The sign where it cannot be argued: a probability is at most 1."""
    x = tf.cast(np.random.default_rng(0).random((5, 6)) > 0.5, tf.float32)
    posterior = tfd.MultivariateNormalDiag(tf.zeros((5, 2)), tf.ones((5, 2)))

    def decoder(z):
        logits = 3.0 * tf.tile(z, [1, 1, 3])
        return tfd.Independent(tfd.Bernoulli(logits=logits), reinterpreted_batch_ndims=1)

    for analytic_kl in (True, False):
        objective = ELBO(num_samples=50, analytic_kl=analytic_kl)
        nats = evaluate(objective, posterior, likelihood=decoder, x=x)
        assert np.all(nats.terms["nll"] >= 0)
        assert np.all(nats.watched["elbo"] <= 0)


def test_kl_weight_is_a_factor_of_the_loss_and_not_of_what_is_reported():
    plain, heavy = ELBO(), ELBO(kl_weight=4.0)
    for name, value in everything(evaluate(plain, model.posterior())).items():
        np.testing.assert_array_equal(
            value, everything(evaluate(heavy, model.posterior()))[name], err_msg=name
        )
    assert float(plain.weight("kl")) == 1.0
    assert float(heavy.weight("kl")) == 4.0
    assert float(heavy.weight("nll")) == 1.0
    heavy.term_weights["kl"].assign(2.5)
    assert float(heavy.weight("kl")) == 2.5
    assert not heavy.trainable_weights
    assert heavy.get_config()["kl_weight"] == 4.0


def test_free_bits_are_the_papers_formula():
    """sum_i max(lambda, mean over the batch of KL_i), and the KL itself is still reported."""
    loc, scale = np.array([[2.0, 0.1], [1.0, -0.1], [0.0, 0.2]]), np.array([0.5, 0.9])
    free = ELBO(free_bits=0.3)
    nats = evaluate(free, model.posterior(loc, scale))
    per_dimension = 0.5 * (scale**2 + loc**2 - 1 - 2 * np.log(scale))
    average = per_dimension.mean(axis=0)
    assert average[0] > 0.3 > average[1], "one dimension on either side"
    expected = np.maximum(0.3, average).sum()
    assert list(nats.terms) == ["nll", "free_bits_kl"]
    np.testing.assert_allclose(tf.reduce_mean(nats.terms["free_bits_kl"]), expected, rtol=1e-5)
    np.testing.assert_allclose(nats.watched["kl"], per_dimension.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(
        nats.watched["elbo"], -nats.terms["nll"] - nats.watched["kl"], rtol=1e-6
    )
    assert free.names == ("elbo", "nll", "kl", "free_bits_kl")
    assert float(ELBO(free_bits=0.3, kl_weight=2.0).weight("free_bits_kl")) == 2.0


def test_free_bits_stop_the_gradient_of_dimensions_below_the_threshold():
    loc = tf.Variable([[2.0, 0.1], [1.0, -0.1], [0.0, 0.2]])
    with tf.GradientTape() as tape:
        nats = evaluate(ELBO(free_bits=0.3), tfd.MultivariateNormalDiag(loc, [[0.5, 0.9]] * 3))
        loss = tf.reduce_mean(nats.terms["free_bits_kl"])
    gradient = tape.gradient(loss, loc).numpy()
    np.testing.assert_allclose(gradient[:, 0], loc.numpy()[:, 0] / 3, rtol=1e-5)
    np.testing.assert_array_equal(gradient[:, 1], np.zeros(3))


def test_a_mixture_prior_is_estimated():
    prior = priors.MixtureOfGaussians(model.D, num_components=1)
    prior.build()
    prior.loc.assign(np.zeros((1, model.D)))  # the standard Normal, which TFP cannot know
    nats = evaluate(ELBO(), model.posterior(rows=ROWS), p=prior())
    mean, error = model.per_image(nats.watched["elbo"], ROWS)
    assert np.all(np.abs(mean - model.exact_elbo()) < 4.5 * error)
    with pytest.raises(ValueError, match=r"analytic_kl=True, and the KL .* has no closed form"):
        evaluate(ELBO(analytic_kl=True), model.posterior(), p=prior())
    with pytest.raises(ValueError, match="splits over latent dimensions"):
        evaluate(ELBO(free_bits=0.1), model.posterior(), p=prior())


def test_the_kl_to_a_mixture_equals_quadrature():
    """One dimension, trapezium rule in float64; 4.5 standard errors of 4000 draws."""
    prior = priors.MixtureOfGaussians(1, num_components=2)
    prior.build()
    prior.loc.assign([[-2.0], [1.0]])
    ones = tf.ones([ROWS, 1])
    q = tfd.MultivariateNormalDiag(0.5 * ones, 0.8 * ones)
    z = np.linspace(-12, 12, 4001)
    log_q = scipy.stats.norm.logpdf(z, 0.5, 0.8)
    log_p = np.logaddexp(scipy.stats.norm.logpdf(z, -2, 1), scipy.stats.norm.logpdf(z, 1, 1))
    exact = np.trapezoid(np.exp(log_q) * (log_q - log_p + np.log(2)), z)
    x, likelihood = tf.zeros([ROWS, 1]), lambda z: tfd.Independent(tfd.Normal(z, 1.0), 1)
    estimates = evaluate(ELBO(), q, p=prior(), likelihood=likelihood, x=x).terms["kl"].numpy()
    assert abs(estimates.mean() - exact) < 4.5 * estimates.std() / np.sqrt(ROWS)


def test_draws_depend_on_the_seed_alone():
    first, again = (evaluate(ELBO(), model.posterior()).terms["nll"] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = evaluate(ELBO(), model.posterior(), seed=(1, 3)).terms["nll"]
    assert not np.any(first.numpy() == other.numpy())


def test_config_round_trip():
    objective = ELBO(kl_weight=0.5, num_samples=3, analytic_kl=True, free_bits=0.25)
    clone = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(objective))
    assert clone.get_config() == objective.get_config()
    assert float(clone.weight("kl")) == 0.5
    assert (clone.num_samples, clone.analytic_kl, clone.free_bits) == (3, True, 0.25)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kl_weight": -1.0}, r"kl_weight must be .*at least 0, received -1"),
        ({"kl_weight": float("nan")}, r"kl_weight must be .*received nan"),
        ({"num_samples": 0}, r"num_samples must be .*received 0"),
        ({"free_bits": -0.1}, r"free_bits must be .*received -0.1"),
        ({"analytic_kl": "yes"}, r"analytic_kl must be None, True or False, received 'yes'"),
        ({"analytic_kl": 0}, r"analytic_kl must be None, True or False, received 0"),
        ({"free_bits": 0.1, "analytic_kl": False}, r"free_bits needs the closed-form KL"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ELBO(**arguments)
