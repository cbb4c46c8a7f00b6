"""Normal likelihood of real numbers."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import real
from tfvae.distributions.scales import MINIMUM_SCALE
from tfvae.errors import UserError
from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class IndependentNormal(LikelihoodHead):
    """p(x|z) = prod_i N(x_i; loc_i, scale^2), one scale for all entries.

    For real numbers: tables, grey and colour images. With a unit scale the reconstruction term is
    half the squared error plus a constant, which for pixels in [0, 1] lets the KL dominate; a
    learned scale balances the two (sigma-VAE). `IndependentBernoulli` is for binary pixels.

    Args:
        event_shape: Shape of one x, such as `(28, 28, 1)`, or `(30,)` for a row of a table.
        scale: The standard deviation, in units of x: a number above 0 (default 1.0, the
            unit scale), or "learned" for one trainable scale shared by all entries, from 1.0 on.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> `tfd.Independent(tfd.Normal)`, batch `[N]`, event
        `event_shape`; parameters `loc [N, *event_shape]`, `scale [N, 1, ...]` (one a row, so that
        it unfolds like the others). `log_prob` is in nats per example, a density.

    Raises:
        UserError: if `scale` is neither a number above 0 nor "learned".

    Example:
        >>> import numpy as np
        >>> head = IndependentNormal((4, 4, 1), scale="learned")
        >>> head(np.zeros((3, 8), "float32")).mean().shape.as_list()
        [3, 4, 4, 1]

    References:
        D. P. Kingma and M. Welling, 2013, arXiv:1312.6114, appendix C.2. O. Rybkin, K. Daniilidis,
        S. Levine, 2021, "Simple and Effective VAE Training with Calibrated Decoders",
        arXiv:2006.13202, section 3.1 (one shared, learned sigma).
    """

    def __init__(self, event_shape: Sequence[int], scale: float | str = 1.0, **kwargs: Any):
        super().__init__(event_shape, **kwargs)
        if isinstance(scale, str):
            if scale != "learned":
                raise UserError(f'scale must be a number above 0 or "learned", received {scale!r}.')
            self.scale: float | str = scale
        else:
            self.scale = real("scale", scale, above=0.0)

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection, the bias and, if it is learned, the scale."""
        super().build(features_shape)
        if self.scale == "learned":
            self.log_scale = self.add_weight(
                shape=(), initializer="zeros", name="log_scale", dtype="float32"
            )

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `loc [N, *event_shape]` and `scale [N, 1, ...]`."""
        loc = self.entries(features)
        scale = tf.exp(self.log_scale) + MINIMUM_SCALE if self.scale == "learned" else self.scale
        ones = tf.ones_like(tf.reshape(loc, [-1, int(np.prod(self.event_shape))])[:, :1])
        return {"loc": loc, "scale": tf.reshape(scale * ones, [-1, *[1] * len(self.event_shape)])}

    def distribution(self, loc: tf.Tensor, scale: tf.Tensor) -> tfd.Independent:
        """Returns independent Normal entries."""
        return tfd.Independent(
            tfd.Normal(loc=loc, scale=scale), reinterpreted_batch_ndims=len(self.event_shape)
        )

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns the mean itself."""
        return mean

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "scale": self.scale}
