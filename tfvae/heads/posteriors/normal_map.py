"""Normal posterior whose dimensions are the places and channels of a map."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import LARGEST_SIZE, positive_int, real
from tfvae.errors import UserError
from tfvae.heads.base import LatentHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class NormalMap(LatentHead):
    """q(z|x) = N(z; loc, diag(scale_diag^2)), each dimension of z at a place of the features' map.

    Against `MultivariateNormalDiag`, whose dense layer sees all places at once: a convolution, the
    same everywhere, and far fewer weights. For hierarchies of maps, and for networks of maps alone.

        loc = clamp(W_l * h + b_l)              scale_diag = exp(clamp(W_s * h + b_s))
        clamp(a) = limit tanh(a / limit)

    Args:
        latent_size: D = H W C of the map that z is, row by row; a multiple of the features' places.
        kernel_size: Side of the kernels in pixels, default 3.
        limit: Of the mean and of the logarithm of the scale, above 0: no density runs away from
            another. Default 5.
        zero_start: Whether it starts as the standard Normal, by weights of zero. Default False.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, H, W, F]` -> `tfd.MultivariateNormalDiag`, batch `[N]`, event `[D]`;
        parameters `loc [N, D]`, `scale_diag [N, D]`.

    Raises:
        UserError: if an argument is out of range, features are no maps, or their places do not
            divide `latent_size`.

    Example:
        >>> import numpy as np
        >>> head = NormalMap(4 * 4 * 2)
        >>> head(np.zeros((3, 4, 4, 8), "float32")).event_shape.as_list()
        [32]

    References:
        A. Vahdat and J. Kautz, 2020, "NVAE", arXiv:2007.03898, section 3.2; the clamp is that of
        the authors' code, without the hundredth that it adds to each scale. R. Child, 2021, "Very
        Deep VAEs", arXiv:2011.10650, for priors that start at zero.
    """

    def __init__(
        self,
        latent_size: int,
        kernel_size: int = 3,
        limit: float = 5.0,
        zero_start: bool = False,
        **kwargs: Any,
    ):
        super().__init__(latent_size, **kwargs)
        self.zero_start = bool(zero_start)
        self.kernel_size = positive_int("kernel_size", kernel_size, maximum=LARGEST_SIZE)
        self.limit = real("limit", limit, above=0.0)
        self.projection: Any = None  # made by build, which knows the places

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the convolution for maps of this shape."""
        shape = tuple(features_shape)
        if len(shape) != 4:
            raise UserError(
                f"{type(self).__name__} expects maps of features [B, H, W, C], received shape "
                f"{shape}. Choose a network of maps (--network nvae), or "
                "heads.MultivariateNormalDiag (--posterior diag)."
            )
        places = int(shape[1] or 0) * int(shape[2] or 0)
        if self.latent_size % places:
            raise UserError(
                f"{self.latent_size} dimensions cannot be laid over maps of {shape[1]}x{shape[2]}. "
                f"Give a multiple of {places}, such as {max(1, self.latent_size // places)} "
                f"channels: {max(1, self.latent_size // places) * places}."
            )
        self.projection = keras.layers.Conv2D(
            2 * self.latent_size // places,
            self.kernel_size,
            padding="same",
            kernel_initializer="zeros" if self.zero_start else "glorot_uniform",
            dtype=self.dtype_policy,
            name="projection",
        )
        self.projection.build(shape)

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `loc` and `scale_diag`, both `[N, D]`."""
        maps = self.limit * tf.tanh(self.projection(features) / self.limit)
        loc, log_scale = (
            tf.reshape(part, [-1, self.latent_size]) for part in tf.split(maps, 2, axis=-1)
        )
        return {"loc": loc, "scale_diag": tf.exp(log_scale)}

    def distribution(self, loc: tf.Tensor, scale_diag: tf.Tensor) -> tfd.MultivariateNormalDiag:
        """Returns N(loc, diag(scale_diag^2))."""
        return tfd.MultivariateNormalDiag(loc=loc, scale_diag=scale_diag)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = {name: getattr(self, name) for name in ("kernel_size", "limit", "zero_start")}
        return {**super().get_config(), **own}
