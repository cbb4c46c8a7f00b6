"""Affine coupling steps."""

import keras
import numpy as np
import tensorflow as tf

from tfvae.flows.coupling import Coupling

# Of a log-scale: a step widens or narrows by e^2 at most, so a bad batch can't overflow it.
_LIMIT = 2.0
_FARTHEST = 1.9  # where a step may start: the limit itself is reached by no finite number


@keras.saving.register_keras_serializable("tfvae")
class AffineCoupling(Coupling):
    """(a, b) -> (a, exp(s) b + t) with s, t of a network of a and the encoder's context.

        log|det df/dz| = sum s,   s = 2 tanh(network / 2)

    The step of RealNVP: stronger than `Planar` and `Radial`, and as fast backwards as forwards.

    Args:
        units: Widths of the hidden layers of the network.
        activation: Of these layers, a Keras activation.
        context_size: C, how many numbers of the encoder it takes; 0 (default) for none.
        flipped: Whether the first half moves, as in every second step.
        **kwargs: Keras layer arguments.

    Raises:
        UserError: if a size is not a positive integer.

    Example:
        >>> AffineCoupling(units=[16], context_size=4).context_numbers(6)
        4

    References:
        L. Dinh, J. Sohl-Dickstein, S. Bengio, 2016, "Density estimation using Real NVP",
        arXiv:1605.08803, eq. 7 and 8. Departure: the bound of s is 2 and is not learned.
    """

    numbers_per_entry = 2

    def start_at(self, scale: np.ndarray, shift: np.ndarray) -> None:
        """Starts near (a, b) -> (a, scale b + shift), but for what the first weights add.

        Args:
            scale: of each entry that moves, `[E]`; beyond what a step may, that much.
            shift: likewise.
        """
        smallest = np.finfo(np.float32).tiny
        log_scale = np.clip(np.log(np.maximum(scale, smallest)), -_FARTHEST, _FARTHEST)
        raw = _LIMIT * np.arctanh(log_scale / _LIMIT)
        self.network.biases[-1].assign(np.stack([raw, shift], axis=-1).ravel())

    def move(self, b: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns exp(s) b + t and s."""
        log_scale = _bounded(numbers[..., 0])
        return tf.exp(log_scale) * b + numbers[..., 1], log_scale

    def undo(self, b: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns exp(-s) (b - t) and -s."""
        log_scale = _bounded(numbers[..., 0])
        return tf.exp(-log_scale) * (b - numbers[..., 1]), -log_scale


def _bounded(numbers: tf.Tensor) -> tf.Tensor:
    return _LIMIT * tf.tanh(numbers / _LIMIT)
