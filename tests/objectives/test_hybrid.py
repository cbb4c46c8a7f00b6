"""The hybrid objective against the exact values of a linear-Gaussian model."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests.objectives import linear_gaussian as model
from tfvae.errors import UserError
from tfvae.objectives import ELBO, Hybrid

tfd = tfp.distributions
COPIES = 4000
# E_{z ~ N(0, I)}[log N(x; W z + b, s^2 I)], in closed form.
EXPECTED = -0.5 * (np.sum((model.X - model.B) ** 2, axis=1) + np.sum(model.W**2)) / model.SIGMA**2
EXPECTED -= model.PIXELS * np.log(model.SIGMA * np.sqrt(2 * np.pi))


def inference(rows=1, scale=1.0):
    made = model.inference(model.posterior(rows=rows))
    return replace(made, generate=lambda noise: scale * noise.normal(model.D))


@pytest.mark.parametrize("num_samples", [1, 5])
def test_the_priors_nll_is_the_exact_expectation(num_samples):
    """4.5 standard errors over the copies of each image."""
    nats = Hybrid(num_samples=num_samples).nats(inference(COPIES))
    mean, error = model.per_image(nats.terms["prior_nll"], COPIES)
    assert np.all(np.abs(mean + EXPECTED) < 4.5 * error)
    assert np.all(error > 0)


def test_the_bound_is_the_elbos_with_the_same_draws():
    hybrid, elbo = Hybrid().nats(inference()), ELBO().nats(inference())
    np.testing.assert_allclose(hybrid.watched["elbo"], elbo.watched["elbo"], rtol=1e-6)
    np.testing.assert_allclose(hybrid.terms["nll"], elbo.terms["nll"], rtol=1e-6)
    np.testing.assert_allclose(hybrid.terms["kl"], elbo.terms["kl"], rtol=1e-6)


def test_the_draws_of_q_and_of_the_prior_are_independent():
    """Else their sum has another variance than the two together: correlation over copies."""
    nats = Hybrid().nats(inference(COPIES))
    nll, prior = (np.reshape(nats.terms[n], (3, COPIES)) for n in ("nll", "prior_nll"))
    for first, second in zip(nll, prior, strict=True):
        assert abs(np.corrcoef(first, second)[0, 1]) < 4.5 / np.sqrt(COPIES)


def test_its_gradient_reaches_the_prior():
    """d/ds E_{z ~ N(0, s^2 I)}[-log p(x|z)] = s |W|^2 / sigma^2."""
    scale = tf.Variable(1.3)
    with tf.GradientTape() as tape:
        nll = tf.reduce_mean(Hybrid().nats(inference(COPIES, scale)).terms["prior_nll"])
    expected = 1.3 * np.sum(model.W**2) / model.SIGMA**2
    assert tape.gradient(nll, scale).numpy() == pytest.approx(expected, rel=0.05)


def test_alpha_is_the_share_of_the_bound():
    weights = {name: float(Hybrid(0.3).weight(name)) for name in ("nll", "kl", "prior_nll")}
    assert weights == pytest.approx({"nll": 0.3, "kl": 0.3, "prior_nll": 0.7})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 1.5}, "from 0 to 1"),
        ({"alpha": -0.1}, "alpha"),
        ({"num_samples": 0}, "num_samples"),
        ({"analytic_kl": "yes"}, "analytic_kl"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises((UserError, TypeError), match=message):
        Hybrid(**arguments)


def test_a_model_without_a_prior_to_draw_from_is_refused():
    with pytest.raises(UserError, match="draws from the prior"):
        Hybrid().nats(model.inference(model.posterior()))
