"""The U-Net: shapes, weights, features by SciPy's correlation, and draws that share its work."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

import tfvae
from tfvae import heads, networks

RNG = np.random.default_rng(7)


def inputs(images=3, draws=1, size=(8, 8), channels=1):
    return {
        "z": RNG.normal(size=(draws * images, 2)).astype("float32"),
        "image": RNG.random((images, *size, channels)).astype("float32"),
    }


def correlated(x, layer):
    """Features `[H, W, C]` of a layer with an odd kernel, by SciPy, without its activation."""
    kernel, bias = (w.numpy().astype("float64") for w in layer.weights)
    maps = [
        sum(
            ndimage.correlate(x[..., i], kernel[:, :, i, o], mode="constant")
            for i in range(x.shape[-1])
        )
        for o in range(kernel.shape[-1])
    ]
    return np.stack(maps, axis=-1) + bias


def test_features_are_scipys():
    unet, given = networks.UNet([3, 4], num_convolutions=1, activation="tanh"), inputs(1)
    found = unet(given)[0]
    fine = np.tanh(correlated(given["image"][0].astype("float64"), unet.down[0][0]))
    pooled = fine.reshape(4, 2, 4, 2, 3).mean(axis=(1, 3))
    coarse = np.tanh(correlated(pooled, unet.down[1][0])).repeat(2, axis=0).repeat(2, axis=1)
    up = np.tanh(correlated(np.concatenate([fine, coarse], axis=-1), unet.up[0][0]))
    # The code side by side with the features, and one 1x1 convolution of both.
    kernel = np.concatenate([unet.of_features.kernel.numpy()[0, 0], unet.of_code.kernel.numpy()])
    code = np.broadcast_to(given["z"][0], (8, 8, 2))
    beside = np.concatenate([up, code], axis=-1) @ kernel + unet.of_features.bias.numpy()
    np.testing.assert_allclose(found, np.tanh(correlated(np.tanh(beside), unet.mixed)), atol=1e-5)


@pytest.mark.parametrize(("strides", "size"), [(2, (8, 12)), (3, (9, 18))])
def test_shapes_and_weights(strides, size):
    unet, given = networks.UNet([4, 6, 5], strides=strides), inputs(3, 2, size, channels=2)
    assert tuple(unet(given).shape) == (6, *size, 4)
    shapes = {name: (None, *x.shape[1:]) for name, x in given.items()}
    assert unet.compute_output_shape(shapes) == (None, *size, 4)
    down = [(2, 4), (4, 4), (4, 6), (6, 6), (6, 5), (5, 5)]
    up = [(4 + 6, 4), (4, 4), (6 + 5, 6), (6, 6)]
    weights = sum(9 * a * b + b for a, b in down + up)
    assert unet.count_params() == weights + (4 * 4 + 4) + 2 * 4 + (4 * 4 + 4)


def test_rows_are_draws_of_images():
    unet, given = networks.UNet([3, 4]), inputs(3, draws=2)
    expected = unet({"z": given["z"], "image": np.tile(given["image"], (2, 1, 1, 1))})
    np.testing.assert_allclose(unet(given), expected, atol=1e-6)


def test_it_runs_once_for_all_draws_of_a_decoder():
    decoder = tfvae.Decoder(networks.UNet([3, 4]), heads.IndependentBernoulli((8, 8, 1)))
    given, seen = inputs(3), []
    z = tf.constant(RNG.normal(size=(5, 3, 2)).astype("float32"))
    one_by_one = [decoder({"z": z[s], "image": given["image"]}).mean() for s in range(5)]
    original = decoder.network.image_features
    decoder.network.image_features = lambda images: (
        seen.append(images["image"].shape[0]) or original(images)
    )
    together = decoder({"z": z, "image": tf.constant(given["image"])}).mean()
    np.testing.assert_allclose(together, one_by_one, atol=1e-6)
    assert seen == [3]
    # An image of its own for each draw is not the same for all.
    images = tf.constant(RNG.random((5, 3, 8, 8, 1)).astype("float32"))
    found = decoder({"z": z, "image": images}).mean()
    one_by_one = [decoder({"z": z[s], "image": images[s]}).mean() for s in range(5)]
    np.testing.assert_allclose(found, one_by_one, atol=1e-6)


def test_config_round_trip_with_explicit_names():
    network = networks.UNet([4, 6], num_convolutions=3, kernel_size=5, strides=3)
    clone = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(network))
    assert clone.get_config() == network.get_config()
    names, again = (
        [layer.name for layer in n._flatten_layers(include_self=False)] for n in (network, clone)
    )
    assert names == again
    assert len(set(names)) == len(names) == 3 * 3 + 6


@pytest.mark.parametrize(
    "options",
    [
        {"filters": []},
        {"filters": [4, 0]},
        {"filters": [4], "num_convolutions": 0},
        {"filters": [4], "kernel_size": 0},
        {"filters": [4], "strides": 1},
    ],
)
def test_bad_arguments_are_refused(options):
    with pytest.raises(ValueError, match=r"must be .*received"):
        networks.UNet(**options)


@pytest.mark.parametrize(("size", "fitting"), [((10, 8), "8x8"), ((28, 27), "28x28")])
def test_sizes_that_strides_do_not_divide_are_refused(size, fitting):
    with pytest.raises(ValueError, match=f"multiples of 4, and received .*fits is {fitting}"):
        networks.UNet([2, 2, 2])(inputs(1, size=size))


@pytest.mark.parametrize("given", [inputs()["z"], {"z": inputs()["z"]}])
def test_an_image_is_needed(given):
    with pytest.raises(ValueError, match="--fields x,image"):
        networks.UNet([2])(given)
