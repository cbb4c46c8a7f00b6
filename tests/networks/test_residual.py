"""Residual networks: shapes, weights, and features by SciPy's correlation."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from tfvae import networks
from tfvae.errors import UserError

RNG = np.random.default_rng(7)


def correlated(x, layer):
    """What a convolution with an odd kernel makes of `[H, W, C]`, by SciPy."""
    kernel, *bias = (w.numpy().astype("float64") for w in layer.weights)
    maps = [
        sum(
            ndimage.correlate(x[..., i], kernel[:, :, i, o], mode="constant")
            for i in range(x.shape[-1])
        )
        for o in range(kernel.shape[-1])
    ]
    return np.stack(maps, axis=-1) + (bias[0] if bias else 0.0)


def test_blocks_add_what_two_convolutions_make():
    network = networks.ResidualConvTranspose([4, 3], (8, 8), num_blocks=2, activation="tanh")
    z = RNG.normal(size=(1, 2, 2, 5)).astype("float32")
    network(z)
    h = correlated(z[0].astype("float64"), network.start)
    for inner, outer in network.residual:
        h = h + correlated(np.tanh(correlated(np.tanh(h), inner)), outer)
    found = network.through_blocks(network.start(z), network.residual)
    np.testing.assert_allclose(found[0], np.tanh(h), atol=1e-5)


def test_shapes_and_weights_are_the_stated_ones():
    down = networks.ResidualConv([4, 6], num_blocks=1)
    assert down(np.zeros((2, 28, 12, 3), "float32")).shape == (2, 7, 3, 6)
    assert down.compute_output_shape((None, 28, 12, 3)) == (None, 7, 3, 6)
    block = (9 * 6 * 3 + 3) + 3 * 6
    assert down.count_params() == (16 * 3 * 4 + 4) + (16 * 4 * 6 + 6) + block
    up = networks.ResidualConvTranspose([6, 4], (28, 12), num_blocks=1)
    assert up(np.zeros((2, 7, 3, 5), "float32")).shape == (2, 28, 12, 4)
    assert up.compute_output_shape((None, 7, 3, 5)) == (None, 28, 12, 4)
    ends = (16 * 6 * 4 + 4) + (16 * 4 * 4 + 4)
    assert up.count_params() == (9 * 5 * 6 + 6) + block + ends


def test_of_a_vector_a_dense_layer_makes_the_map():
    up = networks.ResidualConvTranspose([6, 4], (7, 6), num_blocks=0)
    assert up(np.zeros((2, 3), "float32")).shape == (2, 7, 6, 4)
    assert up.map_size == (2, 2)
    assert up.start.kernel.shape == (3, 2 * 2 * 6)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UserError, match=r"multiples of 8, and received 28x28\. Give fewer filte"):
        networks.ResidualConv([2, 2, 2]).build((None, 28, 28, 1))
    with pytest.raises(UserError, match=r"expects images \[B, H, W, C\], received shape"):
        networks.ResidualConv([2]).build((None, 28, 28))
    with pytest.raises(UserError, match=r"from maps of \(7, 7\), and received maps of \(4, 4\)"):
        networks.ResidualConvTranspose([2, 2], (28, 28)).build((None, 4, 4, 3))
    with pytest.raises(UserError, match=r"image_size must be \(height, width\)"):
        networks.ResidualConvTranspose([2], (28,))
    with pytest.raises(UserError, match="kernel_size must be an integer of at least 2"):
        networks.ResidualConv([2], kernel_size=1)


@pytest.mark.parametrize(
    "network",
    [
        networks.ResidualConv([2, 3], num_blocks=1, activation="tanh"),
        networks.ResidualConvTranspose([3, 2], (8, 8), kernel_size=3),
    ],
)
def test_config_round_trip_and_names(network):
    clone = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(network))
    assert clone.get_config() == network.get_config()
    names = [layer.name for layer in network._flatten_layers(include_self=False)]
    assert [layer.name for layer in clone._flatten_layers(include_self=False)] == names
    assert len(set(names)) == len(names)
