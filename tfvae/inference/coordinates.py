"""z in units of q(z|x), in which chains walk."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf


class Coordinates(NamedTuple):
    """A change of variables from z to u, of which q(z|x) has mean 0 and standard deviation 1.

    Of several levels it is not centred: u of a level is in units of q of it given the levels
    before, so that those may move though the scale of this one, and where it lies, depend on them.

    Attributes:
        of: z `[S, B, ...]`, or a nest of such, to u of the same shapes.
        place: u to z, and to log |dz/du| `[S, B]`, or less where it depends on no draw.

    References:
        O. Papaspiliopoulos, G. O. Roberts, M. Skold, 2007, "A general framework for the
        parametrization of hierarchical models", arXiv:0708.3797, section 2.
    """

    of: Callable[[Any], Any]
    place: Callable[[Any], tuple[Any, tf.Tensor]]


def standardised_by(mean: Any, scale: Any) -> Coordinates:
    """Those of one mean and standard deviation for all draws.

    Args:
        mean: `[B, ...]`, or a nest of such.
        scale: likewise.
    """

    def mapped(function: Callable[..., tf.Tensor], z: Any) -> Any:
        parts = map(tf.nest.flatten, (z, mean, scale))
        return tf.nest.pack_sequence_as(z, [function(*part) for part in zip(*parts, strict=True)])

    scales = tf.nest.flatten(scale)
    log_scale = tf.add_n([tf.reduce_sum(tf.math.log(s), range(1, s.shape.rank)) for s in scales])
    return Coordinates(
        lambda z: mapped(lambda part, m, s: (part - m) / s, z),
        lambda u: (mapped(lambda part, m, s: m + s * part, u), log_scale),
    )
