"""Adam over tensors, within a compiled program."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_DECAY = (0.9, 0.999)  # of the two means
_EPSILON = 1e-8  # keeps 0 / 0 away; the variables' scale is 1


def ascended(
    objective: Callable[[Any, tf.Tensor], tf.Tensor],
    start: Any,
    num_steps: tf.Tensor,
    learning_rate: tf.Tensor,
) -> Any:
    """Returns variables that Adam has taken up an objective.

    Every entry has moments of its own, so that examples do not know of each other. Keras' Adam
    wants variables, whose number and size would be those of a batch.

    Args:
        objective: variables and the number of a step to `[B]`, each example's own.
        start: the variables, a nest of tensors.
        num_steps: int32.
        learning_rate: of step 0; it falls linearly to 0.

    References:
        D. P. Kingma and J. Ba, 2014, "Adam", arXiv:1412.6980, algorithm 1.
    """
    total = tf.cast(num_steps, tf.float32)

    def body(step: tf.Tensor, variables: Any, means: Any, squares: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            value = objective(variables, step)
        gradients = tape.gradient(
            value, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        done, (slow, slower) = tf.cast(step, tf.float32), _DECAY
        rate = learning_rate * (1.0 - done / total) / (1.0 - slow ** (done + 1.0))
        bias = 1.0 - slower ** (done + 1.0)
        each = tf.nest.map_structure
        means = each(lambda m, g: slow * m + (1.0 - slow) * g, means, gradients)
        squares = each(lambda v, g: slower * v + (1.0 - slower) * g * g, squares, gradients)
        variables = each(
            lambda x, m, v: x + rate * m / (tf.sqrt(v / bias) + _EPSILON),
            *(variables, means, squares),
        )
        return step + 1, variables, means, squares

    zeros = tf.nest.map_structure(tf.zeros_like, start)
    _, found, _, _ = tf.while_loop(
        lambda step, *_: step < num_steps,
        body,
        (tf.constant(0), start, zeros, zeros),
        parallel_iterations=1,
    )
    return found
