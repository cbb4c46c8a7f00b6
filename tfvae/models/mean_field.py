"""A mean-field posterior of weights, in the nats of one example."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

import tfvae.random

WEIGHTS_KL = "weights_kl"

# Of the prior's scale, where the scales begin: as the prior's own, they would drown fresh weights.
_START = 0.1

Drawn = Sequence[tuple[keras.Variable, tf.Tensor]]


class MeanField(keras.layers.Layer):
    """q(w) = prod_i N(w_i; mu_i, s_i^2) of the weights of a layer, against w_i ~ N(0, s^2).

        w = mu + s_i eps,   eps ~ N(0, I)
        KL(q(w) || p(w)) = sum_i ((mu_i^2 + s_i^2) / s^2 - 1) / 2 - log(s_i / s)

    The means are the layer's own variables: whoever uses it without a draw, as evaluation and
    exported files do, has the posterior's mean, which for independent Normals is its mode. This
    holds the logarithms of the s_i. The bound of N examples, per example, is

        1/N log p(X) >= E_q(w)[1/N sum_n log p(x_n|w)] - KL(q(w) || p(w)) / N

    Args:
        scale: s, above 0.
        **kwargs: Keras layer arguments.

    References:
        D. P. Kingma and M. Welling, 2013, arXiv:1312.6114, appendix F. C. Blundell et al., 2015,
        "Weight Uncertainty in Neural Networks", arXiv:1505.05424, section 3.2 and eq. 9 with
        pi = 1/M. Departure: the KL in closed form, not of the draw; the scale is exp, not softplus.
    """

    def __init__(self, scale: float, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self.scale = scale
        self.log_scales: list[keras.Variable] = []

    def build_for(self, layer: keras.layers.Layer) -> None:
        """Makes a log-scale for each weight that trains, or would if it were not frozen."""
        start = keras.initializers.Constant(math.log(_START * self.scale))
        self.log_scales = [
            self.add_weight(shape=mean.shape, initializer=start, name=f"log_scale_{i}")
            for i, mean in enumerate(_weights(layer))
        ]
        self.built = True

    def idle(self, layer: keras.layers.Layer) -> list[keras.Variable]:
        """Returns the log-scales of weights that are frozen: those are constants, without a q."""
        trained = {i for i, *_ in self._training(layer)}
        return [scale for i, scale in enumerate(self.log_scales) if i not in trained]

    def draw(self, layer: keras.layers.Layer, seed: tf.Tensor) -> Drawn:
        """Returns a draw of each weight that trains.

        Args:
            layer: that this was built for.
            seed: of the step, int32 `[2]`; the same on all replicas, so that they draw the same.
        """
        key, drawn = tfvae.random.bits((), seed[0], seed[1]), []
        for i, mean, log_scale in self._training(layer):
            noise = tfvae.random.normal(tuple(mean.shape), key, stream=i)
            offset = tf.cast(tf.exp(log_scale) * noise, mean.dtype)
            drawn.append((mean, tf.convert_to_tensor(mean) + offset))
        return drawn

    def nats(self, layer: keras.layers.Layer, num_examples: Any) -> tf.Tensor:
        """Returns KL(q(w) || p(w)) / N, a scalar; 0 where N is 0, of a model never fitted."""
        total = tf.zeros([])
        for _, mean, log_scale in self._training(layer):
            mu = tf.cast(tf.convert_to_tensor(mean), tf.float32) / self.scale
            log_ratio = tf.convert_to_tensor(log_scale) - math.log(self.scale)
            squares = tf.square(mu) + tf.exp(2.0 * log_ratio)
            total += tf.reduce_sum(0.5 * (squares - 1.0) - log_ratio)
        return tf.math.divide_no_nan(total, tf.cast(num_examples, tf.float32))

    def _training(self, layer: keras.layers.Layer) -> list[tuple[int, Any, Any]]:
        """Number, mean and log-scale of each weight that trains."""
        pairs = zip(_weights(layer), self.log_scales, strict=bool(self.log_scales))
        return [(i, mean, s) for i, (mean, s) in enumerate(pairs) if mean.trainable]


@contextlib.contextmanager
def drawn_weights(layer: keras.layers.Layer, drawn: Drawn) -> Iterator[None]:
    """Lets a layer compute with drawn weights; what it notes and charges meanwhile, it keeps.

    Args:
        layer: whose variables they are.
        drawn: variables and what stands in their place; none leaves the layer as it is.
    """
    if not drawn:
        yield
        return
    with keras.StatelessScope(drawn, collect_losses=True) as scope:
        yield
    for loss in scope.losses:  # such as of an activity regulariser
        layer.add_loss(loss)
    for variable in layer.non_trainable_variables:  # such as moving means
        noted = scope.get_current_value(variable)
        if noted is not None:
            variable.assign(noted)


def _weights(layer: keras.layers.Layer) -> list[keras.Variable]:
    """The weights of a layer that train, and those that would if they were not frozen."""
    return [w for part in layer._flatten_layers() for w in part._trainable_variables]
