"""VQ-VAE-2: levels of codes, the bound and its parts, what each level learns, refusals."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import tfvae
from tests.models.level_codes import CODES, SHAPE, vq_vae_2
from tfvae import networks, quantisers
from tfvae.data import arrays
from tfvae.errors import UserError, UserTypeError
from tfvae.noise import Noise

BATCH = 32
X = (arrays("digits_canvases").test["x"][:80, ::2, ::2] > 127).astype("float32")
EVERY = 20  # codes of an example: 4 x 4 and 2 x 2


@pytest.fixture(scope="module")
def trained():
    """A model, and what was logged of two epochs of three batches, the last of them smaller."""
    keras.utils.set_random_seed(0)
    model = vq_vae_2()
    model.compile("adam")
    return model, model.fit(X, batch_size=BATCH, epochs=2, verbose=0).history


def test_a_first_batch_of_too_few_vectors_for_a_level_is_refused():
    """Sixteen places of the bottom and four of the top, and six codes of each."""
    model = vq_vae_2(lambda **named: quantisers.VectorQuantised(6, 3, **named))
    model.build((None, *SHAPE))
    assert model.asks_for_first_batch
    model.check_first_batch(2)
    with pytest.raises(UserError, match="4 vectors"):
        model.check_first_batch(1)


def test_the_bound_is_that_of_the_codes_of_both_levels_under_a_uniform_prior(trained):
    model, _ = trained
    logged = model.evaluate(X, batch_size=BATCH, verbose=0, return_dict=True)
    codes = model.encode(X)
    assert codes.shape == (80, EVERY)
    assert codes.dtype == np.int32
    probabilities = model.decode(codes).numpy().astype("float64")
    nll = -stats.bernoulli.logpmf(X, probabilities).sum(axis=(1, 2, 3))
    assert logged["nll"] == pytest.approx(nll.mean(), rel=1e-5)
    assert logged["kl"] == pytest.approx(EVERY * math.log(CODES), rel=1e-6)
    assert logged["elbo"] == pytest.approx(-logged["nll"] - logged["kl"], rel=1e-6)
    commitments = logged["commitment"] + logged["commitment_2"]
    assert logged["loss"] == pytest.approx(logged["nll"] + 0.25 * commitments, rel=1e-5)


def test_perplexities_are_those_of_each_level(trained):
    model, _ = trained
    logged = model.evaluate(X, batch_size=BATCH, verbose=0, return_dict=True)
    codes = model.encode(X)
    for name, own in (("perplexity_2", codes[:, :4]), ("perplexity", codes[:, 4:])):
        counts = np.bincount(own.ravel(), minlength=CODES)
        assert logged[name] == pytest.approx(np.exp(stats.entropy(counts)), rel=1e-5)


def test_maps_are_the_row_laid_out_the_top_first(trained):
    maps = trained[0].maps(np.arange(EVERY, dtype="int32")[np.newaxis])
    assert list(maps) == ["z2", "z1"]
    np.testing.assert_array_equal(maps["z2"][0], [[0, 1], [2, 3]])
    np.testing.assert_array_equal(maps["z1"][0], np.arange(4, 20).reshape(4, 4))


def test_codes_of_each_level_are_the_nearest_of_its_code_book(trained):
    """Of what its projection makes, in NumPy; the bottom is given the top's decoded vectors."""
    model, _ = trained
    level = model.levels[0]
    maps = {name: np.asarray(z) for name, z in model.maps(model.encode(X)).items()}
    features = model.network(X).numpy()
    up = level.upward(features).numpy()
    top = nearest(up, level.quantiser)
    np.testing.assert_array_equal(maps["z2"], top)
    above = level.downward(level.quantiser.codes.numpy()[top]).numpy()
    joined = np.concatenate([features, above], axis=-1)
    bottom = nearest(joined, model.quantiser)
    np.testing.assert_array_equal(maps["z1"], bottom)
    vectors = np.concatenate([model.quantiser.codes.numpy()[bottom], above], axis=-1)
    np.testing.assert_allclose(model.lookup(model.encode(X)), vectors, atol=1e-5)


def nearest(features, quantiser):
    kernel, bias = (w.numpy().astype("float64") for w in quantiser.projection.weights)
    inputs = features.astype("float64") @ kernel + bias
    distances = np.square(inputs[..., np.newaxis, :] - quantiser.codes.numpy()).sum(-1)
    return distances.argmin(-1)


def test_the_decoder_sees_both_levels(trained):
    model, _ = trained
    codes = model.encode(X[:1])
    plain = model.decode(codes).numpy()
    for place in (0, EVERY - 1):  # of the top, and of the bottom
        changed = [np.array(codes) for _ in range(CODES)]
        for code, row in enumerate(changed):
            row[0, place] = code
        found = [np.abs(model.decode(row).numpy() - plain).max() for row in changed]
        assert max(found) > 1e-4, place


def test_every_weight_learns_and_each_level_has_its_own_moving_averages():
    keras.utils.set_random_seed(0)
    model = vq_vae_2()
    model.build((None, *SHAPE))
    model.compile("adam")
    before = [weight.numpy() for weight in model.trainable_weights]
    model.fit(X, batch_size=40, verbose=0)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path
    books = [quantiser.codes.numpy() for quantiser in model.quantisers]
    assert len(books) == 2
    assert not np.allclose(*books)
    for quantiser, places in zip(model.quantisers, (16, 4), strict=True):
        assert np.sum(quantiser.counts) == pytest.approx(40 * places, rel=1e-4)


