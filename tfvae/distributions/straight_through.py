"""Hard values whose gradient is that of soft ones."""

import tensorflow as tf


def rounded(hard: tf.Tensor, soft: tf.Tensor) -> tf.Tensor:
    """Returns `hard`, exactly, with the gradient of `soft`.

    References:
        Y. Bengio, N. Leonard, A. Courville, 2013, "Estimating or Propagating Gradients Through
        Stochastic Neurons", arXiv:1308.3432, section 4.
    """

    @tf.custom_gradient
    def passed(hard: tf.Tensor, soft: tf.Tensor) -> tuple:
        return tf.identity(hard), lambda upstream: (tf.zeros_like(upstream), upstream)

    return passed(hard, soft)
