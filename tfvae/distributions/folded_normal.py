"""The Normal with a full covariance whose factor is kept folded."""

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.folded_triangle import FoldedTriangle

tfd = tfp.distributions


class FoldedMultivariateNormalTriL(tfd.MultivariateNormalTriL):
    """The Normal whose factor is a `FoldedTriangle`; parts and copies of it are TFP's own.

    Args:
        loc: `[B, D]`.
        scale: L, batch shape `[B]`.
    """

    def __init__(self, loc: tf.Tensor, scale: FoldedTriangle):
        tfd.MultivariateNormalLinearOperator.__init__(
            self, loc=loc, scale=scale, name="MultivariateNormalTriL"
        )
        self._scale_tril = scale.tril
        self._parameters = {"loc": loc, "scale_tril": scale.tril}

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        return tfd.MultivariateNormalTriL._parameter_properties(dtype, num_classes)

    def __getitem__(self, slices: Any) -> tfd.MultivariateNormalTriL:
        """Returns part of the batch."""
        return self.copy()[slices]

    def copy(self, **changes: Any) -> tfd.MultivariateNormalTriL:
        """Returns TFP's own distribution of the same kind, with some parameters changed."""
        return tfd.MultivariateNormalTriL(**{**self.parameters, **changes})

    def _variance(self) -> tf.Tensor:
        return self.scale.row_squares()

    def _stddev(self) -> tf.Tensor:
        return tf.sqrt(self.scale.row_squares())
