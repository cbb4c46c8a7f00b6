"""Mean and standard deviation of a distribution, from draws where there is no closed form."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.draws import Draw
from tfvae.noise import Noise

tfd = tfp.distributions

# Where there is no closed form: the mean's error is a sixteenth of a standard deviation.
DRAWS = 256
_SEED = 20_131_220
_NOTED: ContextVar[set[str] | None] = ContextVar("noted", default=None)


class Moments(NamedTuple):
    """Mean and standard deviation, `[B, *event]`.

    Attributes:
        mean: E[z].
        stddev: sqrt(Var[z]), entry by entry.
        drawn: which of "mean" and "stddev" come from `DRAWS` draws.
    """

    mean: tf.Tensor
    stddev: tf.Tensor
    drawn: tuple[str, ...]


@contextmanager
def noting_draws() -> Iterator[set[str]]:
    """Notes which statistics all calls of `moments` within take from draws: "mean", "stddev".

    So whoever shows what a model made can say so, however deep in the model the moments are.
    """
    noted: set[str] = set()
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


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
    found = {"mean": mean, "stddev": stddev}
    drawn = tuple(name for name, value in found.items() if value is None)
    if drawn:
        rows = tf.zeros(distribution.batch_shape_tensor(), tf.int32)
        z = draw(distribution, Noise(_SEED, row=tf.range(DRAWS)[:, tf.newaxis] + rows)).z
        mean = tf.reduce_mean(z, axis=0) if mean is None else mean
        stddev = tf.math.reduce_std(z, axis=0) if stddev is None else stddev
    if (noted := _NOTED.get()) is not None:
        noted.update(drawn)
    return Moments(mean, stddev, drawn)


def _closed_form(statistic: Callable[[], tf.Tensor]) -> tf.Tensor | None:
    try:
        return statistic()
    except NotImplementedError:
        return None
