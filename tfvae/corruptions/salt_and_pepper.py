"""Entries of x that are drawn anew from its two ends."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import real
from tfvae.corruptions.base import Corruption, share, uniforms
from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.noise import Noise


@keras.saving.register_keras_serializable("tfvae")
class SaltAndPepper(Corruption):
    """x~_i = low or high, half each, with probability rate, and x_i else: in training.

    Choose it for bits, which stay bits, half of the drawn ones being what they were; of grey
    images it makes black and white pixels.

    Args:
        rate: Share of the entries that are drawn anew, in (0, 1]. Default 0.1.
        low: The pepper. Default 0, black.
        high: The salt, above low. Default 1, white.

    Raises:
        UserError: for a rate out of range, or ends in the wrong order; in a model, for ends that x
            can't have.

    Example:
        >>> import numpy as np
        >>> from tfvae import Noise
        >>> noise = Noise(1, row=np.arange(1))
        >>> sorted(set(SaltAndPepper(1.0).corrupted(tf.zeros([1, 99]), noise)[0].numpy().tolist()))
        [0.0, 1.0]

    References:
        P. Vincent et al., 2010, "Stacked Denoising Autoencoders", JMLR 11, section 3.3. D. J. Im
        et al., 2017, arXiv:1511.06406, section 4.
    """

    def __init__(self, rate: float = 0.1, low: float = 0.0, high: float = 1.0):
        super().__init__()
        self.rate = share("rate", rate)
        self.low, self.high = real("low", low), real("high", high)
        if not self.low < self.high:
            raise UserError(f"low must be below high, received low={low!r} and high={high!r}.")

    def corrupted(self, x: tf.Tensor, noise: Noise) -> tf.Tensor:
        """Returns x with entries of both ends: one uniform number says whether, and which."""
        uniform = uniforms(x, noise)
        low, high = (tf.cast(end, x.dtype) for end in (self.low, self.high))
        drawn = tf.where(uniform < 0.5 * self.rate, high, low)
        return tf.where(uniform < self.rate, drawn, x)

    def check(self, field: Field) -> None:
        """Refuses ends that are no values of x."""
        self.check_ends(field, self.low, self.high)

    def corrupted_field(self, field: Field) -> Field:
        """Returns the field: both ends are values of it."""
        return field

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "rate": self.rate, "low": self.low, "high": self.high}
