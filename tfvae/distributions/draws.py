"""Draws as deterministic functions of a distribution's parameters and of noise, with their density.

TFP's `sample` takes a seed and gives draws that no other runtime repeats; here a draw is a function
of `tfvae.noise.Noise`, and its log-density comes forward with it: nothing is inverted or solved to
find again the noise that it was made of.
"""

import functools
import math
from typing import NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.errors import UserError
from tfvae.noise import Noise

tfd = tfp.distributions

# TFP makes instances of these bases, and not of the classes that it exports, of parts that are no
# composite tensors: of a masked autoregressive flow, and of independent copies of one.
_INDEPENDENT, _TRANSFORMED = tfd.Independent.__base__, tfd.TransformedDistribution.__base__
# Families of loc + scale * (a draw that knows of neither): a temperature is a factor on scale.
_LOCATION_SCALE = (tfd.Laplace, tfd.Logistic, tfd.Cauchy, tfd.StudentT)


class NoTemperatureError(UserError):
    """A temperature was given to draws that have no spread to widen."""


class Draw(NamedTuple):
    """A draw, or a nest of them, one for each latent of a model.

    Attributes:
        z: `[*leading, *event]`, or a nest of such.
        log_prob: log q(z), `[*leading]`, differentiable in the parameters through z and directly.
    """

    z: tf.Tensor
    log_prob: tf.Tensor


def draw(distribution: tfd.Distribution, noise: Noise) -> Draw:
    """Draws z ~ q from noise.

        Normals           z = mu + L eps                 log q = -|eps|^2 / 2 - D log(2 pi) / 2 - log |L|
        function of base  z = f(z_0), z_0 ~ q_0          log q = log q_0(z_0) - log |df/dz_0|
        with a quantile   z = F^-1(u), u uniform         log q = log_prob(z)
        bits              z = [u < P(z = 1)]             log q = log_prob(z)
        log-concrete      z = log softmax((a + g) / t)   log q = log_prob(z), g Gumbel

    Independent copies of these are drawn likewise, entry by entry. Everything else comes from the
    distribution's own sampler, seeded by the noise: repeatable, but not in other runtimes.

    The noise's temperature is a factor on each scale, of Normals and of other families with a
    location and a scale, such as Laplace's; log q is then not that of what was drawn.

    Args:
        distribution: q, batch shape `[B]` or `[]`.
        noise: of leading shape `[S, B]`; `[N]` or whatever is wanted for the batch shape `[]`.

    Returns:
        z `[*leading, *event]` and log q(z) `[*leading]`.

    Raises:
        NoTemperatureError: for a temperature other than 1, of a distribution without a scale.

    Example:
        >>> q = tfd.MultivariateNormalDiag(tf.zeros([3, 2]), tf.ones([3, 2]))
        >>> draw(q, Noise(1, row=tf.range(3))).z.shape.as_list()
        [3, 2]
    """  # noqa: E501
    return draw_of(distribution, noise, tuple(distribution.event_shape))


@functools.singledispatch
def draw_of(distribution: tfd.Distribution, noise: Noise, shape: tuple[int, ...]) -> Draw:
    """A draw by the kind of its distribution: what others register their own with.

    Args:
        distribution: q.
        noise: of leading shape `[*leading]`.
        shape: of the numbers that a draw has, those of independent entries included.
    """
    try:
        z = distribution.quantile(_shaped(noise.uniform(math.prod(shape)), shape))
    except NotImplementedError:
        refuse_temperature(distribution, noise)
        return _sampled(distribution, noise, shape)
    if isinstance(distribution, _LOCATION_SCALE):
        z = distribution.loc + noise.widened(z - distribution.loc, len(shape))
    else:
        refuse_temperature(distribution, noise)
    return Draw(z, distribution.log_prob(z))


@draw_of.register
def _(distribution: tfd.MultivariateNormalLinearOperator, noise: Noise, shape: tuple) -> Draw:
    eps = _shaped(noise.normal(math.prod(shape)), shape)
    log_prob = standard_log_prob(eps) - distribution.scale.log_abs_determinant()
    return Draw(distribution.loc + matvec(distribution.scale, eps), log_prob)


