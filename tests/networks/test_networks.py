"""The ready-made networks: shapes, weights, and features computed by NumPy from the weights."""

import keras
import numpy as np
import pytest

from tfvae import networks

RNG = np.random.default_rng(7)


def test_mlp_equals_numpy():
    x = RNG.normal(size=(3, 4, 4, 1)).astype("float32")
    mlp = networks.MLP([5, 6], activation="tanh")
    features = mlp(x)
    expected = x.reshape(3, -1).astype("float64")
    weights = [w.numpy() for w in mlp.weights]
    assert [w.shape for w in weights] == [(16, 5), (5,), (5, 6), (6,)]
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        expected = np.tanh(expected @ kernel + bias)
    np.testing.assert_allclose(features, expected, atol=1e-6)


@pytest.mark.parametrize("side", [5, 6, 7, 8])
@pytest.mark.parametrize(("kernel_size", "strides"), [(3, 2), (4, 2), (3, 1), (3, 3)])
def test_conv_and_its_mirror_have_the_stated_shapes(side, kernel_size, strides):
    options = {"kernel_size": kernel_size, "strides": strides}
    conv = networks.Conv([4, 6], **options)
    maps = conv(np.zeros((2, side, side + 1, 3), "float32"))
    small = [int(np.ceil(n / strides**2)) for n in (side, side + 1)]
    assert tuple(maps.shape) == (2, *small, 6) == conv.compute_output_shape((2, side, side + 1, 3))
    mirror = networks.ConvTranspose([6, 4], image_size=(side, side + 1), **options)
    assert tuple(mirror(np.zeros((2, 3), "float32")).shape) == (2, side, side + 1, 4)
    assert mirror.compute_output_shape((2, 3)) == (2, side, side + 1, 4)


def test_conv_weight_counts():
    conv, mirror = networks.Conv([4, 6]), networks.ConvTranspose([6, 4], image_size=(8, 8))
    conv.build((None, 8, 8, 1))
    mirror.build((None, 3))
    assert conv.count_params() == (9 * 1 * 4 + 4) + (9 * 4 * 6 + 6)
    assert mirror.count_params() == (3 * 24 + 24) + (9 * 6 * 6 + 6) + (9 * 6 * 4 + 4)


def test_every_pixel_of_the_image_reaches_the_features_of_a_conv():
    """kernel_size >= strides skips none: the gradient of each pixel is non-zero."""
    import tensorflow as tf

    conv = networks.Conv([3], kernel_size=2, strides=2, activation="linear")
    x = tf.ones((1, 7, 7, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(tf.square(conv(x)))
    assert np.all(tape.gradient(total, x).numpy() != 0)


@pytest.mark.parametrize(
    "network",
    [
        networks.MLP([5], activation="gelu"),
        networks.Conv([4, 6], kernel_size=5, strides=3, activation="tanh"),
        networks.ConvTranspose([6, 4], image_size=(9, 7), kernel_size=4, strides=2),
    ],
)
def test_config_round_trip(network):
    clone = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(network))
    assert clone.get_config() == network.get_config()
    assert type(clone) is type(network)


@pytest.mark.parametrize(
    "network",
    [
        networks.MLP([5, 5]),
        networks.Conv([4, 6]),
        networks.ConvTranspose([6, 4], image_size=(8, 8)),
    ],
)
def test_sublayers_have_explicit_names(network):
    """Automatic names carry a session's counter and change on reload."""
    names = [layer.name for layer in network._flatten_layers(include_self=False)]
    clone = type(network).from_config(network.get_config())
    assert [layer.name for layer in clone._flatten_layers(include_self=False)] == names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "make",
    [
        lambda: networks.MLP([]),
        lambda: networks.MLP(200),
        lambda: networks.MLP([200, 0]),
        lambda: networks.MLP("200"),
        lambda: networks.MLP([2.5]),
        lambda: networks.Conv([]),
        lambda: networks.Conv([4], kernel_size=0),
        lambda: networks.Conv([4], strides=-1),
        lambda: networks.Conv([4], kernel_size=2, strides=3),
        lambda: networks.ConvTranspose([4], image_size=28),
        lambda: networks.ConvTranspose([4], image_size=(28,)),
        lambda: networks.ConvTranspose([4], image_size=(28, 28, 1)),
    ],
)
def test_bad_arguments_are_refused(make):
    with pytest.raises(ValueError, match=r"must be .*received|received .*kernel_size"):
        make()


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="nonsense"):
        networks.MLP([4], activation="nonsense")


def test_conv_refuses_images_without_channels():
    with pytest.raises(ValueError, match=r"\[B, H, W, C\].*\.\.\., None"):
        networks.Conv([4])(np.zeros((2, 8, 8), "float32"))
