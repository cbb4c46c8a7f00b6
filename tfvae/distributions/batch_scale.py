"""Normal entries whose one scale is the best for a batch, in closed form."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.scales import MINIMUM_SCALE

tfd = tfp.distributions


class BatchScaleNormal(tfd.Independent):
    """prod_i N(x_i; loc_i, sigma^2) with the sigma under which a batch is most likely.

        sigma^2 = mean of (x_i - loc_i)^2    over entries, examples and draws of the batch

    The log-density of a batch of x is the greatest over all sigma; so its gradient in loc is the
    same whether sigma is held constant, as here, or differentiated too. Rows depend on each other.

    Over several replicas, the mean is that of all their rows.

    Args:
        normal: Independent Normal entries; their scale counts in everything but `log_prob`.
        note: Called with sigma^2, a scalar, whenever a batch is evaluated.
        share: Of all replicas' rows, those of this one; 0 where it computes with a row that is
            none of the batch.
    """

    def __init__(self, normal: tfd.Independent, note: Callable[[tf.Tensor], None], share: Any):
        parameters = dict(locals())
        self._note, self._share = note, share
        super().__init__(normal.distribution, normal.reinterpreted_batch_ndims)
        self._parameters = parameters

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        squares = tf.square(tf.stop_gradient(value - self.distribution.loc))
        mean = _sum_over_replicas(self._share * tf.reduce_mean(squares))
        return tfd.Independent(self._fitted(mean), self.reinterpreted_batch_ndims).log_prob(value)

    def counted_log_prob(self, value: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
        """log p of the entries that count, with the scale that is best for these.

        Args:
            value: x, `[..., B, *event]`.
            counts: Whether an entry counts, of its shape.
        """
        errors = tf.stop_gradient(value - self.distribution.loc)
        squares = tf.where(counts, tf.square(errors), 0.0)
        share = tf.reduce_mean(tf.cast(counts, squares.dtype))
        # Both are means over the rows here; the quotient is that over what counts on all replicas.
        parts = [_sum_over_replicas(self._share * x) for x in (tf.reduce_mean(squares), share)]
        fitted = self._fitted(tf.math.divide_no_nan(*parts))
        found = tf.where(counts, fitted.log_prob(value), 0.0)
        return tf.reduce_sum(found, axis=list(range(-self.event_shape.rank, 0)))

    def _fitted(self, mean: tf.Tensor) -> tfd.Normal:
        """The entries with the scale of this squared error, which is noted."""
        variance = tf.maximum(mean, MINIMUM_SCALE**2)
        self._note(variance)
        return tfd.Normal(self.distribution.loc, tf.sqrt(variance))


def _sum_over_replicas(part: tf.Tensor) -> tf.Tensor:
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return part
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, part)
