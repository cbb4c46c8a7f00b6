"""Residual cells by NumPy and SciPy, and the networks made of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage
from scipy.special import expit

from tests.networks.test_residual import correlated
from tfvae import networks
from tfvae.errors import UserError

RNG = np.random.default_rng(7)
X = RNG.normal(size=(2, 5, 4, 3)).astype("float32")


def filled(layer):
    """The layer with weights that are all of use, so that none could be left out unnoticed."""
    layer.build(X.shape)
    for weight in layer.weights:
        weight.assign(RNG.uniform(0.2, 1.0, weight.shape) * (1 if "var" in weight.path else 0.5))
    return layer


def normalised(x, layer):
    """Batch normalisation at rest."""
    named = {w.name: w.numpy().astype("float64") for w in layer.weights}
    scaled = (x - named["moving_mean"]) / np.sqrt(named["moving_variance"] + 1e-5)
    return scaled * named["gamma"] + named.get("beta", 0.0)


def swish(x):
    return x * expit(x)


def excited(x, layer):
    """Squeeze-and-excitation of one map `[H, W, C]`."""
    first, first_bias, second, second_bias = (w.numpy().astype("float64") for w in layer.weights)
    inside = np.maximum(x.mean(axis=(0, 1)) @ first + first_bias, 0.0)
    return x * expit(inside @ second + second_bias)


def each_channel(x, layer):
    kernel = layer.weights[0].numpy()[..., 0]
    maps = [
        ndimage.correlate(x[..., i], kernel[..., i], mode="constant") for i in range(x.shape[2])
    ]
    return np.stack(maps, axis=-1)


def test_squeeze_and_excitation_weighs_channels():
    layer = filled(networks.SqueezeExcitation())
    expected = [excited(x, layer) for x in X.astype("float64")]
    np.testing.assert_allclose(layer(X), expected, rtol=1e-5)
    assert layer.squeeze.units == 4  # and a sixteenth of many channels
    wide = networks.SqueezeExcitation()
    wide.build((None, 2, 2, 128))
    assert wide.squeeze.units == 8


def test_the_cell_of_an_encoder():
    cell = filled(networks.InferenceCell(residual_scale=0.5))
    first, conv, second, last = cell.branch
    for x, found in zip(X.astype("float64"), cell(X).numpy(), strict=True):
        h = correlated(swish(normalised(x, first)), conv)
        h = correlated(swish(normalised(h, second)), last)
        np.testing.assert_allclose(found, x + 0.5 * excited(h, cell.excitation), rtol=1e-4)


def test_the_cell_of_a_decoder():
    cell = filled(networks.GenerativeCell(expansion=2, residual_scale=0.5))
    first, expand, second, wide, third, reduce, last = cell.branch
    for x, found in zip(X.astype("float64"), cell(X).numpy(), strict=True):
        h = correlated(normalised(x, first), expand)
        h = each_channel(swish(normalised(h, second)), wide)
        h = normalised(correlated(swish(normalised(h, third)), reduce), last)
        np.testing.assert_allclose(found, x + 0.5 * excited(h, cell.excitation), rtol=1e-4)


@pytest.mark.parametrize("kind", [networks.InferenceCell, networks.GenerativeCell])
def test_a_cell_that_starts_at_zero_is_the_identity(kind):
    np.testing.assert_array_equal(kind(zero_start=True)(X, training=True), X)
    assert not np.array_equal(kind()(X, training=True), X)


def test_statistics_move_in_training_alone():
    network = networks.NVAEConv([4])
    rested = network(X)
    before = [w.numpy() for w in network.non_trainable_weights]
    np.testing.assert_array_equal(network(X), rested)
    network(X, training=True)
    after = [w.numpy() for w in network.non_trainable_weights]
    assert len(after) == 4
    assert not any(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_odd_sides_are_halved_to_the_next_whole_number_and_back():
    down = networks.NVAEConv([2, 3])
    assert down(np.zeros((2, 7, 10, 1), "float32")).shape == (2, 2, 3, 3)
    assert down.compute_output_shape((None, 7, 10, 1)) == (None, 2, 3, 3)
    up = networks.NVAEConvTranspose([3, 2], (7, 10), expansion=2)
    assert up.sizes == [(2, 3), (4, 5), (7, 10)]
    assert up(np.zeros((2, 2 * 3 * 4), "float32")).shape == (2, 7, 10, 2)
    assert up.compute_output_shape((None, 24)) == (None, 7, 10, 2)
    same = networks.NVAEConvTranspose([3], (7, 10), strides=1, num_cells=0)
    assert same(np.zeros((2, 7, 10, 4), "float32")).shape == (2, 7, 10, 3)


def test_what_goes_in_is_not_lost_in_many_networks_of_one_size():
    """Thirty levels at one size: with an activation at the end of each the maps fade to 1e-8."""
    maps = RNG.normal(size=(32, 4, 4, 8)).astype("float32")
    up = down = maps
    for _ in range(30):
        up = networks.NVAEConv([8], strides=1, residual_scale=0.1)(up, training=True)
        given = {"z": RNG.normal(size=(32, 4, 4, 2)).astype("float32"), "above": down}
        options = {"strides": 1, "residual_scale": 0.1, "expansion": 2}
        down = networks.NVAEConvTranspose([8], (4, 4), **options)(given, training=True)
    assert np.corrcoef(np.ravel(up), maps.ravel())[0, 1] > 0.8
    assert 0.3 < np.std(up) < 3.0
    assert 0.3 < np.std(down) < 3.0


def test_a_convolution_changes_channels_where_maps_keep_their_size():
    wider = networks.NVAEConv([3, 5, 5], strides=1, num_cells=1)
    assert wider(X).shape == (2, 5, 4, 5)
    names = [[layer.name for layer in layers] for layers in wider.hidden]
    assert names == [["cell_0_0"], ["conv_1", "cell_1_0"], ["cell_2_0"]]
    narrower = networks.NVAEConvTranspose([4, 2], (5, 4), strides=1, expansion=2)
    assert narrower(X.reshape(2, -1)).shape == (2, 5, 4, 2)
    names = [[layer.name for layer in layers] for layers in narrower.hidden]
    assert names == [["cell_0_0", "conv_0"], ["cell_1_0"]]


def test_a_vector_is_a_map_row_by_row_beside_other_maps():
    network = networks.NVAEConvTranspose([3], (4, 4), expansion=2)
    z, above = RNG.normal(size=(2, 2, 2, 1)), RNG.normal(size=(2, 2, 2, 5))
    z, above = z.astype("float32"), above.astype("float32")
    found = network({"z": z.reshape(2, 4), "above": above})
    np.testing.assert_array_equal(found, network({"z": z, "above": above}))
    assert network.start.kernel.shape == (1, 1, 6, 3)
    moved = network({"z": tf.constant(z.reshape(2, 4)), "above": tf.constant(above + 1)})
    assert not np.array_equal(found, moved)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UserError, match=r"Maps of 4x4 are too small to be halved 3 times: one of "):
        networks.NVAEConv([2, 2, 2]).build((None, 4, 4, 1))
    with pytest.raises(UserError, match=r"too small to be halved 3 times"):
        networks.NVAEConvTranspose([2, 2, 2], (4, 4))
    with pytest.raises(UserError, match=r"expects images or maps \[B, H, W, C\], received shape"):
        networks.NVAEConv([2]).build((None, 28, 28))
    with pytest.raises(UserError, match=r"expected a multiple of 16 numbers, or a map of 4x4"):
        networks.NVAEConvTranspose([2], (8, 8)).build((None, 10))
    with pytest.raises(UserError, match=r"z has shape \(2, 2, 3\): expected a multiple of 16"):
        networks.NVAEConvTranspose([2], (8, 8)).build((None, 2, 2, 3))
    with pytest.raises(UserError, match=r"image_size must be \(height, width\)"):
        networks.NVAEConvTranspose([2], (28,))
    with pytest.raises(UserError, match="strides must be an integer of at most 2"):
        networks.NVAEConv([2], strides=3)
    with pytest.raises(UserError, match="residual_scale must be a finite number above 0"):
        networks.InferenceCell(residual_scale=0)


def test_config_round_trip():
    network = networks.NVAEConvTranspose([3, 2], (8, 8), expansion=2, residual_scale=0.5)
    clone = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(network))
    assert clone.get_config() == network.get_config()
