"""Draws from the posterior: exact moments, gradients, and the fallback."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.inference.training_draws import draw

tfd = tfp.distributions
SEED = tf.constant([3, 4])
DRAWS = 100_000


@pytest.mark.parametrize("full", [False, True])
def test_draws_have_the_posteriors_mean_and_covariance(full):
    """Within 6 standard errors of 100,000 draws; entries of the covariance are at most 5."""
    loc, tril = np.array([[1.0, -2.0]], "float32"), np.array([[[1.0, 0.0], [-1.5, 0.5]]], "float32")
    diag = tf.constant([[1.0, 0.5]])
    posterior = (
        tfd.MultivariateNormalTriL(loc, tril) if full else tfd.MultivariateNormalDiag(loc, diag)
    )
    z = draw(posterior, DRAWS, SEED).numpy()[:, 0]
    np.testing.assert_allclose(z.mean(axis=0), loc[0], atol=6 * np.sqrt(5 / DRAWS))
    np.testing.assert_allclose(
        np.cov(z.T), posterior.covariance()[0], atol=6 * 5 * np.sqrt(2 / DRAWS)
    )


def test_gradient_is_that_of_the_path():
    loc, scale = tf.Variable(tf.zeros((3, 2))), tf.Variable(tf.ones((3, 2)))
    with tf.GradientTape() as tape:
        z = draw(tfd.MultivariateNormalDiag(loc, scale), 5, SEED)
        total = tf.reduce_sum(z)
    gradients = tape.gradient(total, (loc, scale))
    np.testing.assert_allclose(gradients[0], 5.0 * np.ones((3, 2)))
    np.testing.assert_allclose(gradients[1], tf.reduce_sum(z, axis=0), rtol=1e-5)


def test_seed_decides_and_other_distributions_sample_themselves():
    normal = tfd.MultivariateNormalDiag(tf.zeros((3, 2)), tf.ones((3, 2)))
    np.testing.assert_array_equal(draw(normal, 4, SEED), draw(normal, 4, SEED))
    assert np.all(draw(normal, 4, SEED) != draw(normal, 4, SEED + 1))
    uniform = tfd.Independent(tfd.Uniform(tf.zeros((3, 2)), 1.0), 1)
    assert draw(uniform, 4, SEED).shape == (4, 3, 2)
