"""Affine images of a Normal q are Normal, with TFP's density."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests.objectives.linear_gaussian import posterior, prior
from tfvae.heads import MultivariateNormalDiag
from tfvae.inference.affine import Affine, AffineImage
from tfvae.inference.proposal import Posterior
from tfvae.noise import training_noise

tfd = tfp.distributions


@pytest.mark.parametrize("correlated", [False, True])
def test_draws_have_the_density_of_the_mapped_normal(correlated):
    """loc = m + s b, factor = diag(s) A: written out, and asked of TFP."""
    q, rng = posterior(), np.random.default_rng(0)
    base = Posterior(MultivariateNormalDiag(2), q, prior())
    start = Affine.identity(q.mean(), correlated)
    values = [rng.normal(size=part.shape).astype("float32") for part in start.tensors()]
    image = AffineImage(base, [Affine(*map(tf.constant, values))])
    scale = q.stddev().numpy()
    A = np.exp(values[1])[:, :, None] * np.eye(2)
    if correlated:
        A[:, 1, 0] = np.exp(values[1][:, 1]) * values[2][:, 1, 0] / np.sqrt(2)
    loc = q.mean().numpy() + scale * values[0]
    expected = tfd.MultivariateNormalTriL(loc, (scale[:, :, None] * A).astype("float32"))
    z, log_prob = image.draw(training_noise(tf.constant([1, 2]), 4000, 3))
    np.testing.assert_allclose(log_prob, expected.log_prob(z), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(image.mean(), loc, rtol=1e-5)
    standard = (np.asarray(z).mean(0) - loc) / expected.stddev().numpy()
    assert np.abs(standard).max() < 4.5 / np.sqrt(4000)


def test_the_identity_changes_nothing():
    q = posterior()
    base = Posterior(MultivariateNormalDiag(2), q, prior())
    image = AffineImage(base, [Affine.identity(q.mean(), correlated=True)])
    noise = training_noise(tf.constant([1, 2]), 5, 3)
    for ours, theirs in zip(image.draw(noise), base.draw(noise), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
