"""Log-densities of some of the entries of x: what is missing, or given, does not count."""

import functools

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.batch_scale import BatchScaleNormal
from tfvae.distributions.blocks import Blocks
from tfvae.distributions.grouped_bernoulli import IndependentPixels
from tfvae.distributions.logistic_mixture import LogisticMixtureLevels
from tfvae.errors import UserError

tfd = tfp.distributions

_INDEPENDENT = tfd.Independent.__base__  # see tfvae.distributions.draws
# A pixel of this logit is 0 for certain: its log-probability is exactly 0 in float32.
_CERTAIN = -200.0


@functools.singledispatch
def counted_log_prob(
    distribution: tfd.Distribution, value: tf.Tensor, counted: tf.Tensor
) -> tf.Tensor:
    """log p of the entries of x that count, sum_i m_i log p_i(x_i), where entries are independent.

    The others are integrated out, so this is exact: log p(x_C), C = {i: m_i = 1}. It is a function
    of the counted entries alone: the others may hold anything, NaN too. They are read as 0, which
    every likelihood of this package has in its support.

    By the kind of the distribution: others register their own with it.

    Args:
        distribution: p, batch shape `[..., B]`.
        value: x, `[..., B, *event]`.
        counted: m, 1 or 0, `[..., B, *event]`; of what is independent by pixel alone, such as
            colours that depend on each other, `[..., B, H, W, 1]`.

    Returns:
        `[..., B]` nats.

    Raises:
        UserError: for a distribution whose entries depend on each other.

    Example:
        >>> p = tfd.Independent(tfd.Normal(tf.zeros([1, 3]), 1.0), 1)
        >>> found = counted_log_prob(p, tf.zeros([1, 3]), tf.constant([[1.0, 0.0, 1.0]]))
        >>> f"{float(found[0]):.4f}"
        '-1.8379'
    """
    raise UserError(
        f"The entries of a {type(distribution).__name__} depend on each other, so that a part of x "
        "has no likelihood of its own here. Use one of independent entries, such as "
        "heads.IndependentNormal, IndependentBernoulli, StudentT, Categorical or Poisson."
    )


@counted_log_prob.register(_INDEPENDENT)
def _(distribution: tfd.Independent, value: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    entries, ndims = distribution.distribution, distribution.event_shape.rank
    if entries.event_shape.rank:
        return counted_log_prob.dispatch(tfd.Distribution)(entries, value, counted)
    counts = counted > 0
    found = tf.where(counts, entries.log_prob(_held(value, counts)), 0.0)
    return tf.reduce_sum(found, axis=list(range(-ndims, 0)))


@counted_log_prob.register
def _(distribution: IndependentPixels, value: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    counts, logits = counted > 0, distribution.distribution.logits
    certain = tfd.Bernoulli(logits=tf.where(counts, logits, _CERTAIN), dtype=distribution.dtype)
    pixels = IndependentPixels(certain, distribution.event_shape.rank)
    return pixels.log_prob(_held(value, counts))


@counted_log_prob.register
def _(distribution: BatchScaleNormal, value: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    counts = counted > 0
    return distribution.counted_log_prob(_held(value, counts), counts)


@counted_log_prob.register
def _(distribution: Blocks, value: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    parts = (tf.split(tensor, distribution.sizes, axis=-1) for tensor in (value, counted))
    blocks = zip(distribution.distributions, *parts, strict=True)
    return tf.add_n([counted_log_prob(block, x, counts) for block, x, counts in blocks])


@counted_log_prob.register
def _(distribution: LogisticMixtureLevels, value: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    counts = counted > 0
    found = distribution.log_prob_of_pixels(_held(value, counts))
    return tf.reduce_sum(tf.where(counts[..., 0], found, 0.0), axis=[-2, -1])


def _held(value: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """The value where it counts, and 0 elsewhere: nothing of it reaches a gradient, nor NaN."""
    return tf.where(counts, value, tf.zeros([], value.dtype))
