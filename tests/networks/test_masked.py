"""Masked networks: what an output depends on, by its Jacobian."""

import numpy as np
import pytest
import tensorflow as tf

from tests.flows.made import moved
from tfvae import networks
from tfvae.errors import UserError

SIZE, ROWS, NUMBERS = 6, 4, 2


def made(**options):
    network = networks.MADE(
        options.pop("units", [13, 17]), NUMBERS, activation="tanh", context_size=3, **options
    )
    network.build((None, SIZE))
    return moved(network)


def jacobians(network):
    """d out / d z `[ROWS, NUMBERS, SIZE, SIZE]` and d out / d c."""
    rng = np.random.default_rng(5)
    z = tf.constant(rng.normal(size=(ROWS, SIZE)), tf.float32)
    context = tf.constant(rng.normal(size=(ROWS, 3)), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([z, context])
        out = tf.reshape(network(z, context), [ROWS, NUMBERS, SIZE])
    return tape.batch_jacobian(out, z).numpy(), tape.batch_jacobian(out, context).numpy()


@pytest.mark.parametrize("units", [[13], [13, 17], [7, 7, 7]])
def test_the_upper_triangle_of_the_jacobian_is_zero_and_the_lower_is_not(units):
    of_z, of_context = jacobians(made(units=units))
    before = np.tril(np.ones((SIZE, SIZE), bool), -1)
    np.testing.assert_array_equal(of_z[..., ~before], 0.0)
    assert np.all(of_z[..., before] != 0), "each output sees all that come before"
    assert np.all(of_context != 0), "and all of the context"


def test_reversed_it_is_the_lower_triangle():
    of_z, _ = jacobians(made(reverse=True))
    after = np.triu(np.ones((SIZE, SIZE), bool), 1)
    np.testing.assert_array_equal(of_z[..., ~after], 0.0)
    assert np.all(of_z[..., after] != 0)


def test_the_masks_by_hand():
    """D = 3 and four hidden units of degrees 0, 1, 2, 0."""
    first, last = networks.MADE([4], 1).masks(3)
    np.testing.assert_array_equal(first, [[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(last, [[1, 1, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]])


def test_the_numbers_are_numpys():
    network = made(units=[13])
    rng = np.random.default_rng(6)
    z, context = rng.normal(size=(2, ROWS, SIZE)), rng.normal(size=(ROWS, 3))
    masked = zip(network.kernels, network.masks(SIZE), strict=True)
    kernels = [weight.numpy() * mask for weight, mask in masked]
    first, second = (bias.numpy() for bias in network.biases)
    hidden = np.tanh(z @ kernels[0] + context @ network.context_kernel.numpy() + first)
    found = network(tf.constant(z, tf.float32), tf.constant(context, tf.float32))
    np.testing.assert_allclose(found, hidden @ kernels[1] + second, rtol=1e-4, atol=1e-5)


def test_one_dimension_sees_the_context_alone():
    network = networks.MADE([4], 2, context_size=3)
    network.build((None, 1))
    moved(network)
    context = tf.random.normal([ROWS, 3], seed=1)
    found = [network(tf.fill([ROWS, 1], value), context).numpy() for value in (-3.0, 3.0)]
    np.testing.assert_array_equal(*found)
    assert np.ptp(found[0], axis=0).min() > 0


@pytest.mark.parametrize(
    "bad", [{"units": []}, {"units": [0]}, {"num_outputs": 0}, {"context_size": -1}]
)
def test_bad_sizes_are_refused(bad):
    with pytest.raises(UserError, match=next(iter(bad))):
        networks.MADE(**{"units": [4], **bad})
