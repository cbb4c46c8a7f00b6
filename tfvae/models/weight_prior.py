"""A prior on the weights of a model, in the nats of one example."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import real
from tfvae.errors import UserError

WEIGHTS_NLL = "weights_nll"
MODE, MEAN_FIELD = "mode", "mean_field"


def checked_scale(scale: Any, posterior: str) -> float | None:
    """Returns a prior's scale, if it and what is sought of the posterior go together.

    Raises:
        UserError: for a scale that is not above 0, an unknown posterior, and one without a prior.
    """
    if posterior not in (MODE, MEAN_FIELD):
        raise UserError(
            f'weight_posterior must be "{MODE}" or "{MEAN_FIELD}", received {posterior!r}.'
        )
    if scale is not None:
        return real("weight_scale", scale, above=0.0)
    if posterior == MEAN_FIELD:
        raise UserError(
            'weight_posterior="mean_field" is of weights that have a prior, and weight_scale is '
            "None. Give the prior's scale, such as weight_scale=1.0."
        )
    return None


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