def test_code_books_go_on_bit_for_bit_after_a_reload(trained, tmp_path):
    model, _ = trained
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    states = []
    for one in (model, loaded):
        one.fit(X, batch_size=BATCH, verbose=0)
        states.append([w.numpy() for w in one.weights])
    assert len(states[0]) == len(states[1])
    for mine, theirs in zip(*states, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(model.encode(X), loaded.encode(X))


@pytest.mark.parametrize(
    "make",
    [
        lambda **named: quantisers.FiniteScalar((5, 4), **named),
        lambda **named: quantisers.GumbelCodes(CODES, 3, **named),
    ],
    ids=["fsq", "gumbel"],
)
def test_other_quantisers_are_trained_and_saved(make, tmp_path):
    keras.utils.set_random_seed(0)
    model = vq_vae_2(make)
    model.compile("adam")
    model.fit(X, batch_size=40, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.encode(X), model.encode(X))
    fits = [one.fit(X, batch_size=40, verbose=0).history for one in (model, loaded)]
    assert fits[0] == fits[1]


def test_levels_draw_noise_of_their_own():
    """Of equal features the Gumbel codes of two levels would else be equal."""
    model = vq_vae_2(lambda **named: quantisers.GumbelCodes(CODES, 3, **named))
    model.build((None, *SHAPE))
    for quantiser in model.quantisers:  # uniform logits: the noise alone decides
        for weight in quantiser.projection.weights:
            weight.assign(tf.zeros_like(weight))
    maps = model.maps(model.quantised({"x": tf.constant(X)}, training=True).indices)
    top, bottom = (np.asarray(maps[name]).reshape(80, -1)[:, :4] for name in ("z2", "z1"))
    assert np.mean(top == bottom) < 0.3  # 1/6 by chance


def test_three_levels(tmp_path):
    keras.utils.set_random_seed(0)
    model = vq_vae_2(depth=2, side=16)
    model.build((None, *SHAPE))
    assert model.map_sizes == {"z1": (4, 4), "z2": (2, 2), "z3": (1, 1)}
    assert model.code_shape == (21,)
    model.compile("adam")
    logged = model.fit(X, batch_size=40, verbose=0).history
    assert {"commitment", "commitment_2", "commitment_3", "perplexity_3"} <= set(logged)
    codes = model.encode(X)
    np.testing.assert_allclose(model.reconstruct(X), model.decode(codes), atol=1e-6)


def test_samples_are_of_uniform_codes_and_of_the_noise_alone(trained):
    model, _ = trained
    codes = model.generate(Noise(3, row=tf.range(3000)), {})
    assert codes.shape == (3000, EVERY)
    assert stats.chisquare(np.bincount(codes.numpy().ravel(), minlength=CODES)).pvalue > 1e-3
    np.testing.assert_allclose(model.sample(2, seed=3), model.decode(codes[:2]), atol=1e-6)


def test_codes_may_have_any_leading_axes(trained):
    model, _ = trained
    codes = model.encode(X[:6])
    folded = model.decode(codes.reshape(2, 3, EVERY))
    np.testing.assert_allclose(folded, tf.reshape(model.decode(codes), [2, 3, *SHAPE]), atol=1e-6)


@pytest.mark.parametrize(
    ("codes", "error", "said"),
    [
        (np.full((1, EVERY), CODES), UserError, f"from 0 to {CODES - 1}; received values between"),
        (np.zeros((1, 19), int), UserError, r"shape \[\.\.\., 20\]; received \(1, 19\)"),
        (np.zeros((1, EVERY)), UserTypeError, "whole numbers .int32.; received float64"),
    ],
)
def test_codes_that_are_none_are_refused_in_one_line(trained, codes, error, said):
    with pytest.raises(error, match=said):
        trained[0].decode(codes)


def test_levels_that_are_none_are_refused():
    parts = dict(zip(("network", "quantiser", "decoder"), model_parts(), strict=True))
    with pytest.raises(UserError, match=r"levels is empty, .* use tfvae\.VQVAE"):
        tfvae.VQVAE2(**parts, levels=[])
    with pytest.raises(UserTypeError, match=r"levels must be a list of tfvae\.models\.CodeLevel"):
        tfvae.VQVAE2(**parts, levels=[networks.MLP([3])])
    other = tfvae.CodeLevel(
        networks.ResidualConv([5]),
        quantisers.VectorQuantised(CODES + 1, 3),
        networks.ResidualConvTranspose([5], (4, 4)),
    )
    with pytest.raises(UserError, match="Level 2 has 7 codes, and the first has 6"):
        tfvae.VQVAE2(**parts, levels=[other])


def model_parts():
    model = vq_vae_2()
    return model.network, model.quantiser, model.decoder


@pytest.mark.parametrize(
    ("upward", "downward", "said"),
    [
        ([5, 5], (4, 4), "Level 2 makes maps of 1x1 of those of 4x4; expected half the height"),
        ([5], (2, 2), r"received maps of \(2, 2\)"),
        ([5], (3, 3), "Level 2 comes down as maps .*; expected 4x4, the size of the level below"),
    ],
)
def test_maps_that_do_not_meet_are_refused_when_it_is_built(upward, downward, said):
    level = tfvae.CodeLevel(
        networks.ResidualConv(upward),
        quantisers.VectorQuantised(CODES, 3),
        networks.ResidualConvTranspose([5], downward),
    )
    model = tfvae.VQVAE2(*model_parts(), [level])
    with pytest.raises(UserError, match=said):
        model.build((None, *SHAPE))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"levels.filters": (8,) * 4}, r"a map of 8x8, which can't be halved 4 times"),
        ({"dataset": "digits", "network.filters": (8, 8, 8)}, "a map of 1x1, which can't"),
        ({"network": "mlp"}, r"Choose --network residual"),
    ],
)
def test_a_run_whose_levels_do_not_divide_the_image_is_refused(changes, said):
    with pytest.raises(UserError, match=said):
        tfvae.presets.model("digits-vq-vae-2", **changes)
