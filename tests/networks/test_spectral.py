"""The largest singular values of kernels by NumPy, and the penalty on them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfvae import networks
from tfvae.errors import UserError
from tfvae.networks.spectral import SpectralNorm

RNG = np.random.default_rng(11)


def largest(kernel):
    """By a decomposition, of what a kernel does to a patch."""
    if kernel.shape[-1] == 1:  # of a depthwise one: a block of the matrix for each channel
        blocks = kernel[..., 0].reshape(-1, kernel.shape[2]).T
        matrix = np.zeros((blocks.shape[0], blocks.size))
        for i, block in enumerate(blocks):
            matrix[i, i * block.size : (i + 1) * block.size] = block
    else:
        matrix = kernel.reshape(-1, kernel.shape[-1])
    return np.linalg.svd(matrix, compute_uv=False)[0]


@pytest.mark.parametrize("shape", [(3, 3, 6, 8), (1, 1, 4, 9)])
def test_the_estimate_tends_to_the_largest_singular_value(shape):
    kernel = tf.constant(RNG.normal(size=shape), tf.float32)
    norm = SpectralNorm()
    norm.build(shape)
    estimates = [float(norm(kernel, training=True)) for _ in range(60)]
    expected = largest(kernel.numpy())
    np.testing.assert_allclose(estimates[-1], expected, rtol=1e-4)
    assert np.all(np.array(estimates) <= expected * (1 + 1e-6))
    assert estimates[0] < estimates[-1]


def test_it_recovers_from_a_kernel_of_zeros():
    """Such as that of a cell that starts as the identity."""
    norm = SpectralNorm()
    norm.build((3, 3, 2, 5))
    assert float(norm(tf.zeros((3, 3, 2, 5)), training=True)) == 0.0
    kernel = tf.constant(RNG.normal(size=(3, 3, 2, 5)), tf.float32)
    estimates = [float(norm(kernel, training=True)) for _ in range(60)]
    np.testing.assert_allclose(estimates[-1], largest(kernel.numpy()), rtol=1e-4)


def test_it_moves_in_training_alone():
    kernel = tf.constant(RNG.normal(size=(3, 3, 2, 5)), tf.float32)
    norm = SpectralNorm()
    norm.build(kernel.shape)
    before = norm.u.numpy()
    norm(kernel)
    np.testing.assert_array_equal(norm.u, before)
    norm(kernel, training=True)
    assert not np.allclose(norm.u, before)


def test_the_gradient_is_that_of_the_singular_value():
    """d s / d W = v u' of the first singular vectors."""
    kernel = tf.Variable(RNG.normal(size=(1, 1, 5, 4)).astype("float32"))
    norm = SpectralNorm()
    norm.build(kernel.shape)
    for _ in range(100):
        norm(kernel, training=True)
    with tf.GradientTape() as tape:
        value = norm(kernel)
    left, _, right = np.linalg.svd(kernel.numpy()[0, 0])
    found = tape.gradient(value, kernel)[0, 0]
    np.testing.assert_allclose(found, np.outer(left[:, 0], right[0]), atol=1e-3)


def test_of_a_depthwise_kernel_it_is_exact():
    kernel = RNG.normal(size=(5, 5, 7, 1))
    norm = SpectralNorm(depthwise=True)
    norm.build(kernel.shape)
    assert not norm.weights
    np.testing.assert_allclose(norm(tf.constant(kernel)), largest(kernel), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "convolutions"),
    [
        (lambda w: networks.NVAEConv([3, 5], num_cells=2, spectral_weight=w), 2 + 4 * 2),
        (
            lambda w: networks.NVAEConvTranspose([3], (4, 4), expansion=2, spectral_weight=w),
            2 + 3,  # the first and the last one, and those of a cell
        ),
    ],
    ids=["up", "down"],
)
def test_the_loss_is_the_weighted_sum_over_all_convolutions_and_scales(make, convolutions):
    network = make(0.25)
    x = RNG.normal(size=(2, 2, 2, 3) if convolutions == 5 else (2, 8, 8, 1)).astype("float32")
    network(x)
    assert network.losses == []
    for weight in network.trainable_weights:
        if weight.name == "gamma":
            weight.assign(RNG.normal(size=weight.shape))
    for _ in range(60):
        network(x, training=True)
    kernels = [
        w.numpy() for w in network.trainable_weights if w.name == "kernel" and len(w.shape) == 4
    ]
    assert len(kernels) == convolutions
    scales = [w.numpy() for w in network.trainable_weights if w.name == "gamma"]
    assert scales
    expected = sum(map(largest, kernels)) + sum(np.abs(scale).max() for scale in scales)
    np.testing.assert_allclose(sum(network.losses), 0.25 * expected, rtol=1e-3)
    clone = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(network))
    assert clone.spectral_weight == 0.25
    plain = make(0.0)
    plain(x, training=True)
    assert plain.losses == []
    assert not any(w.name == "u" for w in plain.weights)


def test_a_weight_below_zero_is_refused():
    with pytest.raises(UserError, match="spectral_weight must be a finite number of at least 0"):
        networks.NVAEConv([2], spectral_weight=-1)
