"""Residual cells of deep hierarchies: what their convolutional networks are made of."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE, positive_int, real
from tfvae.networks.normalisation import MapNormalization
from tfvae.networks.spectral import SpectrallyPenalised

_MOMENTUM = 0.95  # of the moving statistics, as the authors' code has it
_EPSILON = 1e-5  # likewise: a channel that is the same everywhere has no variance to divide by
_SQUEEZE = 16  # channels that one squeezed feature stands for


@keras.saving.register_keras_serializable("tfvae")
class SqueezeExcitation(keras.layers.Layer):
    """Each channel by a weight in (0, 1) that the whole map says.

        y = x sigmoid(W_2 relu(W_1 mean over places of x + b_1) + b_2)

    Args:
        **kwargs: Keras layer arguments.

    Shapes: `x [B, H, W, C] -> y [B, H, W, C]`; inside max(C / 16, 4) features.

    Example:
        >>> import numpy as np
        >>> SqueezeExcitation()(np.ones((3, 4, 4, 8), "float32")).shape.as_list()
        [3, 4, 4, 8]

    References:
        J. Hu, L. Shen and G. Sun, 2018, "Squeeze-and-Excitation Networks", arXiv:1709.01507, eq. 2
        to 4; the least of four features is that of NVAE's code.
    """

    def build(self, input_shape: Any) -> None:
        """Creates the two dense layers."""
        channels = input_shape[-1]
        inside = max(channels // _SQUEEZE, 4)
        options = {"dtype": self.dtype_policy}
        self.squeeze = keras.layers.Dense(inside, activation="relu", name="squeeze", **options)
        self.excite = keras.layers.Dense(channels, activation="sigmoid", name="excite", **options)
        self.squeeze.build((None, channels))
        self.excite.build((None, inside))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Returns the weighted channels."""
        weights = self.excite(self.squeeze(tf.reduce_mean(inputs, axis=[1, 2])))
        return inputs * weights[:, tf.newaxis, tf.newaxis, :]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns the shape of the inputs."""
        return tuple(input_shape)


class _Cell(SpectrallyPenalised):
    """x + residual_scale branch(x), and the arguments that both cells share."""

    branch: list[keras.layers.Layer]

    def __init__(
        self,
        residual_scale: float = 1.0,
        zero_start: bool = False,
        spectral_weight: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(spectral_weight, **kwargs)
        self.residual_scale = real("residual_scale", residual_scale, above=0.0)
        self.zero_start = bool(zero_start)
        self.excitation = SqueezeExcitation(dtype=self.dtype_policy, name="excitation")

    def convolution(self, name: str, filters: int, size: int, **options: Any) -> keras.layers.Layer:
        """Returns a convolution of the layer's own precision, of a map's own size."""
        options = {"padding": "same", "dtype": self.dtype_policy, "name": name, **options}
        return keras.layers.Conv2D(filters, size, **options)

    def normalisation(self, name: str, **options: Any) -> MapNormalization:
        """Returns a normalisation over the batch and all places."""
        return MapNormalization(
            momentum=_MOMENTUM, epsilon=_EPSILON, dtype=self.dtype_policy, name=name, **options
        )

    def build(self, input_shape: Any) -> None:
        """Creates the weights of the branch, which keeps the number of channels."""
        shape = tuple(input_shape)
        self.branch = self.make_branch(shape[-1])
        for layer in self.branch:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.excitation.build(shape)
        self.watch(self.branch)

    def make_branch(self, channels: int) -> list[keras.layers.Layer]:
        """Returns the layers of the branch in order, new."""
        raise NotImplementedError

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns the maps with the branch's share."""
        self.add_penalty(self.branch, training)
        return self.added(inputs, self.along_branch(inputs, training))

    def along_branch(self, inputs: tf.Tensor, training: bool | None) -> tf.Tensor:
        """Returns what the branch makes of the maps, its channels not weighted yet."""
        raise NotImplementedError

    def added(self, inputs: tf.Tensor, branch: tf.Tensor) -> tf.Tensor:
        """Returns what comes in and the branch's share, its channels weighted."""
        return inputs + self.residual_scale * self.excitation(branch)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns the shape of the inputs."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = {"residual_scale": self.residual_scale, "zero_start": self.zero_start}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("tfvae")
