"""The densities of a mixture as one product, against SciPy's in float64 and TFP's gradients."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.normal_mixture import NormalMixture

tfd = tfp.distributions
COMPONENTS, SIZE = 7, 5


def parts(smallest):
    rng = np.random.default_rng(1)
    loc = 3.0 * rng.normal(size=(COMPONENTS, SIZE))
    scale = np.exp(rng.uniform(np.log(smallest), 0.5, size=loc.shape))
    logits = rng.normal(size=COMPONENTS)
    return [part.astype("float32") for part in (logits, loc, scale)]


def mixture(kind, logits, loc, scale):
    return kind(tfd.Categorical(logits=logits), tfd.MultivariateNormalDiag(loc, scale))


def points(loc, scale):
    """Draws near each component, `[2, K, D]`: where its density counts."""
    noise = np.random.default_rng(2).normal(size=(2, *loc.shape))
    return (loc + scale * noise).astype("float32")


@pytest.mark.parametrize("smallest", [0.3, 1e-5], ids=["wide", "as narrow as heads make them"])
def test_densities_are_scipys(smallest):
    """In float32 the narrow ones would be off by 1,000 nats: (3 / 1e-5)^2 = 1e11, 6e-8 of it."""
    logits, loc, scale = parts(smallest)
    z = points(loc, scale)
    exact = (part.astype("float64") for part in (z[..., np.newaxis, :], loc, scale))
    each = scipy.stats.norm.logpdf(*exact).sum(-1)
    expected = scipy.special.logsumexp(each + scipy.special.log_softmax(logits), axis=-1)
    found = mixture(NormalMixture, logits, loc, scale).log_prob(z)
    assert found.shape == (2, COMPONENTS)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_gradients_are_those_of_tfps_mixture():
    tensors = [*map(tf.constant, parts(0.05))]
    z = tf.constant(points(*map(np.asarray, tensors[1:])))

    def gradients(kind):
        with tf.GradientTape() as tape:
            tape.watch([z, *tensors])
            total = tf.reduce_sum(mixture(kind, *tensors).log_prob(z))
        return tape.gradient(total, [z, *tensors])

    for found, expected in zip(
        gradients(NormalMixture), gradients(tfd.MixtureSameFamily), strict=True
    ):
        assert np.abs(expected).max() > 0.1
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_other_components_are_tfps():
    full = tfd.MultivariateNormalTriL(
        np.zeros((2, 3), "float32"), np.stack([np.eye(3, dtype="f")] * 2)
    )
    found = NormalMixture(tfd.Categorical(logits=[0.0, 0.0]), full)
    expected = scipy.stats.norm.logpdf([1.0, 2.0, 3.0]).sum()
    np.testing.assert_allclose(found.log_prob([1.0, 2.0, 3.0]), expected, rtol=1e-6)
