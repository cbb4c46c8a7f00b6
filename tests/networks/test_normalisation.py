"""Batch normalisation of maps by one operation, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from tfvae.networks.normalisation import MapNormalization

RNG = np.random.default_rng(3)
X = RNG.normal(1.0, 2.0, (3, 5, 4, 6))


def layer_of(**options):
    layer = MapNormalization(momentum=0.9, epsilon=1e-3, **options)
    layer.build(X.shape)
    for weight in layer.trainable_weights:
        weight.assign(RNG.uniform(0.5, 2.0, weight.shape))
    return layer


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("scale", [True, False])
def test_training_normalises_by_the_batch(scale, center):
    layer = layer_of(scale=scale, center=center)
    mean, variance = X.mean((0, 1, 2)), X.var((0, 1, 2))
    expected = (X - mean) / np.sqrt(variance + 1e-3)
    if scale:
        expected = expected * layer.gamma.numpy()
    if center:
        expected = expected + layer.beta.numpy()
    np.testing.assert_allclose(layer(tf.constant(X, "float32"), training=True), expected, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * variance, rtol=1e-5)


def test_at_rest_and_frozen_it_normalises_by_what_it_kept():
    layer = layer_of()
    layer.moving_mean.assign(X.mean((0, 1, 2)))
    gamma, beta = layer.gamma.numpy(), layer.beta.numpy()
    expected = (X - X.mean((0, 1, 2))) / np.sqrt(1.0 + 1e-3) * gamma + beta
    np.testing.assert_allclose(layer(tf.constant(X, "float32")), expected, atol=1e-5)
    layer.trainable = False
    np.testing.assert_allclose(layer(tf.constant(X, "float32"), training=True), expected, atol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, np.ones(6))


def test_gradient_is_that_of_the_formula():
    layer = layer_of()
    weights = RNG.normal(size=X.shape)
    gamma = layer.gamma.numpy().astype("float64")

    def loss(x):
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        return (weights * gamma * (x - mean) / np.sqrt(variance + 1e-3)).sum()

    x = tf.constant(X, "float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(layer(x, training=True) * tf.constant(weights, tf.float32))
    gradient = tape.gradient(value, x).numpy()
    for index in [(0, 0, 0, 0), (1, 3, 2, 4), (2, 4, 3, 5)]:
        step = np.zeros_like(X)
        step[index] = 1e-5
        expected = (loss(X + step) - loss(X - step)) / 2e-5
        np.testing.assert_allclose(gradient[index], expected, rtol=1e-3, atol=1e-4)


def test_half_precision_normalises_in_single():
    layer = layer_of(dtype="mixed_bfloat16")
    maps = layer(tf.constant(100.0 + X, tf.bfloat16), training=True)
    assert maps.dtype == tf.bfloat16
    assert layer.moving_mean.dtype == "float32"
    rounded = tf.cast(tf.constant(100.0 + X, tf.bfloat16), tf.float64).numpy()
    np.testing.assert_allclose(layer.moving_mean, 0.1 * rounded.mean((0, 1, 2)), rtol=1e-5)
