"""The cheaper density against its definition, and its gradient."""

import numpy as np
import pytest
import scipy.special
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.grouped_bernoulli import IndependentPixels

tfd = tfp.distributions


def pixels(logits):
    return IndependentPixels(tfd.Bernoulli(logits=logits, dtype=tf.float32), 3)


@pytest.mark.parametrize("event_shape", [(4, 4, 1), (5, 7, 3), (1, 17, 1), (1, 1, 1)])
def test_log_prob_is_the_definition_with_broadcasting(event_shape):
    """Sizes with and without divisors up to 16; float64 keeps the tails of the expectation."""
    random = np.random.default_rng(0)
    logits = random.uniform(-30, 30, (2, 3, *event_shape)).astype("float32")
    x = (random.random((3, *event_shape)) < 0.5).astype("float32")
    expected = -np.logaddexp(0.0, np.where(x == 1, -1, 1) * logits.astype("float64"))
    actual = pixels(logits).log_prob(x)
    np.testing.assert_allclose(actual, expected.sum(axis=(-3, -2, -1)), rtol=1e-5, atol=1e-6)


def test_grey_values_are_the_cross_entropy():
    logits, x = tf.constant([[[[0.5]]]]), tf.constant([[[[0.25]]]])
    p = scipy.special.expit(0.5)
    expected = 0.25 * np.log(p) + 0.75 * np.log1p(-p)
    np.testing.assert_allclose(pixels(logits).log_prob(x), [expected], rtol=1e-6)


def test_sums_to_one_and_is_never_positive():
    logits = tf.constant([-40.0, -1.0, 0.0, 2.0])
    images = np.array(np.meshgrid(*[[0, 1]] * 4)).reshape(4, -1).T.reshape(16, 2, 2, 1)
    log_prob = pixels(tf.reshape(logits, (2, 2, 1))).log_prob(images.astype("float32"))
    assert np.all(log_prob <= 0)
    np.testing.assert_allclose(np.exp(log_prob).sum(), 1.0, rtol=1e-6)


def test_gradients_are_x_minus_p_and_the_logits():
    logits = tf.Variable(tf.reshape([-2.0, 0.0, 3.0, 100.0], (1, 2, 2, 1)))
    x = tf.Variable(tf.reshape([1.0, 0.0, 1.0, 0.0], (1, 2, 2, 1)))
    with tf.GradientTape(persistent=True) as tape:
        total = tf.reduce_sum(pixels(tf.stack([logits, logits])).log_prob(x))
    expected = 2 * (x - scipy.special.expit(logits.numpy()))
    np.testing.assert_allclose(tape.gradient(total, logits), expected, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(total, x), 2 * logits)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_first_and_second_derivatives_by_x_and_logits_are_tfps(jit_compile):
    """Annealing and guidance differentiate the density by x, and through its gradient."""
    random = np.random.default_rng(0)
    logits = tf.constant(random.normal(size=(3, 12)), tf.float32)
    x = tf.constant(random.random((3, 12)), tf.float32)

    def derivatives(make):
        with tf.GradientTape() as outer:
            outer.watch([logits, x])
            with tf.GradientTape() as inner:
                inner.watch([logits, x])
                log_prob = make(tfd.Bernoulli(logits=logits), 1).log_prob(x)
                total = tf.reduce_sum(log_prob**2)
            first = inner.gradient(total, [logits, x])
            change = tf.reduce_sum(first[0] ** 3) + tf.reduce_sum(first[1] ** 2)
        return [*first, *outer.gradient(change, [logits, x])]

    # TensorFlow can't trace a class as an argument.
    found = tf.function(lambda: derivatives(IndependentPixels), jit_compile=jit_compile)()
    expected = tf.function(lambda: derivatives(tfd.Independent), jit_compile=jit_compile)()
    for ours, theirs in zip(found, expected, strict=True):
        assert np.abs(theirs).max() > 1
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-4)
