"""Normal posterior with a diagonal covariance."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.scales import positive_diagonal
from tfvae.heads.base import LatentHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class MultivariateNormalDiag(LatentHead):
    """q(z|x) = N(z; loc, diag(scale_diag^2)): the mean-field posterior.

    The usual first choice. `MultivariateNormalTriL` also models correlations between the latent
    dimensions, at D^2 / 2 more outputs.

        loc = W_l h + b_l                scale_diag = softplus(W_s h + b_s + c) + 1e-5

    with c such that scale_diag = 1 where the projection is zero.

    Args:
        latent_size: D, the number of latent dimensions, at least 1.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` (flattened) -> `tfd.MultivariateNormalDiag`, batch `[N]`,
        event `[D]`; parameters `loc [N, D]`, `scale_diag [N, D]`.

    Raises:
        UserError: if `latent_size` is not a positive integer.

    Example:
        >>> import numpy as np
        >>> head = MultivariateNormalDiag(2)
        >>> head(np.zeros((3, 8), "float32")).batch_shape.as_list()
        [3]

    References:
        D. P. Kingma and M. Welling, 2013, "Auto-Encoding Variational Bayes", arXiv:1312.6114,
        eq. 9 and appendix C.2. Departure: softplus instead of exp for the scale, which keeps the
        gradient of a badly initialised encoder bounded.
    """

    def __init__(self, latent_size: int, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.projection = keras.layers.Dense(
            2 * latent_size, dtype=self.dtype_policy, name="projection"
        )

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection for features of this shape."""
        self.projection.build(self.flatten.compute_output_shape(features_shape))

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `loc` and `scale_diag`, both `[N, D]`."""
        loc, raw_scale = tf.split(self.projection(self.flatten(features)), 2, axis=-1)
        return {"loc": loc, "scale_diag": positive_diagonal(raw_scale)}

    def distribution(self, loc: tf.Tensor, scale_diag: tf.Tensor) -> tfd.MultivariateNormalDiag:
        """Returns N(loc, diag(scale_diag^2))."""
        return tfd.MultivariateNormalDiag(loc=loc, scale_diag=scale_diag)
