"""Normal noise on top of x."""

from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import real
from tfvae.corruptions.base import Corruption, normals
from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.noise import Noise


@keras.saving.register_keras_serializable("tfvae")
class AdditiveNormal(Corruption):
    """x~ = x + scale eps, eps ~ N(0, I): in training the encoder sees x with noise on top.

    Choose it for real values: grey images, columns of a table. What lies in [0, 1] leaves it, which
    no network minds. For bits `SaltAndPepper` stays among bits.

    Args:
        scale: Its standard deviation in the units of x, above 0. Default 0.25.

    Raises:
        UserError: for a scale out of range; in a model, for whole numbers of type int32.

    Example:
        >>> import numpy as np
        >>> from tfvae import Noise
        >>> noise = Noise(1, row=np.arange(2))
        >>> AdditiveNormal(0.1).corrupted(tf.zeros([2, 8, 8, 1]), noise).shape.as_list()
        [2, 8, 8, 1]

    References:
        D. J. Im et al., 2017, "Denoising Criterion for Variational Auto-Encoding Framework",
        arXiv:1511.06406, section 4. P. Vincent et al., 2010, "Stacked Denoising Autoencoders",
        JMLR 11, section 3.3.
    """

    def __init__(self, scale: float = 0.25):
        super().__init__()
        self.scale = real("scale", scale, above=0.0)

    def corrupted(self, x: tf.Tensor, noise: Noise) -> tf.Tensor:
        """Returns x + scale eps."""
        return tf.cast(x, tf.float32) + self.scale * normals(x, noise)

    def check(self, field: Field) -> None:
        """Refuses whole numbers, which would be rounded again."""
        if field.whole:
            raise UserError(
                "AdditiveNormal adds real numbers, and x is whole numbers of type int32. Use "
                "corruptions.Masking(), which keeps their type."
            )

    def corrupted_field(self, field: Field) -> Field:
        """Returns values that leave the interval by ten standard deviations at most."""
        found = super().corrupted_field(field)
        if field.interval is None:
            return found
        low, high = field.interval
        return replace(found, interval=(low - 10 * self.scale, high + 10 * self.scale))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "scale": self.scale}
