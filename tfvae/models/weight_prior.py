"""A prior on the weights of a model, in the nats of one example."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

WEIGHTS_NLL = "weights_nll"


def weights_nll(weights: Sequence[keras.Variable], scale: float, num_examples: Any) -> tf.Tensor:
    """Returns -log p(weights) / N, the weights' share in the loss of one of N examples.

        argmax log p(weights) + sum_n log p(x_n | weights)
            = argmin mean_n -log p(x_n | weights) - log p(weights) / N,   weights ~ N(0, s^2)

    Args:
        weights: the variables.
        scale: s, above 0.
        num_examples: N; 0, of a model that was never fitted, gives 0.
    """
    count = sum(math.prod(weight.shape) for weight in weights)
    squares = tf.add_n([tf.reduce_sum(tf.square(tf.cast(w, tf.float32))) for w in weights])
    constant = count * (math.log(scale) + 0.5 * math.log(2.0 * math.pi))
    nats = 0.5 * squares / scale**2 + constant
    return tf.math.divide_no_nan(nats, tf.cast(num_examples, tf.float32))
