"""The statistics that the counter-based generator must have.

Every draw here is a fixed function of its arguments, so a threshold that holds once holds for ever.
"""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tfvae import random

MILLION = 1_000_000


def test_a_million_words_and_normals_without_repeat_or_non_finite():
    """Words: a bijection of the position, so 2^32 differ. Independent words would repeat 116 times.

    Single float32 normals must repeat (birthdays among 2^24 or so values); two-dimensional latents,
    with about 2^50 values, repeat with probability below 1e-3 for an ideal generator.
    """
    assert len(np.unique(random.bits((MILLION,), seed=2024))) == MILLION
    latents = random.normal((MILLION, 2), seed=2024).numpy()
    assert np.isfinite(latents).all()
    assert len(np.unique(latents.view(np.uint64))) == MILLION
    numbers = random.uniform((MILLION,), seed=2024).numpy()
    assert 0 < numbers.min() < 5e-6
    assert 1 - 5e-6 < numbers.max() < 1


@pytest.mark.parametrize("word", [0, 2**32 - 1])
def test_extreme_words_give_finite_normals_and_open_uniforms(word):
    words = tf.constant([word], tf.uint32)
    exponential = random._exponential(words).numpy()[0]
    np.testing.assert_allclose(exponential, -np.log((word + 0.5) / 2**32), rtol=1e-6)
    assert 0 < random.uniforms_of(words).numpy()[0] < 1


def test_moments_of_a_million():
    """Each within 4.5 standard errors of its exact value."""
    normals = random.normal((MILLION,), seed=11).numpy().astype(np.float64)
    for power, moment, variance in [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)]:
        error = abs(np.mean(normals**power) - moment)
        assert error < 4.5 * np.sqrt(variance / MILLION), f"moment {power}"
    uniforms = random.uniform((MILLION,), seed=11).numpy().astype(np.float64)
    assert abs(np.mean(uniforms) - 1 / 2) < 4.5 * np.sqrt(1 / 12 / MILLION)
    assert abs(np.var(uniforms) - 1 / 12) < 4.5 * np.sqrt(1 / 180 / MILLION)


@pytest.mark.parametrize(("draw", "law"), [(random.uniform, "uniform"), (random.normal, "norm")])
def test_kolmogorov_smirnov(draw, law):
    """The p-values over 60 neighbouring seeds are themselves uniform; a million pass as well."""
    p_values = [scipy.stats.kstest(draw((5000,), seed), law).pvalue for seed in range(60)]
    assert scipy.stats.kstest(p_values, "uniform").pvalue > 1e-3
    assert scipy.stats.kstest(draw((MILLION,), 5), law).pvalue > 1e-3


def correlations_are_chance(columns, pairs=None):
    """Correlations of independent columns are below 5 / sqrt(n); their squares average 1 / n."""
    first, second = pairs or np.triu_indices(columns.shape[1], 1)
    correlations = np.corrcoef(columns, rowvar=False)[first, second]
    assert np.abs(correlations).max() < 5 / np.sqrt(len(columns))
    chi_square = len(columns) * np.sum(correlations**2)
    assert abs(chi_square - len(first)) < 4.5 * np.sqrt(2 * len(first))


@pytest.mark.parametrize("draw", [random.uniform, random.normal])
@pytest.mark.parametrize("power", [1, 2])
def test_dimensions_seeds_streams_and_positions_are_uncorrelated(draw, power):
    def columns(*draws):
        centred = np.stack(draws, axis=1).astype(np.float64) - (draw is random.uniform) / 2
        return centred**power

    rows, around = 20_000, range(-16, 16)
    correlations_are_chance(columns(*draw((rows, 50), seed=3).numpy().T))
    correlations_are_chance(columns(*[draw((rows,), seed) for seed in around]))
    correlations_are_chance(columns(*[draw((rows,), 3, stream) for stream in around]))
    line = draw((rows + 63,), seed=4).numpy()
    by_lag = columns(*[line[lag : lag + rows] for lag in range(64)])
    correlations_are_chance(by_lag, pairs=(np.zeros(63, int), np.arange(1, 64)))


@pytest.mark.parametrize("changed", ["seed", "stream", "position"])
def test_changing_one_bit_changes_every_output_bit_half_of_the_time(changed):
    """Avalanche: each of 32 output bits is a fair coin, whichever input bit changes."""
    rows = 2**16
    words = random.bits((rows,), seed=77, stream=5).numpy()
    for bit in range(16 if changed == "position" else 32):
        flip = (1 << bit) - (2**32 if bit == 31 else 0)
        if changed == "position":
            other = words[np.arange(rows) ^ flip]
        elif changed == "seed":
            other = random.bits((rows,), 77 ^ flip, 5).numpy()
        else:
            other = random.bits((rows,), 77, 5 ^ flip).numpy()
        flipped = np.unpackbits((words ^ other).view(np.uint8).reshape(rows, 4), axis=1).mean(0)
        # Half of the pairs of positions are the other half again: 2^15 tries.
        assert np.abs(flipped - 0.5).max() < 5 * 0.5 / np.sqrt(rows / 2), f"bit {bit}"


def test_byte_frequencies_and_serial_pairs():
    """Chi-square over 256 bytes and over 65,536 pairs of neighbouring bytes, for all four bytes."""
    words = random.bits((MILLION,), seed=-3).numpy().view(np.uint8).reshape(-1, 4)
    for byte in range(4):
        column = words[:, byte].astype(np.int64)
        assert scipy.stats.chisquare(np.bincount(column, minlength=256)).pvalue > 1e-3
        pairs = np.bincount(column[::2] * 256 + column[1::2], minlength=65536)
        assert 1e-3 < scipy.stats.chisquare(pairs).pvalue < 1 - 1e-3
