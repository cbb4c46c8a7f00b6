"""Hierarchies of maps, and features that go on down beside z."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import tests.models.linear_levels as exact
import tfvae
from tests.conformance.cases import SHAPE, maps
from tests.evaluation.models import images
from tests.export.made import MADE
from tests.export.test_signatures import call
from tfvae import heads, networks, presets
from tfvae.errors import UserError
from tfvae.export.saved_models.export import write
from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.servables.encoder import EncoderServable
from tfvae.export.tflite_files.convert import decoder_file, encoder_file, sampler_file
from tfvae.export.tflite_files.runtime import LiteRTFile
from tfvae.models.level_maps import conv_levels
from tfvae.noise import Noise

X = images(3, SHAPE)
KINDS = (tfvae.HierarchicalVAE, tfvae.LadderVAE)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_decoder_sees_upper_levels_too(kind):
    """x = b + w z1 + c z2 + t e: log p(x) is that of a Normal, whose covariance is known."""
    model = exact.exact_model(kind, top_down_features=True)
    c = 0.1 * np.cos(np.arange(exact.PIXELS))
    kernel = model.decoder.head.projection.kernel
    assert kernel.shape == (2, exact.PIXELS)
    kernel.assign(np.stack([c, exact.W]))  # in the order of their names: above, z
    slope = exact.A * exact.W + c
    covariance = np.outer(slope, slope) + exact.S**2 * np.outer(exact.W, exact.W)
    covariance += exact.T**2 * np.eye(exact.PIXELS)
    expected = scipy.stats.multivariate_normal(exact.B, covariance).logpdf(exact.X)
    found = model.log_likelihood(exact.X, num_samples=20_000, verbose=0)
    error = 1 / np.sqrt(found.effective_sample_size)  # of the mean weight, in nats
    assert np.all(np.abs(found.per_example - expected) < 5 * error)
    assert np.abs(expected - exact.LOG_P).max() > 10 * error.max(), "else c does not matter"


@pytest.fixture(scope="module")
def model():
    made = maps()
    made.build((None, *SHAPE))
    return made


def test_features_of_the_way_up_stay_maps(model):
    features = model.encoder.features(tf.constant(X))
    assert features.shape == (3, 4, 4, 4)
    assert model.levels[0].up.features(features).shape == (3, 2, 2, 4)
    assert model.latent_sizes == {"z1": 16, "z2": 4}
    inputs = model.decoder_inputs({"z1": tf.zeros([5, 3, 16]), "z2": tf.zeros([5, 3, 4])}, {})
    assert inputs["above"].shape == (5, 3, 4, 4, 4)


def test_z2_reaches_the_decoder_past_z1(model):
    z1 = tf.ones([1, 16])
    found = [model.decode({"z1": z1, "z2": tf.fill([1, 4], value)}) for value in (0.0, 2.0)]
    assert not np.allclose(*found)


def test_statistics_of_the_way_down_move_in_training():
    made = maps()
    made.build((None, *SHAPE))
    weights = made.levels[0].down.network.non_trainable_weights
    before = [w.numpy() for w in weights]
    made({"x": tf.constant(X)})
    np.testing.assert_array_equal(weights[0], before[0])
    made({"x": tf.constant(X)}, training=True)
    assert len(weights) == 8
    assert not any(np.array_equal(a, w) for a, w in zip(before, weights, strict=True))


def test_levels_that_are_held_stay(model):
    z = model.generate(Noise(1, row=tf.range(4)))
    again = model.continued({"z2": z["z2"]}, Noise(1, row=tf.range(4)))
    for name in z:
        np.testing.assert_array_equal(again[name], z[name])
    assert model.continued(z, Noise(2, row=tf.range(4))).keys() == z.keys()


def test_served_files_and_phones_do_the_same(model, tmp_path):
    served = {}
    for servable in (EncoderServable, DecoderServable):  # of the whole model: `tests/export`
        folder = tmp_path / servable.name
        write(servable(model), folder, MADE, ())
        served[servable.name] = tf.saved_model.load(str(folder)).signatures
    codes = {name: np.asarray(code) for name, code in model.encode(X).items()}
    found = call(served["encoder"]["encode"], x=X)
    decoded = call(served["decoder"]["decode"], **codes)["probs"]
    np.testing.assert_allclose(decoded, model.decode(codes, {}), atol=1e-5)
    drawn = call(
        served["decoder"]["sample"],
        num_samples=np.array([4], "int32"),
        first=np.array([0], "int32"),
        seed=np.array([3], "int32"),
        temperature=np.array([1.0], "float32"),
    )["x"][0]
    np.testing.assert_allclose(drawn, model.sample(4, seed=3), atol=1e-5)
    encoder = LiteRTFile(encoder_file(model, "float32", None))
    decoder = LiteRTFile(decoder_file(model, "float32", {}, sampler_file(model)))
    phone = encoder.run("encode", x=X)
    for name, code in codes.items():
        np.testing.assert_allclose(found[name], code, atol=1e-5)
        np.testing.assert_allclose(phone[name], code, atol=1e-5)
    np.testing.assert_allclose(decoder.run("decode", **codes)["probs"], decoded, atol=1e-5)
    seeded = decoder.run("sample_seeded", num_samples=4, seed=3)["x"]
    np.testing.assert_allclose(seeded, drawn, atol=1e-5)


def test_sizes_follow_from_the_map_below():
    levels = conv_levels(7 * 7 * 4, (7, 7, 64), (4, 8), (16, 16), (1, 2))
    assert [level.latent_size for level in levels] == [7 * 7 * 4, 4 * 4 * 8]
    assert [level.size_below for level in levels] == [7 * 7 * 4, 7 * 7 * 4]
    assert [level.down.network.sizes for level in levels] == [[(7, 7)] * 2, [(4, 4), (7, 7)]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: conv_levels(10, (7, 7, 64)), "10 dimensions of z1 cannot be laid over maps of 7x"),
        (lambda: conv_levels(10, (200,)), r"its network makes \(200,\)\. Choose --network nvae"),
        (lambda: conv_levels(1, (1, 1, 8)), "Maps of 1x1 are too small to be halved"),
        (lambda: conv_levels(49, (7, 7, 8), channels=(1, 1, 1)), "3 channels of levels above the"),
        (lambda: conv_levels(49, (7, 7, 8), strides=(1, 3)), r"strides\[1\] must be an integer of"),
        (
            lambda: presets.model("digits-nvae", **{"network.filters": (8, 8, 8, 8)}),
            "Maps of 8x8 are too small to be halved 4 times",
        ),
        (lambda: presets.model("digits-nvae", latent_size=10), "10 dimensions of z1"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


def one_level(up_is_map, down_is_map, kind="sum"):
    """Two levels whose features go up, and come down, as vectors or as maps of 4 x 4."""
    cells = {"num_cells": 0}
    first, up = (networks.NVAEConv([4], **cells) if up_is_map else networks.MLP([4]) for _ in "ab")
    maps_down = networks.NVAEConvTranspose([4], (4, 4), **cells)
    of_map, of_vector = heads.NormalMap, heads.MultivariateNormalDiag
    head = of_map if up_is_map else of_vector
    level = tfvae.Level(
        *(up, head(4), maps_down if down_is_map else networks.MLP([4])),
        (of_map if down_is_map else of_vector)(16),
    )
    last = networks.NVAEConvTranspose([4], SHAPE[:2], **cells) if down_is_map else networks.MLP([4])
    decoder = tfvae.Decoder(last, heads.IndependentBernoulli(SHAPE))
    options = {"merge": "none", "top_down_features": True, "combine": kind}
    return tfvae.LadderVAE(tfvae.Encoder(first, head(16)), [level], decoder, **options)


@pytest.mark.parametrize(
    ("up_is_map", "message"),
    [(True, "up to z1 as a map and down to it as a vec"), (False, "as a vector and .* as a map")],
)
def test_a_vector_and_a_map_are_not_combined(up_is_map, message):
    with pytest.raises(UserError, match=message) as found:
        one_level(up_is_map, not up_is_map).build((None, *SHAPE))
    assert "\n" not in str(found.value)
    one_level(up_is_map, not up_is_map, "none").build((None, *SHAPE))


def test_everything_that_a_deep_hierarchy_may_have_at_once():
    """A run's: a constant at the top, q that sees what comes down, flows, a penalty."""
    settings = {
        "network.filters": (4,),
        "latent_size": 4 * 4,
        "levels.channels": (1,),
        "levels.filters": (4,),
        "levels.strides": (2,),
        "levels.num_flows": 1,
        "levels.top_constant": True,
        "levels.spectral_weight": 0.5,
        "levels.zero_start": True,
        "model.combine": "gated",
        "model.merge": "residual",
    }
    model = presets.model("digits-nvae", **settings)
    constants = [w for w in model.trainable_weights if w.name == "constant"]
    assert [w.path.split("/")[-2] for w in constants] == ["downward_2"]
    assert [type(h) for h in model.heads_by_level().values()] == [
        heads.NormalMap,
        heads.InverseAutoregressiveFlow,
    ]
    prior = model.priors_below(model.generate(Noise(1, row=tf.range(2))))[0]["z1"]
    np.testing.assert_array_equal(prior.mean(), 0.0)
    model.compile("adam")
    before = [w.numpy() for w in model.trainable_weights]
    x = np.round(np.random.default_rng(0).random((8, 8, 8, 1))).astype("float32")
    history = model.fit(x, batch_size=4, epochs=1, verbose=0).history
    assert history["loss"][0] > 1 - history["elbo"][0], "the penalty counts"
    still = [
        w.path
        for w, old in zip(model.trainable_weights, before, strict=True)
        if np.array_equal(w, old)
    ]
    assert still == []


