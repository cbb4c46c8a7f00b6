"""Monotone rational-quadratic splines on an interval, the identity outside of it."""

from typing import NamedTuple

import tensorflow as tf

from tfvae.distributions.scales import positive_diagonal

# Of a bin's share of the interval: a slope stays finite.
_MINIMUM_SHARE = 1e-3
# The shares of all bins together leave three quarters of the interval to be learned.
MOST_BINS = 256


class Spline(NamedTuple):
    """K bins between K + 1 knots.

    Attributes:
        x, y: of the knots, rising from -bound to bound, `[..., K + 1]`.
        slopes: dy/dx at the knots, positive and 1 at both ends, `[..., K + 1]`.
    """

    x: tf.Tensor
    y: tf.Tensor
    slopes: tf.Tensor


class _Bin(NamedTuple):
    """Of the bin that a number lies in: its lower left corner, its size, the slopes at its ends."""

    x: tf.Tensor
    y: tf.Tensor
    width: tf.Tensor
    height: tf.Tensor
    left: tf.Tensor
    right: tf.Tensor

    @property
    def slope(self) -> tf.Tensor:
        return self.height / self.width

    @property
    def excess(self) -> tf.Tensor:
        return self.left + self.right - 2.0 * self.slope


def spline(numbers: tf.Tensor, num_bins: int, bound: float) -> Spline:
    """Returns the spline of unconstrained numbers; zeros are the identity.

    Args:
        numbers: `[..., 3 K - 1]`.
        num_bins: K.
        bound: B, of the interval [-B, B].
    """
    widths, heights, inner = tf.split(numbers, [num_bins, num_bins, num_bins - 1], axis=-1)
    ends = [[0, 0]] * (numbers.shape.rank - 1)
    slopes = tf.pad(positive_diagonal(inner), [*ends, [1, 1]], constant_values=1.0)
    return Spline(_knots(widths, bound), _knots(heights, bound), slopes)


def along(found: Spline, x: tf.Tensor, bound: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns y at x and log dy/dx, both `[...]`."""
    inside = tf.abs(x) <= bound
    at = tf.clip_by_value(x, -bound, bound)
    b = _bin(found, found.x, at)
    xi = (at - b.x) / b.width
    y = b.y + b.height * (b.slope * tf.square(xi) + b.left * xi * (1.0 - xi)) / _below(b, xi)
    return tf.where(inside, y, x), tf.where(inside, _log_slope(b, xi), 0.0)


def back(found: Spline, y: tf.Tensor, bound: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns x at y and log dx/dy: the root of a quadratic equation in its bin."""
    inside = tf.abs(y) <= bound
    at = tf.clip_by_value(y, -bound, bound)
    b = _bin(found, found.y, at)
    above = at - b.y
    quadratic = b.height * (b.slope - b.left) + above * b.excess
    linear = b.height * b.left - above * b.excess
    constant = -b.slope * above
    # Rounding takes it below 0, and 0 has no gradient.
    discriminant = tf.maximum(tf.square(linear) - 4.0 * quadratic * constant, 1e-12)
    xi = tf.clip_by_value(2.0 * constant / (-linear - tf.sqrt(discriminant)), 0.0, 1.0)
    return tf.where(inside, b.x + xi * b.width, y), tf.where(inside, -_log_slope(b, xi), 0.0)


def _knots(numbers: tf.Tensor, bound: float) -> tf.Tensor:
    num_bins = numbers.shape[-1]
    shares = _MINIMUM_SHARE + (1.0 - num_bins * _MINIMUM_SHARE) * tf.nn.softmax(numbers)
    inner = 2.0 * bound * tf.cumsum(shares[..., :-1], axis=-1) - bound
    ends = [[0, 0]] * (numbers.shape.rank - 1)
    inner = tf.pad(inner, [*ends, [1, 0]], constant_values=-bound)
    return tf.pad(inner, [*ends, [0, 1]], constant_values=bound)


def _bin(found: Spline, knots: tf.Tensor, at: tf.Tensor) -> _Bin:
    """Picks by comparisons and sums: TFLite has no search in a sorted row, and XLA's is slow."""
    above = tf.cast(at[..., tf.newaxis] >= knots[..., 1:-1], at.dtype)
    ends = [[0, 0]] * (above.shape.rank - 1)
    # 1 in the last bin whose lower knot is not above: [1, a_1, ..] - [a_1, a_2, .., 0].
    here = tf.pad(above, [*ends, [1, 0]], constant_values=1.0) - tf.pad(above, [*ends, [0, 1]])

    def picked(values: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(here * values, axis=-1)

    def sizes(values: tf.Tensor) -> tf.Tensor:
        return values[..., 1:] - values[..., :-1]

    return _Bin(
        picked(found.x[..., :-1]),
        picked(found.y[..., :-1]),
        picked(sizes(found.x)),
        picked(sizes(found.y)),
        picked(found.slopes[..., :-1]),
        picked(found.slopes[..., 1:]),
    )


def _below(b: _Bin, xi: tf.Tensor) -> tf.Tensor:
    return b.slope + b.excess * xi * (1.0 - xi)


def _log_slope(b: _Bin, xi: tf.Tensor) -> tf.Tensor:
    rest = 1.0 - xi
    above = b.right * tf.square(xi) + 2.0 * b.slope * xi * rest + b.left * tf.square(rest)
    return 2.0 * tf.math.log(b.slope) + tf.math.log(above) - 2.0 * tf.math.log(_below(b, xi))
