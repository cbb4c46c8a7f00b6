"""Draws of a folded factor, and log q of them from the noise, against the dense matrix."""

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.folded_normal import FoldedMultivariateNormalTriL
from tfvae.distributions.folded_triangle import FoldedTriangle, dense
from tfvae.distributions.triangular import solve_adjoint
from tfvae.noise import training_noise

tfd = tfp.distributions
ROWS, DRAWS = 3, 4


def parts(size):
    rng = np.random.default_rng(1)
    loc = rng.normal(size=(ROWS, size))
    diagonal = np.exp(rng.normal(size=(ROWS, size)))
    entries = rng.normal(size=(ROWS, size * (size - 1) // 2)) / np.sqrt(size)
    return [tf.constant(part, tf.float32) for part in (loc, diagonal, entries)]


def with_gradients(function, tensors, weights):
    """The values of a function, and the gradients of their weighted sum."""
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        values = function(*tensors)
        total = tf.reduce_sum(weights * values)
    return [values, *tape.gradient(total, tensors)]


@pytest.mark.parametrize("size", [2, 3, 16, 37])
def test_adjoint_systems_are_scipys(size):
    rng = np.random.default_rng(2)
    below = np.tril(rng.normal(size=(ROWS, size, size)), -1) / np.sqrt(size)
    x = rng.normal(size=(ROWS, DRAWS, size))
    found = solve_adjoint(tf.constant(below, tf.float32), tf.constant(x, tf.float32))
    for row in range(ROWS):
        factor = below[row] + np.eye(size)
        expected = scipy.linalg.solve_triangular(factor, x[row].T, trans="T", lower=True).T
        np.testing.assert_allclose(found[row], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [2, 5, 8])
def test_draws_and_their_gradients_are_those_of_the_dense_matrix(size):
    tensors = parts(size)
    noise = training_noise(tf.constant([1, 2]), DRAWS, ROWS)
    weights = np.random.default_rng(3).normal(size=(DRAWS, ROWS, size)).astype("float32")

    def folded(loc, diagonal, entries):
        return loc + FoldedTriangle(diagonal, entries).matvec(noise.normal(size))

    def by_matrix(loc, diagonal, entries):
        eps = noise.normal(size)
        return loc + tf.einsum("bij,sbj->sbi", dense(diagonal, entries), eps)

    both = (with_gradients(f, tensors, weights) for f in (folded, by_matrix))
    for found, expected in zip(*both, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [2, 5, 20])
def test_log_q_from_the_noise_is_that_of_the_solve_and_so_are_gradients(size):
    """The parameters are held: what comes to them comes through z."""
    tensors = parts(size)
    noise = training_noise(tf.constant([3, 4]), DRAWS, ROWS)
    weights = np.random.default_rng(5).normal(size=(DRAWS, ROWS)).astype("float32")

    def by_noise(loc, diagonal, entries):
        q = FoldedMultivariateNormalTriL(loc, FoldedTriangle(diagonal, entries))
        z, log_prob = q.draw_held(noise)
        return log_prob(z)

    def by_solve(loc, diagonal, entries):
        matrix = dense(diagonal, entries)
        z = loc + tf.einsum("bij,sbj->sbi", matrix, noise.normal(size))
        return tfd.MultivariateNormalTriL(*map(tf.stop_gradient, (loc, matrix))).log_prob(z)

    both = (with_gradients(f, tensors, weights) for f in (by_noise, by_solve))
    for found, expected in zip(*both, strict=True):
        assert np.abs(expected).max() > 0.1
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
