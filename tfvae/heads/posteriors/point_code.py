"""A code without a distribution around it."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.heads.base import LatentHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class PointCode(LatentHead):
    """z = W h + b, all the mass of q(z|x) in one point: the code of an `Autoencoder`.

    It has no density, so no KL to a prior: a `VAE` refuses it.

    Args:
        latent_size: D, the numbers of a code, at least 1.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` (flattened) -> a point mass, batch `[N]`, event `[D]`; parameters
        `loc [N, D]`.

    Raises:
        UserError: if `latent_size` is not a positive integer.

    Example:
        >>> import numpy as np
        >>> head = PointCode(4)
        >>> head(np.zeros((3, 8), "float32")).event_shape.as_list()
        [4]

    References:
        G. E. Hinton and R. R. Salakhutdinov, 2006, "Reducing the Dimensionality of Data with Neural
        Networks", Science 313: the code layer is linear.
    """

    has_density = False

    def __init__(self, latent_size: int, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.projection = keras.layers.Dense(
            latent_size, dtype=self.dtype_policy, name="projection"
        )

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection for features of this shape."""
        self.projection.build(self.flatten.compute_output_shape(features_shape))

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `loc [N, D]`."""
        return {"loc": self.projection(self.flatten(features))}

    def distribution(self, loc: tf.Tensor) -> tfd.VectorDeterministic:
        """Returns the point mass."""
        return tfd.VectorDeterministic(loc)

    def code(self, distribution: tfd.Distribution) -> tf.Tensor:
        """Returns the point."""
        return distribution.loc

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the point, and again as the `mean` that every served encoder returns."""
        return {**parameters, "mean": parameters["loc"]}