@draw_of.register
def _(distribution: tfd.Normal, noise: Noise, shape: tuple) -> Draw:
    eps = _shaped(noise.normal(math.prod(shape)), shape)
    z = distribution.loc + distribution.scale * eps
    return Draw(z, distribution.log_prob(z))


@draw_of.register
def _(distribution: tfd.Bernoulli, noise: Noise, shape: tuple) -> Draw:
    refuse_temperature(distribution, noise)
    uniform = _shaped(noise.uniform(math.prod(shape)), shape)
    z = tf.cast(uniform < distribution.probs_parameter(), distribution.dtype)
    return Draw(z, distribution.log_prob(z))


@draw_of.register
def _(distribution: tfd.ExpRelaxedOneHotCategorical, noise: Noise, shape: tuple) -> Draw:
    refuse_temperature(distribution, noise)
    uniform = _shaped(noise.uniform(math.prod(shape)), shape)
    gumbel = -tf.math.log(-tf.math.log(uniform))
    scaled = (distribution.logits_parameter() + gumbel) / distribution.temperature
    z = tf.nn.log_softmax(scaled)
    return Draw(z, distribution.log_prob(z))


@draw_of.register(_INDEPENDENT)
def _(distribution: tfd.Independent, noise: Noise, shape: tuple) -> Draw:
    entries = draw_of(distribution.distribution, noise, shape)
    ndims = distribution.event_shape.rank - distribution.distribution.event_shape.rank
    return Draw(entries.z, tf.reduce_sum(entries.log_prob, axis=list(range(-ndims, 0))))


@draw_of.register(_TRANSFORMED)
def _(distribution: tfd.TransformedDistribution, noise: Noise, shape: tuple) -> Draw:
    base, bijector = distribution.distribution, distribution.bijector
    copies = shape[: len(shape) - distribution.event_shape.rank]
    before = draw_of(base, noise, (*copies, *base.event_shape))
    ndims = base.event_shape.rank
    log_volume = bijector.forward_log_det_jacobian(before.z, ndims)
    return Draw(bijector.forward(before.z), before.log_prob - log_volume)


def refuse_temperature(distribution: tfd.Distribution, noise: Noise) -> None:
    """Raises `NoTemperatureError` where a temperature was given to what has no scale."""
    if noise.temperature is not None:
        raise NoTemperatureError(
            f"Draws of {type(distribution).__name__} have no scale that a temperature could be a "
            "factor on: the temperature must be 1."
        )


def _shaped(numbers: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    """Numbers `[*leading, N]` as `[*leading, *shape]`."""
    if len(shape) == 1:
        return numbers
    return tf.reshape(numbers, tf.concat([tf.shape(numbers)[:-1], shape], axis=0))


def _sampled(distribution: tfd.Distribution, noise: Noise, shape: tuple[int, ...]) -> Draw:
    leading = tf.shape(noise.words())
    entries = len(shape) - distribution.event_shape.rank  # axes of the batch that are no examples
    count = leading[: tf.size(leading) - (distribution.batch_shape.rank - entries)]
    return Draw(*distribution.experimental_sample_and_log_prob(count, seed=noise.stateless_seed()))


def standard_log_prob(eps: tf.Tensor) -> tf.Tensor:
    """log N(eps; 0, I)."""
    constant = 0.5 * eps.shape[-1] * math.log(2.0 * math.pi)
    return -0.5 * tf.reduce_sum(tf.square(eps), axis=-1) - constant


def matvec(scale: tf.linalg.LinearOperator, noise: tf.Tensor) -> tf.Tensor:
    """Returns L eps for eps `[S, B, D]` and L of batch shape `[B]`, or others that broadcast.

    A lower triangular L goes by one product for each example, instead of one for each draw; other
    operators know best.
    """
    lower = type(scale) is tf.linalg.LinearOperatorLowerTriangular
    if noise.shape.rank != 3 or scale.batch_shape.rank > 1 or not lower:
        return scale.matvec(noise)
    if noise.shape[0] == 1:
        return scale.matvec(noise[0])[tf.newaxis]
    return tf.transpose(scale.matmul(tf.transpose(noise, [1, 2, 0])), [2, 0, 1])
