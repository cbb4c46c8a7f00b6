"""The running sums against NumPy in float64, with counts of their own for each row."""

import math

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from tfvae.inference.importance import importance_estimates

ROWS, MOST = 3, 23
COUNTS = np.array([1, 10, MOST], "int32")
RANDOM = np.random.default_rng(5)
LIKELIHOOD = RANDOM.normal(-100, 20, (MOST + 9, ROWS)).astype("float32")
RATIO = RANDOM.normal(30, 5, (MOST + 9, ROWS)).astype("float32")


def log_densities(first, chunk):
    return (tf.slice(tf.constant(x), [first, 0], [chunk, ROWS]) for x in (LIKELIHOOD, RATIO))


@pytest.mark.parametrize("chunk", [1, 4, 7, MOST])
@pytest.mark.parametrize("in_graph", [False, True])
def test_sums_over_chunks_are_numpys(chunk, in_graph):
    def estimate():
        return importance_estimates(
            lambda first: log_densities(first, chunk),
            tf.constant(COUNTS),
            {},  # no closed form: the KL is the draws'
            tf.constant(ROWS),
        )

    found = tf.function(estimate)() if in_graph else estimate()
    for row, count in enumerate(COUNTS):
        likelihood = LIKELIHOOD[:count, row].astype("float64")
        ratio = RATIO[:count, row].astype("float64")
        log_weights = likelihood - ratio
        log_sum = scipy.special.logsumexp(log_weights)
        effective = np.exp(2 * log_sum - scipy.special.logsumexp(2 * log_weights))
        expected = {
            "log_likelihood": log_sum - math.log(count),
            "effective_sample_size": effective,
            "nll": -likelihood.mean(),
            "kl": ratio.mean(),
        }
        for name, value in expected.items():
            assert float(found[name][row]) == pytest.approx(value, rel=1e-5), (row, name)


def test_the_kl_is_the_sum_of_the_closed_forms_where_there_are_any():
    found = importance_estimates(
        lambda first: log_densities(first, 4),
        tf.constant(8),
        {"first": tf.fill([ROWS], 2.0), "second": tf.range(3.0)},
        tf.constant(ROWS),
    )
    np.testing.assert_array_equal(found["kl"], [2.0, 3.0, 4.0])