def test_a_constant_is_where_the_way_down_begins():
    network = networks.NVAEConvTranspose([3], (4, 4), num_cells=0, constant=True)
    z = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    before = network(z)
    moved = np.random.default_rng(1).normal(size=network.constant_map.shape)
    assert moved.shape == (2, 2, 3)
    network.constant_map.assign(moved)
    after = network(z)
    assert not np.allclose(before, after)
    plain = networks.NVAEConvTranspose([3], (4, 4), num_cells=0)
    plain(z)
    others = [w for w in network.weights if w.name != "constant"]
    for own, its in zip(plain.weights, others, strict=True):
        own.assign(its)
    network.constant_map.assign(np.zeros(moved.shape))
    np.testing.assert_array_equal(network(z), plain(z))


def test_a_vae_of_one_level_of_maps_and_a_ladder_without_features_going_down():
    """The networks and the head are of use alone."""
    model = tfvae.VAE(
        tfvae.Encoder(networks.NVAEConv([4]), heads.NormalMap(16)),
        tfvae.Decoder(
            networks.NVAEConvTranspose([4], SHAPE[:2]), heads.IndependentBernoulli(SHAPE)
        ),
    )
    model.build((None, *SHAPE))
    assert model.sample(2, seed=1).shape == (2, *SHAPE)
    plain = maps(top_down_features=False)
    plain.build((None, *SHAPE))
    assert plain.decoder_inputs(plain.zero_code(), {}).shape == (1, 16)
