"""Finite scalar quantisation: against the formula, enumerated by hand."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfvae.errors import UserError
from tfvae.quantisers import FiniteScalar

RNG = np.random.default_rng(2)


def by_hand(x, levels):
    """The formula in float64, entry by entry: levels, vector and index of numbers `[D]`."""
    whole, index, step = [], 0, 1
    for number, level in zip(x, levels, strict=True):
        half = (level - 1) * (1 + 1e-3) / 2
        offset = 0.5 if level % 2 == 0 else 0.0
        z = np.round(np.tanh(number + np.arctanh(offset / half)) * half - offset)
        whole.append(z)
        index += (z + level // 2) * step
        step *= level
    return whole, [z / (level // 2) for z, level in zip(whole, levels, strict=True)], index


@pytest.mark.parametrize("levels", [(8, 5, 5, 5), (4, 3), (7, 4, 3)])
def test_codes_are_those_of_the_formula(levels):
    inputs = RNG.normal(scale=2.0, size=(50, 3, len(levels))).astype("float32")
    layer = FiniteScalar(levels)
    found = layer.quantise(tf.constant(inputs), None, None, training=False)
    for x, vector, index in zip(
        inputs.reshape(-1, len(levels)),
        found.vectors.numpy().reshape(-1, len(levels)),
        found.indices.numpy().reshape(-1),
        strict=True,
    ):
        _, expected, code = by_hand(x.astype("float64"), levels)
        np.testing.assert_allclose(vector, expected, atol=1e-6)
        assert index == code
    assert found.terms == {}
    np.testing.assert_allclose(layer.lookup(found.indices), found.vectors, atol=1e-6)


def test_every_code_is_one_combination_of_levels():
    layer = FiniteScalar((4, 3, 5))
    assert (layer.num_codes, layer.vector_size) == (60, 3)
    vectors = layer.lookup(np.arange(60)).numpy()
    axes = [np.arange(level) - level // 2 for level in (4, 3, 5)]
    # The first dimension runs fastest.
    expected = [np.array(z[::-1]) / [2, 1, 2] for z in itertools.product(*axes[::-1])]
    np.testing.assert_allclose(vectors, expected, atol=1e-7)


def test_zero_is_a_level_itself():
    levels = np.arange(3, 11)
    found = FiniteScalar(levels.tolist()).bounded(tf.zeros(len(levels)))
    np.testing.assert_allclose(found, np.zeros(len(levels)), atol=1e-6)


def test_a_code_book_too_large_for_a_table_finds_the_same():
    """Of 65,537 codes and more the vectors are computed, of fewer they are looked up."""
    large, small = FiniteScalar((41, 41, 41)), FiniteScalar((41, 41))
    codes = np.arange(0, 41 * 41, 7)
    np.testing.assert_array_equal(large.lookup(codes)[:, :2], small.lookup(codes))
    np.testing.assert_array_equal(large.lookup(codes)[:, 2], -1.0)


def test_small_features_leave_the_middle_level_as_large_ones_do():
    """Of all in the middle level the vectors are 0, and so is a decoder's gradient."""
    features = RNG.normal(size=(20, 4, 4, 32)).astype("float32")
    layer = FiniteScalar((3, 3))
    found = layer(0.1 * features)
    for size in (1.0, 50.0):
        np.testing.assert_allclose(layer(size * features).vectors, found.vectors, atol=1e-6)
    assert np.bincount(found.indices.numpy().ravel(), minlength=9).min() > 5
    # As the formula says, of features of mean square 1.
    unit = features / np.sqrt(np.mean(features**2, axis=(1, 2, 3), keepdims=True))
    x = layer.projection(unit)
    np.testing.assert_array_equal(layer.quantise(x, None, None, False).indices, found.indices)
    np.testing.assert_array_equal(layer(0.0 * features).vectors, 0.0)


def test_far_inputs_reach_the_outermost_levels_and_no_further():
    layer = FiniteScalar((8, 5))
    found = layer.quantise(tf.constant([[-50.0, -50.0], [50.0, 50.0]]), None, None, False)
    np.testing.assert_allclose(found.vectors, [[-1.0, -1.0], [0.75, 1.0]], atol=1e-6)
    np.testing.assert_array_equal(found.indices, [0, 39])


def test_the_gradient_is_that_of_the_bound():
    layer, x = FiniteScalar((5, 3)), tf.constant(RNG.normal(size=(4, 2)).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(layer.quantise(x, None, None, training=True).vectors)
    half = np.array([4, 2]) * (1 + 1e-3) / 2
    expected = half * (1 - np.tanh(x.numpy().astype("float64")) ** 2) / [2, 1]
    np.testing.assert_allclose(tape.gradient(total, x), expected, rtol=1e-5)


def test_bad_levels_are_refused():
    with pytest.raises(UserError, match=r"levels\[1\] must be an integer of at least 3"):
        FiniteScalar((3, 2))
    with pytest.raises(UserError, match="make 1,073,741,824 codes; expected at most 16,777,216"):
        FiniteScalar((1024, 1024, 1024))
