"""Super-resolution: draws of a model that is exactly known, their consistency, bad input."""

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tfvae import Decoder, Encoder, Field, heads, networks, presets, uses
from tfvae.errors import UserError

pytestmark = pytest.mark.usefixtures("without_xla")

LOW = np.random.default_rng(0).random((6, 2, 2, 1)).astype("float32")


def conditional(conditions, shape=(4, 4, 1), likelihood=heads.IndependentNormal):
    model = tfvae.ConditionalVAE(
        Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(3)),
        Decoder(networks.SideBySide(), likelihood(shape)),
        conditions,
        seed=5,
    )
    model.build((None, *shape))
    return model


@pytest.fixture(scope="module")
def model():
    return conditional({"low": Field((2, 2, 1))})


def repeated(model):
    """Sets the decoder to E[x|z, low] = each pixel of low four times, + 0.1 z_0 everywhere."""
    (layer,) = [
        layer
        for layer in model.decoder._flatten_layers(include_self=False)
        if getattr(getattr(layer, "kernel", None), "shape", None) == (7, 16)
    ]
    weights = np.zeros((7, 4, 4), "float32")  # its inputs in the order of their names: low, z
    for row, column in np.ndindex(2, 2):
        weights[2 * row + column, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = 1.0
    weights[4] = 0.1
    layer.kernel.assign(weights.reshape(7, 16))
    model.decoder.head.adapt(np.zeros((4, 4, 1), "float32"))


def test_of_a_linear_model_mean_spread_and_consistency_are_exact():
    model = conditional({"low": Field((2, 2, 1))})
    repeated(model)
    count = 4000
    found = uses.super_resolve(model, LOW, count, seed=3)
    large = LOW.repeat(2, axis=1).repeat(2, axis=2)
    z = (found.samples - large[:, None])[:, :, 0, 0, 0] / 0.1
    assert abs(z.mean()) < 4.5 / np.sqrt(count)
    assert abs(z[0].std() - 1.0) < 4.5 / np.sqrt(2 * count)
    # A shift of the whole image by 0.1 z is off by that in every block.
    np.testing.assert_allclose(found.consistency, 0.1 * np.abs(z), atol=1e-5)
    np.testing.assert_allclose(found.mean, found.samples.mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(found.spread, found.samples.std(axis=1), atol=1e-5)


def test_samples_are_those_of_sample_and_do_not_depend_on_neighbours(model):
    whole = uses.super_resolve(model, LOW, 5, seed=3)
    for at in (0, 4):
        alone = uses.super_resolve(model, LOW[at : at + 1], 5, seed=3)
        np.testing.assert_allclose(alone.samples[0], whole.samples[at], atol=1e-6)
        np.testing.assert_allclose(
            model.sample(5, seed=3, low=LOW[at]), whole.samples[at], atol=1e-6
        )
    more = uses.super_resolve(model, LOW, 9, seed=3)
    np.testing.assert_allclose(more.samples[:, :5], whole.samples, atol=1e-6)
    other = uses.super_resolve(model, LOW, 5, seed=4)
    assert np.all(other.samples != whole.samples)


def test_many_images_go_in_parts_that_change_nothing(model, monkeypatch):
    whole = uses.super_resolve(model, LOW, 5)
    from tfvae.uses import super_resolution

    monkeypatch.setattr(super_resolution, "NUMBERS_AT_ONCE", 2 * 5 * 16)
    for one, other in zip(whole, uses.super_resolve(model, LOW, 5), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_one_sample_has_no_spread(model):
    found = uses.super_resolve(model, LOW, 1)
    assert not found.spread.any()
    np.testing.assert_allclose(found.mean, found.samples[:, 0])


def test_a_presets_model_takes_what_load_makes():
    settings = {"latent_size": 2, "network.units": (8,)}
    made = presets.model("digits-super-resolution", **settings)
    _, test = tfvae.data.load("digits", low_resolution=2, binarisation="none")
    batch = next(iter(test))
    found = uses.super_resolve(made, batch["low"], 2)
    assert found.mean.shape == batch["x"].shape


@pytest.mark.parametrize(
    ("conditions", "shape"),
    [
        ({"label": Field.label(3)}, (4, 4, 1)),
        ({"low": Field((2, 2, 1)), "label": Field.label(3)}, (4, 4, 1)),
        ({"low": Field((4, 4, 1))}, (4, 4, 1)),
        ({"low": Field((3, 2, 1))}, (4, 4, 1)),
        ({"low": Field((2, 1, 1))}, (4, 4, 1)),
        ({"low": Field((2, 2, 3))}, (4, 4, 1)),
        ({"low": Field((2,))}, (4,)),
    ],
)
def test_other_conditions_are_refused(conditions, shape):
    with pytest.raises(UserError, match="whose one condition is a smaller image"):
        uses.super_resolve(conditional(conditions, shape), LOW)


def test_models_of_another_kind_are_refused():
    plain = presets.model("digits", latent_size=2, units=(8,))
    with pytest.raises(UserError, match=r"received a VAE of x .8, 8, 1. given nothing"):
        uses.super_resolve(plain, LOW)
    coder = presets.model(
        "digits", latent_size=2, units=(8,), model="autoencoder", posterior="point"
    )
    with pytest.raises(UserError, match="needs a model that generates"):
        uses.super_resolve(coder, LOW)


@pytest.mark.parametrize(
    ("low", "options", "message"),
    [
        (LOW[0], {}, r"low has rank 3 .*expected \[N, 2, 2, 1\]"),
        (np.zeros((1, 3, 2, 1), "float32"), {}, r"shape .3, 2, 1. and the model takes .2, 2, 1."),
        (LOW + 1.0, {}, r"low.*values in \[0, 1\]"),
        (LOW * np.nan, {}, "finite|NaN|nan"),
        (LOW[:0], {}, "empty"),
        (LOW, {"num_samples": 0}, "num_samples must be an integer"),
        (LOW, {"seed": 2**40}, "seed must be an int32"),
    ],
)
def test_bad_input_is_refused(model, low, options, message):
    with pytest.raises(UserError, match=message):
        uses.super_resolve(model, low, **options)


def test_a_model_that_is_not_built_says_so():
    made = tfvae.ConditionalVAE(
        Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(3)),
        Decoder(networks.MLP([8]), heads.IndependentNormal((4, 4, 1))),
        {"low": Field((2, 2, 1))},
    )
    with pytest.raises(RuntimeError, match="not built"):
        uses.super_resolve(made, LOW)


def test_block_means_are_those_of_numpy():
    from tfvae.data.low_resolution import block_means

    x = np.random.default_rng(1).random((2, 3, 6, 9, 2)).astype("float32")
    expected = x.reshape(2, 3, 2, 3, 3, 3, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(block_means(tf.constant(x), 3), expected, rtol=1e-5)
    assert block_means(tf.ones([1, 9, 9, 1]), 3).numpy().max() == 1.0