class InferenceCell(_Cell):
    """The residual cell of an encoder: two 3x3 convolutions.

        y = x + c SE(W_2 * swish(BN(W_1 * swish(BN(x)))))

    Args:
        residual_scale: c, above 0, default 1. NVAE's code has 0.1, and Child 2021 about 1 / sqrt(N)
            for a network of N cells: for deep ones.
        zero_start: Whether W_2 starts at zero, so that the cell starts as the identity (Child
            2021). Default False.
        spectral_weight: Of a penalty on what the branch stretches, at least 0, default 0, none; see
            `SpectrallyPenalised`. NVAE has 0.01 to 0.1.
        **kwargs: Keras layer arguments.

    Shapes: `x [B, H, W, C] -> y [B, H, W, C]`.

    Raises:
        UserError: if `residual_scale` is not above 0, or `spectral_weight` below 0.

    Example:
        >>> import numpy as np
        >>> InferenceCell()(np.zeros((3, 4, 4, 8), "float32")).shape.as_list()
        [3, 4, 4, 8]

    References:
        A. Vahdat and J. Kautz, 2020, "NVAE", arXiv:2007.03898, figure 3b. R. Child, 2021, "Very
        Deep VAEs", arXiv:2011.10650, section 3.2.
    """

    def make_branch(self, channels: int) -> list[keras.layers.Layer]:
        """Makes normalisation and convolution, twice; a bias that the next would undo is none."""
        last = {"kernel_initializer": "zeros"} if self.zero_start else {}
        return [
            self.normalisation("normalisation_0"),
            self.convolution("conv_0", channels, 3, use_bias=False),
            self.normalisation("normalisation_1"),
            self.convolution("conv_1", channels, 3, **last),
        ]

    def along_branch(self, inputs: tf.Tensor, training: bool | None) -> tf.Tensor:
        """Returns what the branch makes of the maps."""
        first, conv, second, last = self.branch
        features = conv(tf.nn.silu(first(inputs, training=training)))
        return last(tf.nn.silu(second(features, training=training)))


@keras.saving.register_keras_serializable("tfvae")
class GenerativeCell(_Cell):
    """The residual cell of a decoder: a wide depthwise convolution between two of one pixel.

        h = swish(BN(W_1 * BN(x)))                  1x1, to expansion C channels
        h = swish(BN(W_2 * h))                      each channel by itself
        y = x + c SE(BN(W_3 * h))                   1x1, back to C channels

    Against `InferenceCell`: a wider field for fewer weights, at more memory.

    Args:
        expansion: Channels inside for each of the map's, at least 1. Default 6.
        kernel_size: Side of the depthwise kernels in pixels, default 5.
        residual_scale: c, above 0, default 1. NVAE's code has 0.1, and Child 2021 about 1 / sqrt(N)
            for a network of N cells: for deep ones.
        zero_start: Whether the last normalisation's scale starts at zero, so that the cell starts
            as the identity (Child 2021). Default False.
        spectral_weight: Of a penalty on what the branch stretches, at least 0, default 0, none; see
            `SpectrallyPenalised`. NVAE has 0.01 to 0.1.
        **kwargs: Keras layer arguments.

    Shapes: `x [B, H, W, C] -> y [B, H, W, C]`.

    Raises:
        UserError: if a count is not a positive integer, `residual_scale` not above 0, or
            `spectral_weight` below 0.

    Example:
        >>> import numpy as np
        >>> GenerativeCell(expansion=3)(np.zeros((3, 4, 4, 8), "float32")).shape.as_list()
        [3, 4, 4, 8]

    References:
        A. Vahdat and J. Kautz, 2020, "NVAE", arXiv:2007.03898, figure 3a.
    """

    def __init__(
        self,
        expansion: int = 6,
        kernel_size: int = 5,
        residual_scale: float = 1.0,
        zero_start: bool = False,
        spectral_weight: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(residual_scale, zero_start, spectral_weight, **kwargs)
        self.expansion = positive_int("expansion", expansion, maximum=1000)
        self.kernel_size = positive_int("kernel_size", kernel_size, maximum=LARGEST_SIZE)

    def make_branch(self, channels: int) -> list[keras.layers.Layer]:
        """Makes the layers; an offset or a bias that the next normalisation undoes is none."""
        last = {"gamma_initializer": "zeros"} if self.zero_start else {}
        wide = keras.layers.DepthwiseConv2D(
            self.kernel_size,
            padding="same",
            use_bias=False,
            dtype=self.dtype_policy,
            name="depthwise",
        )
        return [
            self.normalisation("normalisation_0", center=False),
            self.convolution("conv_0", self.expansion * channels, 1, use_bias=False),
            self.normalisation("normalisation_1"),
            wide,
            self.normalisation("normalisation_2"),
            self.convolution("conv_1", channels, 1, use_bias=False),
            self.normalisation("normalisation_3", **last),
        ]

    def along_branch(self, inputs: tf.Tensor, training: bool | None) -> tf.Tensor:
        """Returns what the branch makes of the maps."""
        first, expand, second, wide, third, reduce, last = self.branch
        features = expand(first(inputs, training=training))
        features = wide(tf.nn.silu(second(features, training=training)))
        features = reduce(tf.nn.silu(third(features, training=training)))
        return last(features, training=training)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = {"expansion": self.expansion, "kernel_size": self.kernel_size}
        return {**super().get_config(), **own}
