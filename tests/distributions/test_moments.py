"""Moments from draws against quadrature, and in closed form where TFP has one."""

import numpy as np
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.draws import draw
from tfvae.distributions.moments import DRAWS, moments

tfd = tfp.distributions
LOC = np.array([[0.5, -2.0], [3.0, 0.0]], "float32")
SCALE = np.array([[0.5, 1.5], [1.0, 0.3]], "float32")


def logit_normal(loc=LOC, scale=SCALE):
    return tfd.Independent(tfd.LogitNormal(loc, scale), 1)


def by_quadrature(loc, scale):
    """Mean and standard deviation of sigmoid(N(loc, scale^2)), by the trapezium rule."""
    eps = np.linspace(-9, 9, 4001)[:, None, None]
    z = 1 / (1 + np.exp(-(loc + scale * eps)))
    weight = scipy.stats.norm.pdf(eps)
    mean = np.trapezoid(weight * z, eps, axis=0)
    return mean, np.sqrt(np.trapezoid(weight * (z - mean) ** 2, eps, axis=0))


def test_closed_forms_are_tfps():
    q = tfd.MultivariateNormalDiag(LOC, SCALE)
    found = moments(q, draw)
    assert found.drawn == ()
    np.testing.assert_array_equal(found.mean, LOC)
    np.testing.assert_allclose(found.stddev, SCALE, rtol=1e-6)


def test_without_a_closed_form_they_are_near_quadrature():
    """The mean within 4.5 standard errors of 256 draws, the deviation within 20 %."""
    found = moments(logit_normal(), draw)
    mean, stddev = by_quadrature(LOC.astype("float64"), SCALE.astype("float64"))
    assert found.drawn == ("mean", "stddev")
    assert np.all(np.abs(found.mean - mean) < 4.5 * stddev / np.sqrt(DRAWS))
    np.testing.assert_allclose(found.stddev, stddev, rtol=0.2)


def test_they_are_a_function_of_the_distribution_alone():
    """Neither of the row nor of its neighbours, and the same in every call."""
    whole = moments(logit_normal(), draw)
    for row in range(2):
        alone = moments(logit_normal(LOC[row : row + 1], SCALE[row : row + 1]), draw)
        np.testing.assert_allclose(alone.mean[0], whole.mean[row], rtol=1e-6)
        np.testing.assert_allclose(alone.stddev[0], whole.stddev[row], rtol=1e-5)
    twice = moments(logit_normal(LOC[[0, 0]], SCALE[[0, 0]]), draw)
    np.testing.assert_allclose(twice.mean[0], twice.mean[1], rtol=1e-6)


def test_what_has_a_closed_form_is_not_drawn():
    """TFP knows the power spherical's mean, and no standard deviation of it."""
    q = tfd.PowerSpherical(tf.constant([[0.6, 0.8, 0.0]]), tf.constant([5.0]))
    found = moments(q, draw)
    assert found.drawn == ("stddev",)
    np.testing.assert_array_equal(found.mean, q.mean())
    variance = np.diag(q.covariance().numpy()[0])
    np.testing.assert_allclose(found.stddev[0], np.sqrt(variance), rtol=0.2)


def test_gradients_flow_through_drawn_moments():
    loc = tf.Variable(LOC)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(moments(logit_normal(tf.convert_to_tensor(loc)), draw).mean)
    found = tape.gradient(total, loc).numpy()
    step = 1e-3
    higher, lower = (by_quadrature(LOC + s, SCALE.astype("float64"))[0] for s in (step, -step))
    np.testing.assert_allclose(found, (higher - lower) / (2 * step), rtol=0.2)
