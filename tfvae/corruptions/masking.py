"""Entries of x that are hidden."""

from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from tfvae.corruptions.base import Corruption, share, uniforms
from tfvae.data.fields import Field
from tfvae.noise import Noise


@keras.saving.register_keras_serializable("tfvae")
class Masking(Corruption):
    """x~_i = 0 with probability rate, x_i else: in training entries of x are hidden.

    Choose it where entries may be missing, and to make a code of what entries say about each other.
    Of columns that are standardised 0 is the mean. It is dropout without its factor: what is left
    stays what it is.

    Args:
        rate: Share of the entries, in (0, 1]. Default 0.25.

    Raises:
        UserError: for a rate out of range.

    Example:
        >>> import numpy as np
        >>> from tfvae import Noise
        >>> float(Masking(1.0).corrupted(tf.ones([1, 2]), Noise(1, row=np.arange(1)))[0, 0])
        0.0

    References:
        P. Vincent et al., 2008, "Extracting and Composing Robust Features with Denoising
        Autoencoders", ICML, section 2.3.
    """

    def __init__(self, rate: float = 0.25):
        super().__init__()
        self.rate = share("rate", rate)

    def corrupted(self, x: tf.Tensor, noise: Noise) -> tf.Tensor:
        """Returns x with hidden entries."""
        return tf.where(uniforms(x, noise) < self.rate, tf.zeros_like(x), x)

    def corrupted_field(self, field: Field) -> Field:
        """Returns the field where 0 is a value of it."""
        low, high = field.interval or (1.0, -1.0)
        if field.parts or not low <= 0.0 <= high:
            return super().corrupted_field(field)
        return replace(field, nonempty=False)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "rate": self.rate}
