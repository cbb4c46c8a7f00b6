"""Draws of z that depend on the seed, the example and the draw's number, and on nothing else."""

import math

import tensorflow as tf
import tensorflow_probability as tfp

import tfvae.random
from tfvae.inference.rows import matvec, normals

tfd = tfp.distributions
# All Normals of the heads and StandardNormal: standard noise behind an affine bijector.
_Normal = tfd.MultivariateNormalLinearOperator


def example_seeds(seed: tf.Tensor, first: tf.Tensor, count: int) -> tf.Tensor:
    """Returns a 32-bit seed for each of `count` examples from number `first` on, uint32."""
    return tf.vectorized_map(
        lambda example: tfvae.random.bits((), seed, example), first + tf.range(count)
    )


def draw(
    distribution: tfd.Distribution, seeds: tf.Tensor, first: tf.Tensor, count: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws `count` codes for each example, and their log-density.

    Draw k of an example of a Normal is a function of the example's seed and of k, so that it
    changes neither with the batch size nor with the way the draws are cut into chunks. Draws of
    other distributions come from `sample` and depend on both.

    Args:
        distribution: Batch shape `[B]` or `[]`, event shape `[D]`.
        seeds: `[B]`, from `example_seeds`.
        first: Number of the first draw, int32.
        count: S.

    Returns:
        `z [S, B, D]` and log q(z) `[S, B]`.
    """
    rows = seeds.shape[0]
    if isinstance(distribution, _Normal):
        noise = normals(seeds, first + tf.range(count), distribution.event_shape[0])
        z = distribution.loc + matvec(distribution.scale, noise)
        return z, _log_density(distribution.scale, noise)
    shape = [count] if distribution.batch_shape.rank else [count, rows]
    z = distribution.sample(shape, seed=tf.stack([tf.cast(seeds[0], tf.int32), first]))
    return z, distribution.log_prob(z)


def _log_density(scale: tf.linalg.LinearOperator, noise: tf.Tensor) -> tf.Tensor:
    """log N(mu + L eps; mu, L L') = -sum_i (eps_i^2 + log 2 pi) / 2 - log |L|, with no solve."""
    size = noise.shape[-1]
    exponent = 0.5 * tf.reduce_sum(tf.square(noise), axis=-1) + 0.5 * size * math.log(2 * math.pi)
    return -exponent - scale.log_abs_determinant()
