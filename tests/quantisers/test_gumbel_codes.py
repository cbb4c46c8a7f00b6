"""Gumbel codes: frequencies of draws against the softmax, and the relaxation's gradient."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from tfvae.errors import UserError
from tfvae.noise import training_noise
from tfvae.quantisers import GumbelCodes

LOGITS = np.array([[1.0, -0.5, 0.3, 0.0], [2.0, 0.0, -1.0, 1.0]], "float32")
DRAWS = 20_000


def quantiser(**options):
    layer = GumbelCodes(4, 3, **options)
    layer.build((None, 2, 5))
    return layer


def noise(rows):
    return training_noise(tf.constant([3, 1], tf.int32), 1, rows)


def test_codes_are_drawn_as_often_as_the_softmax_says():
    logits = tf.constant(np.broadcast_to(LOGITS, (DRAWS, 2, 4)))
    found = quantiser().quantise(logits, noise(DRAWS), None, training=True)
    for place in range(2):
        counts = np.bincount(found.indices.numpy()[:, place], minlength=4)
        expected = DRAWS * special.softmax(LOGITS[place].astype("float64"))
        assert stats.chisquare(counts, expected).pvalue > 1e-3
    # Neighbouring places are drawn on their own.
    assert abs(np.corrcoef(found.indices.numpy().T)[0, 1]) < 0.03


def test_the_vector_is_the_codes_and_its_gradient_the_relaxations():
    layer, temperature = quantiser(temperature=0.5), 0.5
    logits, own = tf.constant(LOGITS[np.newaxis]), noise(1)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        found = layer.quantise(logits, own, None, training=True)
        total = tf.reduce_sum(found.vectors)
    codes = layer.codes.numpy().astype("float64")
    np.testing.assert_allclose(found.vectors[0], codes[found.indices.numpy()[0]], rtol=1e-6)
    uniform = own.uniform(8).numpy().reshape(1, 2, 4).astype("float64")
    soft = special.softmax((LOGITS - np.log(-np.log(uniform))) / temperature, axis=-1)
    value = codes.sum(axis=1)
    mean = (soft * value).sum(axis=-1, keepdims=True)
    expected = soft * (value - mean) / temperature  # of sum_j softmax_j v_j
    np.testing.assert_allclose(tape.gradient(total, logits), expected, rtol=1e-4, atol=1e-6)


def test_the_term_is_the_kl_to_the_uniform_and_evaluation_takes_the_likeliest():
    found = quantiser().quantise(tf.constant(LOGITS[np.newaxis]), None, None, training=False)
    q = special.softmax(LOGITS.astype("float64"), axis=-1)
    expected = sum(stats.entropy(row, np.full(4, 0.25)) for row in q)
    np.testing.assert_allclose(found.terms["code_kl"], [expected], rtol=1e-5)
    np.testing.assert_array_equal(found.indices, [[0, 0]])


def test_bad_arguments_are_refused():
    with pytest.raises(UserError, match="temperature must be a finite number above 0"):
        GumbelCodes(temperature=0.0)
    with pytest.raises(UserError, match="kl_weight must be a finite number of at least 0"):
        GumbelCodes(kl_weight=-1.0)
