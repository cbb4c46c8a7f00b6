"""Mean and standard deviation of a distribution, from draws where there is no closed form."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.draws import Draw
from tfvae.noise import Noise

tfd = tfp.distributions

# Where there is no closed form: the mean's error is a sixteenth of a standard deviation.
DRAWS = 256
_SEED = 20_131_220


class Moments(NamedTuple):
    """Mean and standard deviation, `[B, *event]`.

    Attributes:
        mean: E[z].
        stddev: sqrt(Var[z]), entry by entry.
        exact: False where they come from `DRAWS` draws.
    """

    mean: tf.Tensor
    stddev: tf.Tensor
    exact: bool


def moments(
    distribution: tfd.Distribution, draw: Callable[[tfd.Distribution, Noise], Draw]
) -> Moments:
    """Returns the moments of q: TFP's, or of `DRAWS` draws from one fixed noise.

    The draws are the same in every call and for every row, so the result is a function of q alone;
    its error is that of 256 draws. (Where q has only TFP's sampler, each row has its own numbers.)

    Args:
        distribution: q, batch shape `[B]`.
        draw: q and noise to a draw, such as a head's.
    """
    mean, stddev = _closed_form(distribution.mean), _closed_form(distribution.stddev)
    exact = mean is not None and stddev is not None
    if not exact:
        rows = tf.zeros(distribution.batch_shape_tensor(), tf.int32)
        z = draw(distribution, Noise(_SEED, row=tf.range(DRAWS)[:, tf.newaxis] + rows)).z
        mean = tf.reduce_mean(z, axis=0) if mean is None else mean
        stddev = tf.math.reduce_std(z, axis=0) if stddev is None else stddev
    return Moments(mean, stddev, exact)


def _closed_form(statistic: Callable[[], tf.Tensor]) -> tf.Tensor | None:
    try:
        return statistic()
    except NotImplementedError:
        return None
