"""The Normal with a full covariance whose factor is kept folded."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.draws import standard_log_prob
from tfvae.distributions.folded_triangle import FoldedTriangle
from tfvae.noise import Noise

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

    def draw_held(self, noise: Noise) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        """Draws z from noise, with log q of these z, its parameters held constant in gradients.

            log q = log N(eps; 0, I) - log |L|,   d log q / dz = -L^-T eps

        The value takes no triangular system, where that of any z takes one, and the gradient one
        more.

        Returns:
            z `[S, B, D]`, and a function of z, whose values must be those, to log q `[S, B]`.
        """
        eps = noise.normal(self.loc.shape[-1])
        log_q = tf.stop_gradient(standard_log_prob(eps) - self.scale.log_abs_determinant())

        @tf.custom_gradient
        def log_prob(z: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
            def gradient(of_log_q: tf.Tensor) -> tf.Tensor:
                return -of_log_q[..., tf.newaxis] * self.scale.solve_adjoint(eps)

            return tf.identity(log_q), gradient

        return self.loc + self.scale.matvec(eps), log_prob

    def _variance(self) -> tf.Tensor:
        return self.scale.row_squares()

    def _stddev(self) -> tf.Tensor:
        return tf.sqrt(self.scale.row_squares())
