"""An objective that holds draws of q against draws of the prior, whatever prior that is."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.objectives import Nats, Objective


@keras.saving.register_keras_serializable("stranger")
class Discrepancy(Objective):
    """loss = -ELBO + mmd_weight MMD^2(q(z), p(z)), between the batch's z_i ~ q(z|x_i) and p_i ~ p(z).

        MMD^2 = mean_{i != j} k(z_i, z_j) + mean_{i != j} k(p_i, p_j) - 2 mean_{i, j} k(z_i, p_j)

    with k(a, b) = exp(-|a - b|^2 / D): unbiased, it may be below 0 (S. Zhao et al., arXiv:1706.02262).

    Args:
        mmd_weight: At least 0.
        **kwargs: Keras layer arguments.
    """  # noqa: E501

    def __init__(self, mmd_weight: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mmd_weight = mmd_weight
        self.add_term_weight("mmd", mmd_weight)

    @property
    def names(self):
        return ("elbo", "nll", "kl", "mmd")

    def nats(self, inference):
        draws = inference.draw(1)
        nll, kl = draws.nll, draws.log_ratio[0]
        q, p = flat(draws.z), flat(inference.draw_prior(1))
        mmd = off_diagonal(kernel(q, q)) + off_diagonal(kernel(p, p))
        terms = {"nll": nll, "kl": kl, "mmd": mmd - 2.0 * tf.reduce_mean(kernel(q, p))}
        return Nats(terms, draws.reconstruction, {"elbo": -nll - kl})

    def get_config(self):
        return {**super().get_config(), "mmd_weight": self.mmd_weight}


def flat(z):
    """One draw of every level, `[B, D]` in all."""
    levels = [tf.reshape(level[0], [tf.shape(level)[1], -1]) for level in tf.nest.flatten(z)]
    return tf.concat(levels, axis=1)


def kernel(a, b):
    squares = tf.reduce_sum(tf.square(a[:, tf.newaxis] - b), axis=-1)
    return tf.exp(-squares / tf.cast(tf.shape(a)[1], tf.float32))


def off_diagonal(pairs):
    rows = tf.cast(tf.shape(pairs)[0], tf.float32)
    total = tf.reduce_sum(pairs) - tf.linalg.trace(pairs)
    return total / tf.maximum(rows * (rows - 1.0), 1.0)
