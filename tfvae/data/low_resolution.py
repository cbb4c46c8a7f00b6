"""Images beside a smaller version of themselves: what super-resolution is given."""

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.errors import UserError

LOW = "low"


@dataclass(frozen=True)
class LowResolution:
    """A column `low` that is made of images: the means of blocks of pixels.

        low_ij = 1 / f^2 sum_{a, b < f} x_{f i + a, f j + b}

    Attributes:
        factor: f, how many times as high and as wide x is, at least 2.
    """

    factor: int
    names: ClassVar = (LOW,)

    def check(self, field: Field | None) -> None:
        """Refuses what is no image of pixels, or of a size that the factor does not divide."""
        if field is None or not field.of_pixels or len(field.shape) != 3:
            found = "no column x is loaded" if field is None else f"x has the shape {field.shape}"
            raise UserError(
                f"low_resolution is of images of pixels, (H, W, C), and {found}. Leave it out."
            )
        height, width = field.shape[:2]
        if height % self.factor or width % self.factor:
            fit = [f for f in range(2, min(height, width) + 1) if not (height % f or width % f)]
            advice = f"Choose one of {', '.join(map(str, fit))}." if fit else "Resize them."
            raise UserError(
                f"low_resolution={self.factor} does not divide images of {height} x {width} "
                f"pixels. {advice}"
            )

    def fields(self, field: Field) -> dict[str, Field]:
        """What the column is that is made of images."""
        height, width, channels = field.shape
        return {LOW: Field((height // self.factor, width // self.factor, channels))}

    def columns(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `low [B, H / f, W / f, C]`, made of what x is in this very batch."""
        return {LOW: block_means(x, self.factor)}


def block_means(x: tf.Tensor, factor: int) -> tf.Tensor:
    """The means of blocks of factor x factor pixels, `[..., H, W, C]` to `[..., h, w, C]`.

    Example:
        >>> block_means(tf.reshape(tf.range(16.0), [1, 4, 4, 1]), 2)[0, ..., 0].numpy().tolist()
        [[2.5, 4.5], [10.5, 12.5]]
    """
    height, width, channels = x.shape[-3:]
    sizes = [height // factor, factor, width // factor, factor, channels]
    blocks = tf.reshape(x, tf.concat([tf.shape(x)[:-3], sizes], axis=0))
    least, most = tf.reduce_min(blocks, [-4, -2]), tf.reduce_max(blocks, [-4, -2])
    # A mean of ones that is rounded up to more than 1 would be refused as no pixel.
    return tf.clip_by_value(tf.reduce_mean(blocks, [-4, -2]), least, most)
