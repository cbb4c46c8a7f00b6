"""Images of which some quadrants are given, and the rest is to be predicted."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.errors import UserError

VISIBLE, COUNTED = "visible", "counted"
MOST_QUADRANTS = 3
_NEUTRAL = 0.5  # neither ink nor paper


def quadrant_mask(shape: tuple[int, ...], num_quadrants: int) -> np.ndarray:
    """Returns 1 for the pixels `[H, W, 1]` that are seen, and 0 for the others.

    Seen is the bottom left quadrant, the left half, or all but the top right quadrant.

    Example:
        >>> quadrant_mask((2, 2, 1), 1)[..., 0].tolist()
        [[0.0, 0.0], [1.0, 0.0]]
    """
    height, width = shape[0] // 2, shape[1] // 2
    seen = np.zeros((*shape[:2], 1), "float32")
    seen[height:, :width] = 1
    if num_quadrants > 1:
        seen[:height, :width] = 1
    if num_quadrants > 2:
        seen[height:, width:] = 1
    return seen


@dataclass(frozen=True)
class Quadrants:
    """Columns `visible` and `counted` that are made of images.

    Attributes:
        num_quadrants: how many are given, 1 to 3.
    """

    num_quadrants: int
    names: ClassVar = (VISIBLE, COUNTED)

    def check(self, field: Field | None) -> None:
        """Refuses to cut up what is no image of pixels, of two rows and columns at least."""
        if (
            field is None
            or not field.of_pixels
            or len(field.shape) != 3
            or min(field.shape[:2]) < 2
        ):
            found = "no column x is loaded" if field is None else f"x has the shape {field.shape}"
            raise UserError(
                f"quadrants are parts of images of pixels, (H, W, C), and {found}. Leave it out."
            )

    def fields(self, field: Field) -> dict[str, Field]:
        """What the columns are that are made of images."""
        return {VISIBLE: Field(field.shape), COUNTED: Field.mask(field.shape)}

    def columns(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `visible` and `counted`, both of the shape of images `[B, H, W, C]`.

        Made of the very bits that are in x: visible is x in the quadrants that are seen and 1/2 in
        the others, counted is 1 where visible has nothing of x.
        """
        mask = quadrant_mask(tuple(x.shape[1:]), self.num_quadrants)
        seen = tf.constant(mask) + tf.zeros_like(x)
        return {VISIBLE: tf.where(seen > 0, x, _NEUTRAL), COUNTED: 1.0 - seen}
