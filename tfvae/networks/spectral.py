"""A penalty on the largest singular values of convolutions."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import real

_ITERATIONS = 4  # of the power iteration in a step, as the authors of NVAE have it
_LEAST = 1e-3  # of a norm that is divided by, likewise


class SpectralNorm(keras.layers.Layer):
    """The largest singular value of a kernel, by a power iteration that goes on from step to step.

        v <- M u / |M u|,   u <- M' v / |M' v|,   s = v' M u           M the kernel [h w C, F]

    u is a weight, and moves in training alone. The estimate is at most the largest singular value
    and tends to it as long as the kernel changes slowly; its gradient is v u'. The kernel of a
    depthwise convolution is a matrix of blocks [h w, 1], and s the norm of the largest, exactly.

    Args:
        depthwise: Whether the kernel `[h, w, C, 1]` is one for each channel.
        **kwargs: Keras layer arguments.

    Shapes: kernel `[h, w, C, F]` -> a scalar.

    References:
        Y. Yoshida and T. Miyato, 2017, "Spectral Norm Regularization for Improving the
        Generalizability of Deep Learning", arXiv:1705.10941, algorithm 1.
    """

    def __init__(self, depthwise: bool = False, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.depthwise = depthwise

    def build(self, kernel_shape: Sequence[int]) -> None:
        """Creates u, the same of every kernel of this size."""
        if not self.depthwise:
            self.u = self.add_weight(
                shape=(kernel_shape[-1],),
                initializer=keras.initializers.RandomNormal(seed=0),
                trainable=False,
                name="u",
            )

    def call(self, kernel: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns s, after an iteration where u may move."""
        kernel = tf.cast(kernel, tf.float32)
        if self.depthwise:
            squares = tf.reduce_sum(tf.square(kernel), axis=[0, 1])
            return tf.sqrt(tf.reduce_max(squares))
        matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
        held, u = tf.stop_gradient(matrix), tf.convert_to_tensor(self.u)
        for _ in range(_ITERATIONS):
            v = _normalised(tf.linalg.matvec(held, u))
            u = _normalised(tf.linalg.matvec(held, v, transpose_a=True))
        if training and self.trainable:
            self.u.assign(tf.where(tf.norm(u) > 0.0, u, self.u))  # of a kernel of zeros none
        return tf.tensordot(tf.stop_gradient(v), tf.linalg.matvec(matrix, tf.stop_gradient(u)), 1)


class SpectrallyPenalised(keras.layers.Layer):
    """A layer that adds to the loss, while it trains, what its convolutions may stretch.

        lambda (sum_k s(W_k) + sum_n max_c |g_nc|)

    W_k are the kernels of its convolutions, s the largest singular value, and g_n the scales of its
    normalisations.

    Args:
        spectral_weight: lambda, at least 0; at 0 nothing is added.
        **kwargs: Keras layer arguments.

    Raises:
        UserError: if lambda is below 0.

    References:
        A. Vahdat and J. Kautz, 2020, "NVAE", arXiv:2007.03898, eq. 5 and section 3.1 (the scales).
        Departure: of a depthwise kernel they take the matrix whose rows are channels.
    """

    def __init__(self, spectral_weight: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.spectral_weight = real("spectral_weight", spectral_weight, minimum=0.0)
        self.spectral_norms: list[SpectralNorm] = []

    def watch(self, layers: Sequence[keras.layers.Layer]) -> None:
        """Makes what estimates the norms of these layers' kernels, as soon as they are built."""
        if not self.spectral_weight:
            return
        self.spectral_norms = [
            SpectralNorm(_is_depthwise(layer), name=f"spectral_norm_{number}")
            for number, layer in enumerate(_convolutions(layers))
        ]
        for norm, layer in zip(self.spectral_norms, _convolutions(layers), strict=True):
            norm.build(tuple(layer.kernel.shape))

    def add_penalty(self, layers: Sequence[keras.layers.Layer], training: bool | None) -> None:
        """Adds to the loss what the layers that are watched stretch."""
        if not (training and self.spectral_weight):
            return
        norms = [
            norm(layer.kernel.value, training=training)
            for norm, layer in zip(self.spectral_norms, _convolutions(layers), strict=True)
        ]
        scales = [
            tf.reduce_max(tf.abs(tf.cast(layer.gamma.value, tf.float32)))
            for layer in layers
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        self.add_loss(self.spectral_weight * tf.add_n([*norms, *scales]))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "spectral_weight": self.spectral_weight}


def _convolutions(layers: Sequence[keras.layers.Layer]) -> list[keras.layers.Layer]:
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return [layer for layer in layers if isinstance(layer, kinds)]


def _is_depthwise(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.DepthwiseConv2D)


def _normalised(vector: tf.Tensor) -> tf.Tensor:
    return vector / tf.maximum(tf.norm(vector), _LEAST)
