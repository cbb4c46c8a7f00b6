"""Radial steps."""

import keras
import tensorflow as tf

from tfvae.distributions.pushforward import Moved
from tfvae.distributions.scales import positive_diagonal
from tfvae.flows.base import FlowStep


@keras.saving.register_keras_serializable("tfvae")
class Radial(FlowStep):
    """f(z) = z + beta h (z - c), h = 1 / (alpha + |z - c|): draws towards a point, or away.

        alpha = positive(a),  beta = gamma - alpha,  gamma = positive(b)
        log|det df/dz| = (D - 1) log(1 + beta h) + log(1 + alpha beta h^2)

    a, b and c are the encoder's, D + 2 numbers an example; c has a learned vector added that all
    examples share. The inverse is the root of a quadratic equation in |z - c|.

    Args:
        **kwargs: Keras layer arguments.

    Example:
        >>> Radial().context_numbers(3)
        5

    References:
        D. J. Rezende and S. Mohamed, 2015, "Variational Inference with Normalizing Flows",
        arXiv:1505.05770, eq. 14 and appendix A.2. Departure: `positive` is 1 at 0, so that training
        starts near the identity.
    """

    def context_numbers(self, latent_size: int) -> int:
        """Returns D + 2: c, a and b."""
        return latent_size + 2

    def build(self, z_shape: tuple[int | None, int]) -> None:
        """Makes the centre that all examples share: steps that started alike would stay so."""
        self.centre = self.add_weight(
            shape=(z_shape[-1],),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="centre",
        )

    def forward(self, z: tf.Tensor, context: tf.Tensor) -> Moved:
        """Returns f(z) and its log-determinant."""
        centre, alpha, gamma = self._numbers(context, z.shape[-1])
        away = z - centre
        factor, log_det = _stretch(_length(away), alpha, gamma, z.shape[-1])
        return Moved(centre + factor * away, log_det)

    def inverse(self, z: tf.Tensor, context: tf.Tensor) -> Moved:
        """Returns f^-1(z) and its log-determinant.

        r' = r (gamma + r) / (alpha + r) is r^2 + (gamma - r') r - alpha r' = 0.
        """
        centre, alpha, gamma = self._numbers(context, z.shape[-1])
        away = z - centre
        moved = _length(away)
        half = 0.5 * (gamma - moved)
        root = tf.sqrt(tf.square(half) + alpha * moved)
        # The two forms are equal; neither subtracts what is almost equal.
        length = tf.where(half > 0.0, alpha * moved / (root + tf.abs(half)), root - half)
        factor, log_det = _stretch(length, alpha, gamma, z.shape[-1])
        return Moved(centre + away / factor, -log_det)

    def _numbers(self, context: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        centre, a, b = tf.split(context, [size, 1, 1], axis=-1)
        centre += tf.convert_to_tensor(self.centre)
        return centre, positive_diagonal(a), positive_diagonal(b)


def _length(x: tf.Tensor) -> tf.Tensor:
    # The square root has no gradient at 0.
    return tf.sqrt(tf.reduce_sum(tf.square(x), axis=-1, keepdims=True) + 1e-12)


def _stretch(
    length: tf.Tensor, alpha: tf.Tensor, gamma: tf.Tensor, size: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """1 + beta h, the factor on z - c, and the log-determinant `[...]`, by sums of positive terms.

    1 + beta h = (gamma + r) h and 1 + alpha beta h^2 = (r^2 + 2 alpha r + alpha gamma) h^2.
    """
    log_h = -tf.math.log(alpha + length)
    log_factor = tf.math.log(gamma + length) + log_h
    along = tf.math.log(tf.square(length) + 2.0 * alpha * length + alpha * gamma) + 2.0 * log_h
    return tf.exp(log_factor), tf.squeeze((size - 1) * log_factor + along, -1)
