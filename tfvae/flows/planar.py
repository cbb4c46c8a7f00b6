"""Planar steps."""

import math

import keras
import tensorflow as tf

from tfvae.distributions.pushforward import Moved
from tfvae.flows.base import FlowStep

_SHIFT = math.log(math.e - 1.0)  # softplus(_SHIFT) = 1
_STEEPEST = 1.0 - 1e-3  # of -w . u': at 1 in float32, the logarithm of the slope would be -inf


@keras.saving.register_keras_serializable("tfvae")
class Planar(FlowStep):
    """f(z) = z + u' tanh(w . z + b): expands and contracts along one direction.

        u' = u + (m(w . u) - w . u) w / |w|^2,   m(a) = 0.999 (softplus(a + log(e - 1)) - 1) > -1
        log|det df/dz| = log(1 + w . u' (1 - tanh^2(w . z + b)))

    u, w and b are the encoder's, 2 D + 1 numbers an example; w has a learned vector added that all
    examples share. The cheapest step, and a weak one: a bottleneck of one hidden unit. It has an
    inverse and no formula for it, so what needs log q of a given z is refused.

    Args:
        **kwargs: Keras layer arguments.

    Example:
        >>> Planar().context_numbers(3)
        7

    References:
        D. J. Rezende and S. Mohamed, 2015, "Variational Inference with Normalizing Flows",
        arXiv:1505.05770, eq. 10 to 12 and appendix A.1. Departures: m(0) = 0 instead of log 2 - 1,
        so that u = 0 is the identity, which training starts near; the factor 0.999.
    """

    def context_numbers(self, latent_size: int) -> int:
        """Returns 2 D + 1: u, w and b."""
        return 2 * latent_size + 1

    def build(self, z_shape: tuple[int | None, int]) -> None:
        """Makes the direction that all examples share."""
        size = z_shape[-1]
        self.direction = self.add_weight(
            shape=(size,),
            initializer=keras.initializers.RandomNormal(stddev=size**-0.5),
            name="direction",
        )

    def forward(self, z: tf.Tensor, context: tf.Tensor) -> Moved:
        """Returns f(z) and its log-determinant."""
        size = z.shape[-1]
        u, w, b = tf.split(context, [size, size, 1], axis=-1)
        w += tf.convert_to_tensor(self.direction)
        along = tf.reduce_sum(u * w, axis=-1, keepdims=True)
        limited = _STEEPEST * (tf.math.softplus(along + _SHIFT) - 1.0)
        # w = 0 would be 0 / 0, and is the identity or a shift.
        square = tf.maximum(tf.reduce_sum(tf.square(w), axis=-1, keepdims=True), 1e-12)
        u += (limited - along) * w / square
        hidden = tf.tanh(tf.reduce_sum(w * z, axis=-1, keepdims=True) + b)
        slope = limited * (1.0 - tf.square(hidden))
        return Moved(z + u * hidden, tf.squeeze(tf.math.log1p(slope), -1))
