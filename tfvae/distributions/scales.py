"""Positive scales from unconstrained numbers."""

import math

import numpy as np
import tensorflow as tf

# Keeps log_prob and its gradient finite when an encoder becomes certain: at 1e-5 the Normal's
# log-density is at most 11.5 nats per dimension above that of N(0, 1) at its mode.
MINIMUM_SCALE = 1e-5
# softplus(SHIFT) + MINIMUM_SCALE = 1: a head whose projection is zero starts at the prior's scale.
SHIFT = math.log(math.expm1(1.0 - MINIMUM_SCALE))


def positive_diagonal(raw: tf.Tensor) -> tf.Tensor:
    """Returns softplus(raw + SHIFT) + MINIMUM_SCALE: positive, and 1 at raw = 0."""
    return tf.math.softplus(raw + SHIFT) + MINIMUM_SCALE


def raw_diagonal(scale: np.ndarray) -> np.ndarray:
    """Returns the numbers that `positive_diagonal` makes these scales of, float64.

    What is not above MINIMUM_SCALE is taken to be hardly so.
    """
    above = np.maximum(np.asarray(scale, np.float64) - MINIMUM_SCALE, 1e-12)
    return above + np.log(-np.expm1(-above)) - SHIFT
