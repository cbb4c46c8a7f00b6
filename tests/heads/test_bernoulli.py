"""The cheaper density against SciPy, and its gradient."""

import numpy as np
import scipy.stats
import tensorflow as tf

from tfvae.heads.bernoulli import Bernoulli


def test_log_prob_is_scipys_with_broadcasting():
    logits = np.linspace(-30, 30, 24).astype("float32").reshape(2, 3, 4)
    x = (np.arange(12).reshape(3, 4) % 2).astype("float32")
    # float64 logits: logpmf of probabilities would lose the tails.
    expected = -np.logaddexp(0.0, np.where(x == 1, -1, 1) * logits.astype("float64"))
    np.testing.assert_allclose(Bernoulli(logits=logits).log_prob(x), expected, rtol=1e-5)
    middle = scipy.stats.bernoulli.logpmf(1, scipy.special.expit(0.5))
    np.testing.assert_allclose(Bernoulli(logits=0.5).log_prob(1.0), middle, rtol=1e-6)


def test_gradient_is_x_minus_p_also_at_zero():
    logits = tf.Variable([-2.0, 0.0, 3.0])
    x = np.array([1.0, 0.0, 1.0], "float32")
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(Bernoulli(logits=logits).log_prob(x))
    expected = x - scipy.special.expit(logits.numpy())
    np.testing.assert_allclose(tape.gradient(total, logits), expected, rtol=1e-5)
