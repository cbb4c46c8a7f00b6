"""Vector quantisation: against brute force, Lloyd's algorithm and scikit-learn's KMeans."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from tfvae.errors import UserError
from tfvae.noise import training_noise
from tfvae.quantisers import VectorQuantised
from tfvae.quantisers.code_book import k_means, nearest_codes

RNG = np.random.default_rng(5)
ROWS = 150
DIGITS = load_digits().data[:ROWS].reshape(-1, 16, 4) / 16.0
# Grey levels are at the same distance of two codes too often to say which is the nearest.
DIGITS = (DIGITS + 0.02 * RNG.normal(size=DIGITS.shape)).astype("float32")
POINTS = DIGITS.reshape(-1, 4)


def noise(step=0, rows=ROWS):
    return training_noise(tf.constant([3, step], tf.int32), 1, rows)


def quantiser(codes=None, num_codes=6, size=4, **options):
    """One whose projection is the identity, and whose codes are given."""
    options = {"restart_below": 0.0, "start": "normal", **options}
    layer = VectorQuantised(num_codes, size, **options)
    layer.build((None, None, size))
    layer.projection.set_weights([np.eye(size), np.zeros(size)])
    if codes is not None:
        layer.codes.assign(codes)
        if layer.sums is not None:
            layer.sums.assign(codes)
    return layer


def by_brute_force(points, codes):
    distances = np.linalg.norm(points[:, None].astype("float64") - codes[None], axis=-1)
    return np.argmin(distances, axis=1)


def inertia(points, codes):
    squares = np.sum((points[:, None].astype("float64") - codes[None]) ** 2, axis=-1)
    return np.min(squares, axis=1).sum()


def test_codes_are_the_nearest_by_brute_force():
    codes = RNG.normal(size=(6, 4)).astype("float32")
    features = RNG.normal(size=(20, 3, 4)).astype("float32")
    found = quantiser(codes)(features)
    expected = by_brute_force(features.reshape(-1, 4), codes).reshape(20, 3)
    np.testing.assert_array_equal(found.indices, expected)
    assert found.indices.dtype == tf.int32
    np.testing.assert_array_equal(found.vectors, codes[expected])
    np.testing.assert_array_equal(quantiser(codes).lookup(expected), codes[expected])
    squares = np.sum((features - codes[expected]) ** 2, axis=(1, 2))
    np.testing.assert_allclose(found.terms["commitment"], squares, rtol=1e-5)


def test_the_gradient_goes_straight_through_and_beside_it_to_the_features_alone():
    layer, features = quantiser(RNG.normal(size=(6, 4))), tf.constant(DIGITS[:3])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(features)
        found = layer.quantise(features, None, None, training=False)
        passed = tf.reduce_sum(3.0 * found.vectors)
        commitment = tf.reduce_sum(found.terms["commitment"])
    np.testing.assert_array_equal(tape.gradient(passed, features), np.full(features.shape, 3.0))
    expected = 2.0 * (features - layer.lookup(found.indices))
    np.testing.assert_allclose(tape.gradient(commitment, features), expected, rtol=1e-5)


def test_a_code_book_that_learns_by_gradient_is_pulled_to_its_vectors():
    codes = RNG.normal(size=(6, 4)).astype("float32")
    layer, features = quantiser(codes, update="codebook_loss"), tf.constant(DIGITS[:3])
    assert {w.name for w in layer.trainable_weights} == {"kernel", "bias", "codes"}
    with tf.GradientTape() as tape:
        found = layer(features, noise=noise(rows=3), training=True)
        loss = tf.reduce_sum(found.terms["codebook"]) + tf.reduce_sum(found.vectors)
    gradient = tf.convert_to_tensor(tape.gradient(loss, layer.codes.value))
    points, expected = DIGITS[:3].reshape(-1, 4), np.zeros_like(codes)
    for x, k in zip(points, by_brute_force(points, codes), strict=True):
        expected[k] += 2.0 * (codes[k] - x)  # straight-through vectors have none for the codes
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(layer.codes, codes)  # the optimizer moves them, nobody else


def test_no_memory_and_the_whole_data_are_lloyds_algorithm():
    """One step is one of scikit-learn's; repeated, they end where KMeans does from that start."""
    start = POINTS[RNG.choice(len(POINTS), 6, replace=False)]
    layer = quantiser(start, decay=0.0, epsilon=0.0)
    layer(DIGITS, noise=noise(), training=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of one iteration, no wonder
        one = KMeans(6, init=start, n_init=1, max_iter=1, algorithm="lloyd").fit(POINTS)
    indices = by_brute_force(POINTS, start)
    means = np.stack([POINTS[indices == k].mean(axis=0) for k in range(6)])
    np.testing.assert_allclose(layer.codes, means, atol=1e-5)
    np.testing.assert_allclose(one.cluster_centers_, means, atol=1e-5)
    for step in range(1, 100):
        layer(DIGITS, noise=noise(step), training=True)
    whole = KMeans(6, init=start, n_init=1, max_iter=100, tol=0.0, algorithm="lloyd").fit(POINTS)
    np.testing.assert_allclose(inertia(POINTS, layer.codes.numpy()), whole.inertia_, rtol=1e-5)
    assert inertia(POINTS, start) > 1.05 * whole.inertia_, "else the start is an end"


def test_the_moving_average_is_that_of_the_formula():
    codes = RNG.normal(size=(6, 4)).astype("float32")
    layer = quantiser(codes, decay=0.9, epsilon=0.1)
    counts, sums, expected = np.ones(6), codes.astype("float64"), codes.astype("float64")
    for step in range(3):
        batch = DIGITS[10 * step : 10 * step + 10]
        layer(batch, noise=noise(step, 10), training=True)
        points = batch.reshape(-1, 4)
        indices = by_brute_force(points, expected.astype("float32"))
        one_hot = np.eye(6)[indices]
        counts = 0.9 * counts + 0.1 * one_hot.sum(axis=0)
        sums = 0.9 * sums + 0.1 * one_hot.T @ points
        total = counts.sum()
        expected = sums / ((counts + 0.1) / (total + 0.6) * total)[:, None]
        np.testing.assert_allclose(layer.counts, counts, rtol=1e-5)
        np.testing.assert_allclose(layer.codes, expected, rtol=1e-4, atol=1e-6)


def test_codes_start_at_the_k_means_of_the_first_batch():
    layer = quantiser(num_codes=6, start="k_means", decay=1 - 1e-7)
    layer(DIGITS, noise=noise(), training=True)
    drawn = k_means(tf.constant(POINTS), 6, 0, noise()).codes.numpy()  # no iteration yet
    lloyd = KMeans(6, init=drawn, n_init=1, max_iter=10, tol=0.0, algorithm="lloyd")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = lloyd.fit(POINTS).cluster_centers_
    np.testing.assert_allclose(layer.codes, expected, atol=1e-4)
    assert inertia(POINTS, drawn) > 1.2 * inertia(POINTS, expected), "else nothing was learned"
    assert float(layer.started) == 1.0
    before = layer.codes.numpy()
    layer(np.zeros_like(DIGITS) + 7.0, noise=noise(1), training=True)
    np.testing.assert_allclose(layer.codes, before, atol=1e-3)  # it starts once


def test_a_code_book_larger_than_the_first_batch_is_refused_in_one_line():
    layer = quantiser(num_codes=64, start="k_means")
    with pytest.raises(UserError, match=r"64 codes.*first batch, which has 48 vectors\. Take larg"):
        layer(DIGITS[:3], noise=noise(rows=3), training=True)
    layer(DIGITS[:10], noise=noise(rows=10), training=True)
    layer(DIGITS[:3], noise=noise(1, 3), training=True)  # a last, smaller batch may be


def test_dead_codes_become_vectors_of_the_batch():
    codes = np.concatenate([POINTS[:4], np.full((2, 4), 50.0)]).astype("float32")
    layer = quantiser(codes, decay=0.5, restart_below=0.03)
    layer(DIGITS, noise=noise(), training=True)
    alive, dead = np.split(layer.codes.numpy(), [4])
    for code in dead:  # of counts that are 1, halved
        assert np.min(np.abs(POINTS - code).sum(axis=1)) == 0.0
    assert np.abs(alive).max() < 2.0
    counts = 0.5 + 0.5 * np.bincount(by_brute_force(POINTS, codes), minlength=6)
    assert counts[4] < 0.03 * counts.mean() < counts[:4].min()
    np.testing.assert_allclose(layer.counts, [*counts[:4], counts.mean(), counts.mean()])
    np.testing.assert_allclose(layer.sums[4:], counts.mean() * dead, rtol=1e-6)
    again = quantiser(codes, decay=0.5, restart_below=0.03)
    again(DIGITS, noise=noise(), training=True)
    np.testing.assert_array_equal(again.codes, layer.codes)
    other = quantiser(codes, decay=0.5, restart_below=0.03)
    other(DIGITS, noise=noise(step=1), training=True)
    assert np.any(other.codes.numpy()[4:] != dead), "the noise of the step draws them"


def test_a_code_book_larger_than_the_batch_is_not_thrown_away():
    """Whether a code is dead depends on how the others are used, not on how large a batch is."""
    layer = quantiser(num_codes=64, restart_below=0.03)
    codes = layer.codes.numpy()
    used = np.zeros(64, bool)
    for step in range(3):
        found = layer(DIGITS[:2], noise=noise(step, 2), training=True)  # 32 vectors
        used[found.indices.numpy().ravel()] = True
    assert used.sum() < 32
    np.testing.assert_allclose(layer.codes.numpy()[~used], codes[~used], atol=1e-5)


def test_it_rests_outside_of_training_and_where_it_is_frozen():
    layer = quantiser(num_codes=6, restart_below=0.9)
    before = layer.get_weights()
    layer(DIGITS)
    layer.trainable = False
    layer(DIGITS, noise=noise(), training=True)
    for weight, old in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_rows_that_stand_for_none_teach_nothing():
    filled = np.concatenate([DIGITS[:5], np.full((1, 16, 4), 9.0, "float32")])
    start, books = POINTS[::400], []
    for batch, rows in ((filled, 5), (DIGITS[:5], None)):
        layer = quantiser(start, decay=0.5)
        layer(batch, noise=noise(rows=len(batch)), num_rows=rows, training=True)
        books.append(layer.get_weights())
    for one, other in zip(*books, strict=True):
        np.testing.assert_array_equal(one, other)


def test_xla_finds_the_same():
    def codes(jit_compile):
        layer = quantiser(num_codes=5, start="k_means", decay=0.5, restart_below=0.9)

        @tf.function(jit_compile=jit_compile, autograph=False)
        def step(x, key):
            return layer(x, noise=training_noise(key, 1, 40), training=True).indices

        for i in range(2):
            found = step(DIGITS[40 * i : 40 * i + 40], tf.constant([3, i]))
        return layer.get_weights(), found

    (plain, indices), (compiled, same) = codes(False), codes(True)
    np.testing.assert_array_equal(indices, same)
    for one, other in zip(plain, compiled, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_batches_of_any_size_are_told_apart_in_the_step():
    """Of a data set that is batched the number of rows is only known there."""
    layer = quantiser(num_codes=64, start="k_means", restart_below=0.03)

    def step(x, key):
        rows = tf.shape(x)[0]
        return layer(x, noise=training_noise(key, 1, rows), training=True).indices

    signature = [tf.TensorSpec([None, 16, 4]), tf.TensorSpec([2], tf.int32)]
    plain = tf.function(step, signature, autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"first batch, which has .*32.*Tak"):
        plain(DIGITS[:2], tf.constant([3, 0]))
    assert float(layer.started) == 0.0
    plain(DIGITS[:10], tf.constant([3, 0]))
    codes = layer.codes.numpy()
    assert len(np.unique(codes, axis=0)) == 64
    for each in (plain, tf.function(step, signature, autograph=False, jit_compile=True)):
        each(DIGITS[:2], tf.constant([3, 1]))  # a last, smaller batch
        assert 0 < np.abs(layer.codes.numpy() - codes).max() < 0.5


def test_k_means_draws_its_start_without_repetition():
    points = tf.constant(RNG.normal(size=(9, 2)).astype("float32"))
    book = k_means(points, 9, 3, noise())
    np.testing.assert_allclose(np.sort(book.codes[:, 0]), np.sort(points[:, 0]))
    np.testing.assert_array_equal(np.sort(nearest_codes(points, book.codes)), np.arange(9))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_codes": 1}, "num_codes must be an integer of at least 2"),
        ({"vector_size": 0}, "vector_size must be an integer of at least 1"),
        ({"update": "ema"}, "update must be one of 'moving_average', 'codebook_loss', received"),
        ({"commitment_weight": -1.0}, "commitment_weight must be a finite number of at least 0"),
        ({"decay": 1.0}, r"decay must be below 1, received 1\.0"),
        ({"epsilon": -1.0}, "epsilon must be a finite number of at least 0"),
        ({"start": "zeros"}, "start must be one of 'k_means', 'normal', received 'zeros'"),
        ({"restart_below": -1.0}, "restart_below must be a finite number of at least 0"),
        ({"restart_below": 1.0}, r"restart_below is a share .* must be below 1, received 1\.0"),
    ],
)
def test_bad_arguments_are_refused(options, said):
    with pytest.raises(UserError, match=said):
        VectorQuantised(**options)


def test_features_of_no_fixed_size_are_refused():
    with pytest.raises(UserError, match="last axis has a fixed size"):
        VectorQuantised().build((None, 7, None))


def test_config_round_trip():
    layer = VectorQuantised(3, 2, decay=0.5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
