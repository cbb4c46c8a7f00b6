"""The seam of a flow's step: a map of z, given numbers of the encoder, with its log-determinant."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.distributions.pushforward import Moved
from tfvae.errors import UserError


class FlowStep(keras.layers.Layer):
    """z -> f(z; c), a differentiable map with one inverse, and log|det df/dz|.

    A subclass gives `forward`, weights in `build`, and `inverse` where it can be computed; without
    one, densities of given z are refused by its name. `context_numbers` says how many numbers of
    the encoder it takes for each example: c `[..., B, C]`, or None where C is 0. z may have more
    leading axes, of draws.

    A Keras layer, because weights belong to Keras. It is used through `forward` and `inverse`,
    never called; the dtype defaults to float32 whatever the global policy.

    Args:
        **kwargs: Keras layer arguments.

    Raises:
        UserError: if a subclass lacks `forward`.
    """

    minimum_size = 1
    """The smallest D."""

    linear = False
    """Whether f(z) = A z, so that the mean of a flow of such steps is known."""

    def __init__(self, **kwargs: Any):
        if type(self).forward is FlowStep.forward:
            raise UserError(f"{type(self).__name__} is a FlowStep without forward(); define it.")
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    @property
    def invertible(self) -> bool:
        """Whether it has an inverse that can be computed."""
        return type(self).inverse is not FlowStep.inverse

    def check_size(self, latent_size: int) -> None:
        """Refuses a D that is too small.

        Raises:
            UserError: with what to do.
        """
        if latent_size < self.minimum_size:
            raise UserError(
                f"{type(self).__name__} needs at least {self.minimum_size} latent dimensions, "
                f"received latent_size={latent_size}: it moves some of them as the others say. "
                "Raise latent_size, or use Planar or Radial steps, which one dimension will do for."
            )

    def context_numbers(self, latent_size: int) -> int:
        """Returns C, the size of the context for z of this size."""
        return 0

    def build(self, z_shape: tuple[int | None, int]) -> None:
        """Makes weights for z of this shape, `(None, D)`."""

    def forward(self, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        """Returns f(z; c) `[..., D]` and log|det df/dz| `[...]`."""
        raise NotImplementedError

    def inverse(self, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        """Returns f^-1(z; c) `[..., D]` and log|det df^-1/dz| `[...]`."""
        raise NotImplementedError
