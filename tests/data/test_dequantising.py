"""Uniform noise on levels: what it is, and densities of it beside probabilities of levels."""

import math

import numpy as np
import pytest
import scipy.stats

from tfvae import VAE, Decoder, Encoder, heads, networks, presets
from tfvae.data import arrays, at_epoch, load, log_jacobian, mean, num_levels
from tfvae.data.dequantising import dequantised
from tfvae.runs.datasets import load_data
from tfvae.runs.measuring import measure, table
from tfvae.training.resident import ResidentData

LEVELS = 17  # of the digits


def rows_of(dataset):
    return np.concatenate(list(dataset.as_numpy_iterator()))


def held_out_levels():
    return np.rint(arrays("digits").test["x"] * 16)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_level_is_spread_over_its_share(dtype):
    levels = np.arange(256).repeat(400)[:, None]
    values = levels.astype("uint8") if dtype == "uint8" else (levels / 255).astype("float32")
    y = dequantised(values, 256, 3, 4, np.arange(len(values))).numpy()
    assert 0.0 < y.min() < y.max() <= 1.0
    noise = y * 256 - levels
    assert noise.min() >= 0.0
    assert noise.max() <= 1.0
    # 1e-3 that a test of uniform noise fails, and the seed is fixed.
    assert scipy.stats.kstest(noise[:, 0], "uniform").pvalue > 1e-3


def test_noise_is_of_seed_epoch_row_and_pixel():
    values = np.zeros((500, 6), "uint8")
    rows = np.arange(500)
    once = dequantised(values, 256, 3, 4, rows).numpy()
    assert len(np.unique(once)) > 0.99 * once.size
    correlation = np.corrcoef(once, rowvar=False) - np.eye(6)
    assert np.abs(correlation).max() < 5 / math.sqrt(500)
    np.testing.assert_array_equal(once[7:9], dequantised(values[7:9], 256, 3, 4, rows[7:9]))
    for seed, epoch in ((2, 4), (3, 5)):
        assert np.all(once != dequantised(values, 256, seed, epoch, rows).numpy())


def test_epochs_have_fresh_noise_and_held_out_images_have_it_once():
    train, test = load("digits", batch_size=100, dequantise=LEVELS, seed=5)
    _, other = load("digits", batch_size=64, dequantise=LEVELS, seed=6)
    y = rows_of(test)
    np.testing.assert_array_equal(y, rows_of(test))
    np.testing.assert_array_equal(y, rows_of(other))
    np.testing.assert_array_equal(np.floor(y * LEVELS), held_out_levels())
    first, second = rows_of(train), rows_of(train)
    assert len(np.intersect1d(first, second)) < 0.01 * first.size
    np.testing.assert_array_equal(first, rows_of(at_epoch(train, 0)))
    assert num_levels(train) == num_levels(test) == LEVELS
    assert num_levels(load("digits")[0]) is num_levels(train.take(1)) is None
    # Of 1,438 images: three standard errors of the noise are 3 / (17 sqrt(12) sqrt(1438)).
    np.testing.assert_allclose(mean(train), first.mean(axis=0), atol=0.00134)


def test_the_device_makes_the_same_batches():
    train, _ = load("digits", batch_size=100, dequantise=LEVELS)
    resident = next(iter(ResidentData(train.recipe))).numpy()
    np.testing.assert_array_equal(resident, next(iter(at_epoch(train, 0))).numpy())
    other = load("digits", batch_size=100, binarisation="none")[0]
    assert ResidentData(train.recipe).key != ResidentData(other.recipe).key


def model_without_z(head):
    vae = VAE(
        Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(1)),
        Decoder(networks.MLP([4]), head),
    )
    vae.build((None, 8, 8, 1))
    projection = vae.decoder.head.projection
    projection.set_weights([np.zeros_like(w) for w in projection.get_weights()])
    return vae


def test_a_uniform_density_needs_the_bits_of_a_level():
    """p(y) = 1 on [0, 1]: each of 17 levels has the probability 1 / 17, and the bound is tight."""
    vae = model_without_z(heads.ContinuousBernoulli((8, 8, 1)))
    _, test = load("digits", dequantise=LEVELS)
    found = measure(vae, test, eval_samples=4)
    assert -found["nll"] == pytest.approx(-64 * math.log(17), rel=1e-6)
    # log p(x) of a model that ignores z is that of the likelihood, whatever is drawn.
    draws = measure(vae, test, eval_samples=500)
    assert draws["bits_per_dimension"] == pytest.approx(math.log2(17), rel=1e-4)
    bits = f"{draws['bits_per_dimension']:.3f}"
    assert f"bits      {bits} a dimension at most: 17 levels, dequantised" in table(
        {"first": draws}
    )


def test_a_normal_density_bounds_the_probability_of_its_levels():
    """Both from SciPy: the density at the held-out values, and the mass of each level's share."""
    vae = model_without_z(heads.IndependentNormal((8, 8, 1), scale=0.1))
    _, test = load("digits", dequantise=LEVELS)
    found = measure(vae, test, eval_samples=4)
    density = scipy.stats.norm.logpdf(rows_of(test), 0.0, 0.1) - math.log(LEVELS)
    own = density.sum(axis=(1, 2, 3)).mean()
    assert log_jacobian(test) == pytest.approx(-64 * math.log(LEVELS))
    assert -found["nll"] == pytest.approx(own, rel=1e-5)
    k = held_out_levels()
    normal = scipy.stats.norm(0.0, 0.1)
    mass = np.log(normal.sf(k / LEVELS) - normal.sf((k + 1) / LEVELS))
    # -(width of a level)^2 / (24 scale^2) an entry, and more where the density bends.
    gap = mass.sum(axis=(1, 2, 3)).mean() - own
    assert 64 * (1 / LEVELS) ** 2 / (24 * 0.1**2) < gap < 64


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("digits", {"dequantise": 16}, r"x of digits has .* expected multiples of 1/15"),
        ("digits", {"dequantise": 1}, "dequantise is 1; expected 2 or more"),
        ("digits", {"dequantise": True}, "dequantise is True .bool.; expected a whole number"),
        ("digits", {"dequantise": 17, "binarisation": "dynamic"}, "makes bits of them"),
        ("wine", {"dequantise": 17}, r"for pixels in \[0, 1\], and of wine x has finite values"),
        ("digits", {"dequantise": 17, "fields": ("label",)}, "no column x is loaded"),
    ],
)
def test_what_has_no_such_levels_is_refused(name, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        load(name, **options)


def test_likelihoods_of_levels_are_refused():
    vae = model_without_z(heads.Categorical((8, 8, 1), num_levels=LEVELS))
    vae.compile("sgd")
    train, _ = load("digits", dequantise=LEVELS)
    with pytest.raises(ValueError, match="x is dequantised, between its levels; expected multip"):
        vae.fit(train, verbose=0)
    settings = presets.get("digits", dequantise=LEVELS, likelihood="bernoulli")
    with pytest.raises(ValueError, match="--likelihood bernoulli is of whole numbers"):
        load_data(settings)


def test_a_run_of_levels_takes_a_density_unless_it_is_told():
    found = presets.get("digits", dequantise=LEVELS)
    assert (found["binarisation"], found["likelihood"]) == ("none", "normal")
