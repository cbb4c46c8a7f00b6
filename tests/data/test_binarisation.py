import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfvae.data.binarisation import _STEP, bernoulli, check_name, draw_batch, freeze, scale
from tfvae.data.rows import Rows

DRAWS = 20_000


def by_draw(pixels):
    return bernoulli(pixels, [3, 4])


def by_draw_batch(pixels):
    return draw_batch(pixels, 3, tf.constant(4), tf.constant(5))


def frequencies(rule, column):
    """Share of ones for each value of `column` over DRAWS independent draws."""
    bits = rule(tf.tile(tf.constant(column)[None], [DRAWS, 1])).numpy()
    assert set(np.unique(bits)) <= {0.0, 1.0}
    return bits.mean(axis=0)


@pytest.mark.parametrize("rule", [by_draw, by_draw_batch])
@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_a_bit_is_one_as_often_as_the_grey_level_says(rule, kind):
    column = np.arange(256, dtype=np.uint8)
    column = column if kind == "bytes" else (column / 255.0).astype(np.float32)
    p = np.arange(256) / 255.0
    seen = frequencies(rule, column)
    assert seen[0] == 0.0
    assert (
        seen[255] == 1.0
    )  # a byte misses by 2^-32 per draw: 5e-6 that this fails, and the seed is fixed
    z = (seen - p)[1:255] / np.sqrt(p * (1 - p) / DRAWS)[1:255]
    # Sum of 254 squared standard normals; the tails are 1e-4 on either side.
    assert stats.chi2.cdf(np.sum(z**2), 254) == pytest.approx(0.5, abs=0.4999)
    assert np.abs(z).max() < 4.8  # 1 in 2500 over 254 values


def test_the_chance_of_a_one_is_the_grey_level_less_two_to_the_minus_32_of_it():
    # A uniform 32-bit word is below the threshold t with probability t / 2^32, and
    # t / 2^32 = p / 255 (1 - 2^-32) says that 255 t = p (2^32 - 1).
    for p in range(256):
        assert 255 * (p * _STEP) == p * (2**32 - 1)


@pytest.mark.parametrize("rule", [by_draw, by_draw_batch])
def test_pixels_are_independent(rule):
    bits = rule(tf.fill([4000, 8], tf.constant(128, tf.uint8))).numpy()
    correlation = np.corrcoef(bits, rowvar=False) - np.eye(8)
    assert np.abs(correlation).max() < 5 / np.sqrt(4000)


def test_seeds_decide():
    grey = tf.fill([4, 8, 8, 1], tf.constant(100, tf.uint8))
    np.testing.assert_array_equal(bernoulli(grey, [1, 2]), bernoulli(grey, [1, 2]))
    assert np.any(bernoulli(grey, [1, 2]) != bernoulli(grey, [1, 3]))
    assert np.any(bernoulli(grey, [1, 2]) != bernoulli(grey, [2, 2]))


def test_scale():
    np.testing.assert_array_equal(
        scale(tf.constant([0, 51, 255], tf.uint8)), np.float32([0, 51 / 255, 1])
    )
    floats = tf.constant([0.0, 0.3])
    assert scale(floats) is floats


def test_freezing_draws_every_row_once():
    rows = Rows(np.full((5000, 2, 2, 1), 64, np.uint8))  # more than one chunk
    once, again, other = freeze(rows, 1), freeze(rows, 1), freeze(rows, 2)
    pixels = once.read(slice(None))
    assert set(np.unique(pixels)) == {0, 255}
    np.testing.assert_array_equal(pixels, again.read(slice(None)))
    assert np.any(pixels != other.read(slice(None)))
    assert np.any(pixels[:900] != pixels[4096:4996])  # chunks have seeds of their own
    # 20,000 draws: five standard errors are 0.0153.
    assert pixels.mean() / 255 == pytest.approx(64 / 255, abs=0.0154)


def test_unknown_binarisation():
    assert check_name("static") == "static"
    with pytest.raises(ValueError, match="'dynamik'\\. Did you mean 'dynamic'"):
        check_name("dynamik")
