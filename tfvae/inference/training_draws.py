"""Draws of z from the posterior."""

import tensorflow as tf
import tensorflow_probability as tfp

import tfvae.random
from tfvae.inference.rows import matvec

tfd = tfp.distributions


def draw(posterior: tfd.Distribution, num_samples: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws z ~ q(z|x) with a gradient to q's parameters where q has one.

    For a Normal, z = mu + L eps with eps from `tfvae.random`: `posterior.sample` would draw the
    same distribution, but TFP's stateless normals take as long as all the matrix products of a
    step (784-200-200-50, batch 128, XLA, two cores), these 2 % of it.

    Args:
        posterior: q(z|x), batch shape `[B]`, event shape `[D]`.
        num_samples: S.
        seed: Stateless seed, int32 `[2]`.

    Returns:
        `z [S, B, D]`.

    Example:
        >>> q = tfd.MultivariateNormalDiag(tf.zeros([3, 2]), tf.ones([3, 2]))
        >>> draw(q, 5, tf.constant([1, 2])).shape.as_list()
        [5, 3, 2]
    """
    if not isinstance(posterior, tfd.MultivariateNormalLinearOperator):
        return posterior.sample(num_samples, seed=seed)
    batch, (size,) = tf.shape(posterior.loc)[0], posterior.event_shape
    eps = tfvae.random.normal((num_samples * batch, size), seed[0], seed[1])
    return posterior.loc + matvec(posterior.scale, tf.reshape(eps, [num_samples, batch, size]))
