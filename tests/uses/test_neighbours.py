"""Nearest examples against scikit-learn's, and copies told from new draws."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.neighbors import NearestNeighbors

from tfvae.errors import UserError
from tfvae.uses import data_copying, nearest_examples, neighbours


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.parametrize("count", [1, 3])
def test_neighbours_are_scikit_learns(count, monkeypatch):
    monkeypatch.setattr(neighbours, "_ROWS", 7)
    samples, data = normal(0, 11, 3, 2), normal(1, 50, 3, 2)
    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(data.reshape(50, -1))
    distances, rows = search.kneighbors(samples.reshape(11, -1))
    batches = tf.data.Dataset.from_tensor_slices({"x": data}).batch(20)
    for given in (data, {"x": data}, batches):
        found = nearest_examples(samples, given, count)
        np.testing.assert_array_equal(found.rows, rows)
        np.testing.assert_allclose(found.distances, distances, rtol=1e-5)
        np.testing.assert_array_equal(found.examples, data[rows])


def test_copies_are_told_from_draws_and_from_noise():
    train, held_out = normal(0, 500, 4), normal(1, 200, 4)
    copies = train[:200] + 0.01 * normal(2, 200, 4)
    found = data_copying(copies, train, held_out)
    assert found.z < -10
    assert found.nearer > 0.95
    fresh = data_copying(normal(3, 200, 4), train, held_out)
    assert abs(fresh.z) < 3
    wide = data_copying(3 * normal(4, 200, 4), train, held_out)
    assert wide.z > 5


def test_the_statistic_is_that_of_all_pairs():
    train = np.array([[0.0]])
    found = data_copying(np.array([[1.0], [2.0], [5.0]]), train, np.array([[2.0], [3.0]]))
    # Pairs: 1 < 2, 1 < 3, 2 = 2 (half), 2 < 3, and 5 is further than both.
    assert found.nearer == pytest.approx(3.5 / 6)
    assert found.z == pytest.approx((2.5 - 3.0) / np.sqrt(6 * 6 / 12))
    np.testing.assert_array_equal(found.samples, [1.0, 2.0, 5.0])
    np.testing.assert_array_equal(found.held_out, [2.0, 3.0])


def test_bad_input_is_refused():
    with pytest.raises(UserError, match=r"samples have shape \(2,\) and examples \(3,\)"):
        nearest_examples(np.zeros((4, 2)), np.zeros((4, 3)))
    with pytest.raises(UserError, match="count is 5 and the data have 4 examples"):
        nearest_examples(np.zeros((1, 2)), np.zeros((4, 2)), 5)
