"""Steps whose weights have moved far from where they start."""

import numpy as np
import tensorflow as tf

from tfvae import flows

SIZE, ROWS = 5, 3
NETWORK = {"units": [8, 9], "activation": "tanh"}  # smooth, for Jacobians
STEPS = {
    "householder": flows.Householder,
    "planar": flows.Planar,
    "radial": flows.Radial,
    "affine": lambda: flows.AffineCoupling(**NETWORK, context_size=4),
    "affine_flipped": lambda: flows.AffineCoupling(**NETWORK, flipped=True),
    "spline": lambda: flows.SplineCoupling(**NETWORK, context_size=4, num_bins=4),
    "spline_flipped": lambda: flows.SplineCoupling(**NETWORK, flipped=True),
    "inverse_autoregressive": lambda: flows.InverseAutoregressive(**NETWORK, context_size=4),
    "inverse_autoregressive_reversed": lambda: flows.InverseAutoregressive(**NETWORK, reverse=True),
    "masked_autoregressive": lambda: flows.MaskedAutoregressive(**NETWORK, context_size=4),
    "masked_autoregressive_reversed": lambda: flows.MaskedAutoregressive(**NETWORK, reverse=True),
}


def moved(layer, by=0.5):
    """The same layer, noise added to each weight."""
    rng = np.random.default_rng(1)
    for weight in layer.trainable_variables:
        weight.assign(weight.numpy() + by * rng.normal(size=weight.shape))
    return layer


def built(name, size=SIZE):
    """A step, and a context for `ROWS` examples; None for steps that take none."""
    step = STEPS[name]()
    step.build((None, size))
    numbers = step.context_numbers(size)
    context = np.random.default_rng(2).normal(size=(ROWS, numbers)).astype("float32")
    return moved(step), tf.constant(context) if numbers else None


def points(*leading, size=SIZE):
    """Normal numbers, twice as wide as the standard ones."""
    return tf.constant(2 * np.random.default_rng(3).normal(size=(*leading, size)), tf.float32)
