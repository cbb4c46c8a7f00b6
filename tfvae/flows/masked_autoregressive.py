"""Masked autoregressive steps."""

import keras
import tensorflow as tf

from tfvae.distributions.pushforward import Moved
from tfvae.flows.autoregressive import Autoregressive


@keras.saving.register_keras_serializable("tfvae")
class MaskedAutoregressive(Autoregressive):
    """f^-1(z) = (z - m) exp(-a), with m, a of MADE(z): each entry is Normal, given those before it.

        log|det df^-1/dz| = -sum a,   a = 3 tanh(MADE / 3)

    Densities are one pass, so it is for priors; a draw takes D passes. `InverseAutoregressive` is
    the same the other way round.

    Args:
        units: Widths of the hidden layers of MADE.
        activation: Of these layers, a Keras activation.
        context_size: C, how many numbers of the encoder it takes; 0 (default) for none.
        reverse: Whether the last dimension comes first, as in every second step.
        **kwargs: Keras layer arguments.

    Raises:
        UserError: if a size is not a positive integer.

    Example:
        >>> MaskedAutoregressive(units=[16]).context_numbers(6)
        0

    References:
        G. Papamakarios, T. Pavlakou, I. Murray, 2017, "Masked Autoregressive Flow for Density
        Estimation", arXiv:1705.07057, eq. 3 and 5. Departure: the log-scale is bounded by 3.
    """

    limit = 3.0

    def forward(self, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        """Returns f(z) and its log-determinant, in D passes."""
        return self.one_by_one(z, context)

    def inverse(self, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        """Returns f^-1(z) and its log-determinant, in one pass."""
        return self.at_once(z, context)

    def log_scale_and_shift(
        self, numbers: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns -a and -m exp(-a)."""
        log_scale = -self.limit * tf.tanh(numbers[1] / self.limit)
        return log_scale, -numbers[0] * tf.exp(log_scale)
