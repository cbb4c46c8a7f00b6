"""Inverse autoregressive steps."""

import keras
import tensorflow as tf

from tfvae.distributions.pushforward import Moved
from tfvae.flows.autoregressive import Autoregressive

# Of the gate's sigmoid at first: a step keeps 0.89 of z, and learns what to forget.
_OPEN = 2.0
# Of the gate: the inverse divides by it, dimension after dimension, and would overflow.
_LEAST = 0.05


@keras.saving.register_keras_serializable("tfvae")
class InverseAutoregressive(Autoregressive):
    """f(z) = sigma z + (1 - sigma) m, gated as an LSTM is, with m, sigma of MADE(z; context).

        sigma = 0.05 + 0.95 sigmoid(2 + MADE),   log|det df/dz| = sum log sigma

    Draws and their densities are one pass, so it is for posteriors; log q of a given z takes D
    passes. Stronger than a coupling of the same width: every dimension sees all before it.

    Args:
        units: Widths of the hidden layers of MADE.
        activation: Of these layers, a Keras activation.
        context_size: C, how many numbers of the encoder it takes; 0 (default) for none.
        reverse: Whether the last dimension comes first, as in every second step.
        **kwargs: Keras layer arguments.

    Raises:
        UserError: if a size is not a positive integer.

    Example:
        >>> InverseAutoregressive(units=[16], context_size=4).context_numbers(6)
        4

    References:
        D. P. Kingma et al., 2016, "Improved Variational Inference with Inverse Autoregressive
        Flow", arXiv:1606.04934, eq. 10 to 14 and algorithm 1. Departures: the context enters the
        first layer alone; the gate starts at 0.89 and is 0.05 at least.
    """

    def forward(self, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        """Returns f(z) and its log-determinant, in one pass."""
        return self.at_once(z, context)

    def inverse(self, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        """Returns f^-1(z) and its log-determinant, in D passes."""
        return self.one_by_one(z, context)

    def log_scale_and_shift(
        self, numbers: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns log sigma and (1 - sigma) m."""
        mean, raw = numbers
        gate = _LEAST + (1.0 - _LEAST) * tf.sigmoid(raw + _OPEN)
        return tf.math.log(gate), (1.0 - gate) * mean
