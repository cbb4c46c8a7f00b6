"""Rational-quadratic splines against TensorFlow Probability's, and by finite differences."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.flows.splines import along, back, spline

BINS, BOUND = 6, 3.0
NUMBERS = tf.constant(2 * np.random.default_rng(1).normal(size=(4, 3 * BINS - 1)), tf.float32)
POINTS = tf.constant(np.random.default_rng(2).uniform(-4, 4, size=(50, 4)), tf.float32)


def of_tfp():
    made = spline(NUMBERS, BINS, BOUND)
    return tfp.bijectors.RationalQuadraticSpline(
        bin_widths=made.x[:, 1:] - made.x[:, :-1],
        bin_heights=made.y[:, 1:] - made.y[:, :-1],
        knot_slopes=made.slopes[:, 1:-1],
        range_min=-BOUND,
    )


def test_both_ways_are_tfps():
    made, expected = spline(NUMBERS, BINS, BOUND), of_tfp()
    y, log_slope = along(made, POINTS, BOUND)
    np.testing.assert_allclose(y, expected.forward(POINTS), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        log_slope, expected.forward_log_det_jacobian(POINTS, 0), rtol=1e-3, atol=1e-3
    )
    x, log_inverse = back(made, POINTS, BOUND)
    np.testing.assert_allclose(x, expected.inverse(POINTS), rtol=1e-3, atol=2e-3)
    np.testing.assert_allclose(
        log_inverse, expected.inverse_log_det_jacobian(POINTS, 0), rtol=1e-2, atol=1e-2
    )


def test_it_rises_and_is_the_identity_outside():
    x = tf.repeat(tf.linspace(-5.0, 5.0, 2001)[:, tf.newaxis], 4, axis=1)
    y, log_slope = (tensor.numpy() for tensor in along(spline(NUMBERS, BINS, BOUND), x, BOUND))
    assert np.all(np.diff(y, axis=0) > 0)
    outside = np.abs(x.numpy()) > BOUND
    np.testing.assert_array_equal(y[outside], x.numpy()[outside])
    np.testing.assert_array_equal(log_slope[outside], 0.0)
    assert np.abs(y - x)[~outside].max() > 0.5


def test_zeros_are_the_identity():
    y, log_slope = along(spline(tf.zeros([4, 3 * BINS - 1]), BINS, BOUND), POINTS, BOUND)
    np.testing.assert_allclose(y, POINTS, atol=1e-5)
    np.testing.assert_allclose(log_slope, np.zeros_like(POINTS), atol=1e-5)


@pytest.mark.parametrize("number", [-1e3, 1e3])
def test_extreme_numbers_leave_slopes_and_gradients_finite(number):
    numbers = tf.tensor_scatter_nd_update(NUMBERS, [[0, 1], [1, BINS + 1]], [number, number])
    with tf.GradientTape() as tape:
        tape.watch(numbers)
        made = spline(numbers, BINS, BOUND)
        found = [*along(made, POINTS, BOUND), *back(made, POINTS, BOUND)]
        total = tf.add_n([tf.reduce_sum(tensor) for tensor in found])
    assert all(np.isfinite(tensor).all() for tensor in found)
    assert np.isfinite(tape.gradient(total, numbers)).all()
