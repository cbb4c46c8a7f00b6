"""Squares of an image that are blanked."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE, positive_int, real
from tfvae.corruptions.base import Corruption
from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.noise import Noise

_MOST_PATCHES = 1000


@keras.saving.register_keras_serializable("tfvae")
class Patches(Corruption):
    """x~ = x with squares of one value at random places: in training parts of images are blanked.

        x~_ij = value where top <= i < top + size and left <= j < left + size, x_ij elsewhere
        top uniform over 0 .. H - size, left over 0 .. W - size

    Choose it for images with scratches, stickers or lost blocks, whose pixels go missing together:
    what is lost has to be known from the rest of the image, where of the single pixels of `Masking`
    the neighbours tell. Squares may overlap, and lie within the image.

    Args:
        size: Of a square's side, in pixels, at least 1. Default 3.
        count: Squares of an image, at least 1. Default 1.
        value: What the pixels are then, in all channels. Default 0.

    Raises:
        UserError: for a number out of range; in a model, for x that is no image, or smaller than a
            square, or a value that x can't have.

    Example:
        >>> import numpy as np
        >>> from tfvae import Noise
        >>> noise = Noise(1, row=np.arange(2))
        >>> found = Patches(size=3).corrupted(tf.ones([2, 8, 8, 1]), noise)
        >>> tf.reduce_sum(1 - found, axis=[1, 2, 3]).numpy().tolist()
        [9.0, 9.0]

    References:
        P. Vincent et al., 2008, "Extracting and Composing Robust Features with Denoising
        Autoencoders", ICML, section 2.3, which hides single entries; T. DeVries and G. W. Taylor,
        2017, arXiv:1708.04552, section 3.1, for squares. Departure: theirs may leave the image.
    """

    def __init__(self, size: int = 3, count: int = 1, value: float = 0.0):
        super().__init__()
        self.size = positive_int("size", size, maximum=LARGEST_SIZE)
        self.count = positive_int("count", count, maximum=_MOST_PATCHES)
        self.value = real("value", value)

    def corrupted(self, x: tf.Tensor, noise: Noise) -> tf.Tensor:
        """Returns images `[B, H, W, C]` with blanked squares."""
        uniform = tf.reshape(noise.uniform(2 * self.count), [-1, self.count, 2])
        rows, columns = (self._covered(uniform[..., axis], x.shape[1 + axis]) for axis in range(2))
        blank = tf.reduce_any(rows[..., :, tf.newaxis] & columns[..., tf.newaxis, :], axis=1)
        return tf.where(blank[..., tf.newaxis], tf.cast(self.value, x.dtype), x)

    def _covered(self, uniform: tf.Tensor, length: int) -> tf.Tensor:
        """Which places of an axis each square covers, bool `[B, count, length]`."""
        last = length - self.size
        first = tf.minimum(tf.cast(uniform * (last + 1), tf.int32), last)[..., tf.newaxis]
        places = tf.range(length)
        return (places >= first) & (places < first + self.size)

    def check(self, field: Field) -> None:
        """Refuses what is no image that a square fits in, and a value that is none of x's."""
        if len(field.shape) != 3 or min(field.shape[:2]) < self.size:
            raise UserError(
                f"Patches blanks squares of {self.size} x {self.size} pixels in images (H, W, C), "
                f"and x has the shape {field.shape}. Take a smaller size, or corruptions.Masking() "
                "for what is no image."
            )
        self.check_ends(field, self.value)

    def corrupted_field(self, field: Field) -> Field:
        """Returns the field: a blanked pixel is a value of it."""
        return field

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = {"size": self.size, "count": self.count, "value": self.value}
        return {**super().get_config(), **config}
