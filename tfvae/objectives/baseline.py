"""What a score function's learning signal is compared with."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tfvae.checks import positive_ints, real
from tfvae.networks.mlp import MLP


class Advantage(NamedTuple):
    """A learning signal against its baseline.

    Attributes:
        value: signal - C(x) - c, in the signal's shape, held constant in gradients.
        error: the squared error of C(x), `[B]`, whose gradient trains C and nothing else.
    """

    value: tf.Tensor
    error: tf.Tensor


class Baseline(keras.layers.Layer):
    """C(x) + c, a network of x and a running mean: the centred, input-dependent baseline of NVIL.

        advantage = signal - C(x) - c

    C minimises the square of that, and c follows the mean of signal - C(x).

    Neither changes the expectation of a score function's gradient, because neither depends on z;
    both lower its variance. c moves in training and rests in evaluation.

    Args:
        units: Of C's hidden layers, with tanh. Default one of 100, the paper's.
        decay: Of the running mean c, in [0, 1). Default 0.8, the paper's.
        **kwargs: Keras layer arguments.

    Shapes: examples `[B, ...]` and a signal `[S, B]` or `[B]`, nats.

    References:
        A. Mnih and K. Gregor, 2014, "Neural Variational Inference and Learning in Belief Networks",
        arXiv:1402.0030, eq. 10 and algorithm 1. Departure: the signal is not divided by its running
        deviation, which would scale the encoder's gradient and not the decoder's; Adam divides each
        weight's gradient by its own.
    """

    def __init__(self, units: Sequence[int] = (100,), decay: float = 0.8, **kwargs: Any):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.units = positive_ints("units", units)
        self.decay = real("decay", decay, minimum=0.0)
        self.hidden = MLP(self.units, "tanh", dtype=self.dtype_policy, name="hidden")
        self.last = keras.layers.Dense(1, dtype=self.dtype_policy, name="last")

    def build(self, examples_shape: Any) -> None:
        """Makes the running mean, and C for examples that are flattened."""
        self.hidden.build(examples_shape)
        self.last.build((None, self.units[-1]))
        self.center = self.add_weight(
            shape=(), initializer="zeros", trainable=False, aggregation="mean", name="center"
        )

    def call(self, examples: tf.Tensor, signal: tf.Tensor, training: bool = False) -> Advantage:
        """Returns the advantage, and moves the running mean in training.

        Args:
            examples: `[B, F]`.
            signal: `[S, B]` or `[B]`.
        """
        left = tf.stop_gradient(signal) - self.last(self.hidden(examples))[:, 0]
        value = left - tf.convert_to_tensor(self.center)
        if training:
            mean = tf.stop_gradient(tf.reduce_mean(left))
            self.center.assign(self.decay * self.center + (1.0 - self.decay) * mean)
        squared = tf.square(value)
        error = tf.reduce_mean(squared, axis=0) if signal.shape.rank == 2 else squared
        return Advantage(tf.stop_gradient(value), error)


def flat_examples(batch: dict[str, tf.Tensor]) -> tf.Tensor:
    """Returns all fields of a batch side by side, float32 `[B, F]`."""
    flat = [
        tf.cast(
            tf.reshape(
                batch[name], [tf.shape(batch[name])[0], batch[name].shape[1:].num_elements()]
            ),
            tf.float32,
        )
        for name in sorted(batch)
    ]
    return tf.concat(flat, axis=-1)
