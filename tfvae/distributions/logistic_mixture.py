"""Mixtures of logistics that are cut into the levels of an image."""

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.draws import Draw, draw_of, refuse_temperature
from tfvae.distributions.log_probabilities import log_probabilities
from tfvae.noise import Noise

tfd = tfp.distributions


class LogisticMixtureLevels(tfd.Distribution):
    """P(x) = prod_pixels sum_k pi_k prod_c P_kc(x_c | x_<c),  x_c = 0, w, 2 w, .., 1.

        P_kc(v)  = F(v + w/2) - F(v - w/2),   F(t) = sigmoid((t - m_kc) / s_kc)
        P_kc(0)  = F(w/2),    P_kc(1) = 1 - F(1 - w/2)        the end bins take the tails
        m_kc     = loc_kc + sum_(c' < c) a_kcc' (x_c' - 1/2)  a channel's mean, given those before

    so log P_kc(v) = log F(v + w/2) + log(1 - F(v - w/2)) + log(1 - exp(-w / s)) within, in which
    nothing cancels.

    The mean is that of the logistics cut off at 0 and 1, before they are rounded to levels, and of
    a channel at the means of those before it: of one channel it is exact but for some hundredths
    of a level where scales are above half a level, and half a level where they are below.

    Args:
        logits: of pi, `[..., H, W, K]`.
        loc: `[..., H, W, C, K]`.
        scale: `[..., H, W, C, K]`, above 0.
        coefficients: a, `[..., H, W, C (C - 1) / 2, K]`, in the order 10, 20, 21, 30, ..; None
            where C is 1.
        spacing: w.
    """

    def __init__(
        self,
        logits: tf.Tensor,
        loc: tf.Tensor,
        scale: tf.Tensor,
        coefficients: tf.Tensor | None,
        spacing: float,
    ):
        parameters = dict(locals())
        self.logits, self.loc, self.scale = logits, loc, scale
        self.coefficients, self.spacing = coefficients, spacing
        super().__init__(
            dtype=loc.dtype,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=False,
            parameters=parameters,
            name="LogisticMixtureLevels",
        )

    @classmethod
    def _parameter_properties(cls, dtype: Any, num_classes: Any = None) -> dict[str, Any]:
        ndims = {"logits": 3, "loc": 4, "scale": 4, "coefficients": 4}
        return {n: tfp.util.ParameterProperties(event_ndims=ndim) for n, ndim in ndims.items()}

    def _batch_shape(self) -> tf.TensorShape:
        return self.logits.shape[:-3]

    def _batch_shape_tensor(self, **_: Any) -> tf.Tensor:
        return tf.shape(self.logits)[:-3]

    def _event_shape(self) -> tf.TensorShape:
        return self.loc.shape[-4:-1]

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.shape(self.loc)[-4:-1]

    @property
    def channels(self) -> int:
        """C."""
        return self.loc.shape[-2]

    def _channel_loc(self, channel: int, before: list[tf.Tensor]) -> tf.Tensor:
        """m of a channel, `[..., H, W, K]`, given the values of those before, `[..., 1 or K]`."""
        loc, first = self.loc[..., channel, :], channel * (channel - 1) // 2
        if self.coefficients is not None:  # of several channels
            for other, value in enumerate(before):
                loc += self.coefficients[..., first + other, :] * (value - 0.5)
        return loc

    def log_prob_of_pixels(self, value: tf.Tensor) -> tf.Tensor:
        """Returns log P of each pixel, `[..., H, W]`, of x `[..., H, W, C]`."""
        half, total = 0.5 * self.spacing, log_probabilities(self.logits)
        values = [value[..., channel, tf.newaxis] for channel in range(self.channels)]
        for channel, x in enumerate(values):
            loc, scale = self._channel_loc(channel, values[:channel]), self.scale[..., channel, :]
            below_upper = tf.math.log_sigmoid((x + half - loc) / scale)
            above_lower = tf.math.log_sigmoid((loc - x + half) / scale)
            within = below_upper + above_lower
            within += tf.math.log(-tf.math.expm1(-self.spacing / scale))
            last = tf.where(x > 1.0 - half, above_lower, within)
            total += tf.where(x < half, below_upper, last)
        return tf.reduce_logsumexp(total, axis=-1)

    def _log_prob(self, value: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(self.log_prob_of_pixels(value), axis=[-2, -1])

    def _mean(self) -> tf.Tensor:
        means: list[tf.Tensor] = []
        for channel in range(self.channels):
            loc, scale = self._channel_loc(channel, means), self.scale[..., channel, :]
            beyond = tf.math.softplus((1.0 - loc) / scale) - tf.math.softplus(-loc / scale)
            means.append(1.0 - scale * beyond)
        probs = tf.exp(log_probabilities(self.logits))
        return tf.stack([tf.reduce_sum(probs * mean, axis=-1) for mean in means], axis=-1)

    def of_uniform(self, numbers: tf.Tensor) -> tf.Tensor:
        """Returns x `[..., H, W, C]` of uniform numbers `[..., H, W, C + 1]`."""
        below = tf.cumsum(tf.exp(log_probabilities(self.logits)), axis=-1)[..., :-1]
        component = tf.reduce_sum(tf.cast(numbers[..., -1:] > below, tf.int32), axis=-1)
        chosen = tf.one_hot(component, self.logits.shape[-1], dtype=self.dtype)
        values: list[tf.Tensor] = []
        for channel in range(self.channels):
            u = numbers[..., channel]
            loc = tf.reduce_sum(chosen * self._channel_loc(channel, values), axis=-1)
            scale = tf.reduce_sum(chosen * self.scale[..., channel, :], axis=-1)
            x = tf.clip_by_value(loc + scale * (tf.math.log(u) - tf.math.log1p(-u)), 0.0, 1.0)
            values.append((tf.round(x / self.spacing) * self.spacing)[..., tf.newaxis])
        return tf.concat(values, axis=-1)

    def _sample_n(self, n: Any, seed: Any = None) -> tf.Tensor:
        shape = tf.concat([[n], tf.shape(self.logits)[:-1], [self.channels + 1]], axis=0)
        seed = tfp.random.sanitize_seed(seed)
        # A number of 0 would have no logarithm.
        return self.of_uniform(tf.random.stateless_uniform(shape, seed, 1e-7, 1.0, self.dtype))


@draw_of.register(LogisticMixtureLevels)
def _(distribution: LogisticMixtureLevels, noise: Noise, shape: tuple[int, ...]) -> Draw:
    refuse_temperature(distribution, noise)
    height, width, channels = shape
    numbers = noise.uniform(height * width * (channels + 1))
    leading = tf.shape(numbers)[:-1]
    z = distribution.of_uniform(
        tf.reshape(numbers, tf.concat([leading, [height, width, channels + 1]], axis=0))
    )
    return Draw(z, distribution.log_prob(z))
