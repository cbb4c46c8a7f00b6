"""Householder reflections."""

import keras
import tensorflow as tf

from tfvae.distributions.pushforward import Moved
from tfvae.flows.base import FlowStep


@keras.saving.register_keras_serializable("tfvae")
class Householder(FlowStep):
    """f(z) = z - 2 v (v . z) / |v|^2: a reflection, which keeps volumes.

    Any orthogonal matrix is a product of D reflections, so D steps on a diagonal Normal are a
    Normal with any covariance. v is the encoder's, D numbers an example, with a learned vector
    added that all examples share: at first all are reflected alike, which costs nothing.

    Args:
        **kwargs: Keras layer arguments.

    Example:
        >>> Householder().context_numbers(3)
        3

    References:
        J. Tomczak and M. Welling, 2016, "Improving Variational Auto-Encoders using Householder
        Flow", arXiv:1611.09630, eq. 8. Departure: every v comes from the encoder at once, where
        the paper makes v_t of v_{t-1}, linearly.
    """

    minimum_size = 2
    linear = True

    def context_numbers(self, latent_size: int) -> int:
        """Returns D."""
        return latent_size

    def build(self, z_shape: tuple[int | None, int]) -> None:
        """Makes the vector that all examples share."""
        self.vector = self.add_weight(
            shape=(z_shape[-1],),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="vector",
        )

    def forward(self, z: tf.Tensor, context: tf.Tensor) -> Moved:
        """Returns the reflection; the log-determinant is 0."""
        v = tf.convert_to_tensor(self.vector) + context
        square = tf.maximum(tf.reduce_sum(tf.square(v), axis=-1, keepdims=True), 1e-12)
        along = tf.reduce_sum(v * z, axis=-1, keepdims=True) / square
        moved = z - 2.0 * along * v
        return Moved(moved, tf.zeros(tf.shape(moved)[:-1], moved.dtype))

    def inverse(self, z: tf.Tensor, context: tf.Tensor) -> Moved:
        """Returns the reflection, which undoes itself."""
        return self.forward(z, context)
