"""Quantiles of distributions over vectors whose coordinates are independent."""

import functools

import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions


@functools.singledispatch
def coordinate_quantiles(distribution: tfd.Distribution, probabilities: tf.Tensor) -> tf.Tensor:
    """Returns z with P(z'_d <= z_d) = probabilities_d, both `[..., D]`, for each coordinate d.

    Raises:
        NotImplementedError: for coordinates that are dependent, or have no quantile function.
    """
    raise NotImplementedError(f"{type(distribution).__name__} has no coordinates to look at alone.")


@coordinate_quantiles.register
def _(distribution: tfd.MultivariateNormalDiag, probabilities: tf.Tensor) -> tf.Tensor:
    return tfd.Normal(distribution.loc, distribution.stddev()).quantile(probabilities)


# The base of `tfd.Independent`: see `tfvae.distributions.draws`.
@coordinate_quantiles.register(tfd.Independent.__base__)
def _(distribution: tfd.Independent, probabilities: tf.Tensor) -> tf.Tensor:
    if distribution.distribution.event_shape.rank or distribution.event_shape.rank != 1:
        raise NotImplementedError("Only vectors of numbers have coordinates to look at alone.")
    return distribution.distribution.quantile(probabilities)
