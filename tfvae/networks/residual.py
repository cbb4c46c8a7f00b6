"""Convolutional networks with residual blocks, whose features keep their places in the image."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE, positive_int, positive_ints
from tfvae.errors import UserError
from tfvae.networks.joining import SideBySide


class _Residual(keras.layers.Layer):
    """The arguments and the blocks that both directions share."""

    def __init__(
        self,
        filters: Sequence[int],
        num_blocks: int = 2,
        kernel_size: int = 4,
        activation: Any = "relu",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters = positive_ints("filters", filters)
        self.num_blocks = positive_int("num_blocks", num_blocks, minimum=0, maximum=1000)
        self.kernel_size = positive_int("kernel_size", kernel_size, 2, LARGEST_SIZE)
        self.activation = keras.activations.get(activation)

    def convolution(self, name: str, filters: int, size: int, **options: Any) -> keras.layers.Layer:
        """Returns a convolution of the layer's own precision."""
        options = {"padding": "same", "dtype": self.dtype_policy, "name": name, **options}
        return keras.layers.Conv2D(filters, size, **options)

    def blocks(self, width: int) -> list[tuple[keras.layers.Layer, keras.layers.Layer]]:
        """Returns the two convolutions of each block."""
        inside = max(1, width // 2)
        return [
            (
                self.convolution(f"block_{i}_in", inside, 3, activation=self.activation),
                self.convolution(f"block_{i}_out", width, 1, use_bias=False),
            )
            for i in range(self.num_blocks)
        ]

    def through_blocks(self, features: tf.Tensor, blocks: Any) -> tf.Tensor:
        """Returns h + W_2 * activation(W_1 * activation(h)) of each block, and its activation."""
        for inner, outer in blocks:
            features = features + outer(inner(self.activation(features)))
        return self.activation(features)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "num_blocks": self.num_blocks,
            "kernel_size": self.kernel_size,
            "activation": keras.activations.serialize(self.activation),
        }


@keras.saving.register_keras_serializable("tfvae")
class ResidualConv(_Residual):
    """Convolutions that halve the image, then residual blocks: for encoders of maps of codes.

    Against `Conv`: blocks that mix what is seen without making the map smaller, and no more than
    one halving for each entry of `filters`, so that the map stays as large as the codes are to be.

    Args:
        filters: Channels of each strided convolution, at least one; the blocks have the last.
        num_blocks: Of residual blocks, default 2.
        kernel_size: Side of the strided kernels in pixels, at least 2, default 4.
        activation: A Keras activation, default "relu".
        **kwargs: Keras layer arguments.

    Shapes: `x [B, H, W, C] -> features [B, H / 2^n, W / 2^n, filters[-1]]`.

    Raises:
        UserError: if a count is not a positive integer, or the image is not one that can be halved
            so often.

    Example:
        >>> import numpy as np
        >>> ResidualConv([8, 16])(np.zeros((3, 28, 28, 1), "float32")).shape.as_list()
        [3, 7, 7, 16]

    References:
        A. van den Oord, O. Vinyals, K. Kavukcuoglu, 2017, "Neural Discrete Representation
        Learning", arXiv:1711.00937, section 4.1.
    """

    def __init__(self, filters: Sequence[int], **kwargs: Any):
        super().__init__(filters, **kwargs)
        self.hidden = [
            self.convolution(f"conv_{i}", width, self.kernel_size, strides=2)
            for i, width in enumerate(self.filters)
        ]
        self.residual = self.blocks(self.filters[-1])

    def build(self, input_shape: Any) -> None:
        """Creates the weights for images of this shape."""
        shape, factor = tuple(input_shape), 2 ** len(self.filters)
        if len(shape) != 4:
            raise UserError(f"ResidualConv expects images [B, H, W, C], received shape {shape}.")
        if shape[1] % factor or shape[2] % factor:
            raise UserError(
                f"ResidualConv halves images {len(self.filters)} times: it takes those whose "
                f"height and width are multiples of {factor}, and received {shape[1]}x{shape[2]}. "
                "Give fewer filters, or images of another size."
            )
        for layer in self.hidden:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        for inner, outer in self.residual:
            inner.build(shape)
            outer.build(inner.compute_output_shape(shape))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Returns the feature maps."""
        features = inputs
        for i, layer in enumerate(self.hidden):
            features = layer(self.activation(features) if i else features)
        return self.through_blocks(features, self.residual)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns the feature maps' shape."""
        shape = tuple(input_shape)
        for layer in self.hidden:
            shape = layer.compute_output_shape(shape)
        return tuple(shape)


@keras.saving.register_keras_serializable("tfvae")
class ResidualConvTranspose(_Residual):
    """Residual blocks, then transposed convolutions that double: for decoders of maps of codes.

    The mirror of `ResidualConv`. Of a vector, or a dict of such, a dense layer makes the map that
    the blocks begin with.

    Args:
        filters: Channels of the blocks, then of what each transposed convolution but the last
            makes; the last keeps `filters[-1]`.
        image_size: (height, width) of the features, the image's own.
        num_blocks: Of residual blocks, default 2.
        kernel_size: Side of the transposed kernels in pixels, at least 2, default 4.
        activation: A Keras activation, default "relu".
        **kwargs: Keras layer arguments.

    Shapes: `z [B, H / 2^n, W / 2^n, D]` or `[B, D] -> features [B, H, W, filters[-1]]`.

    Raises:
        UserError: if a count is not a positive integer, or maps have another size.

    Example:
        >>> import numpy as np
        >>> network = ResidualConvTranspose([16, 8], image_size=(28, 28))
        >>> network(np.zeros((3, 7, 7, 4), "float32")).shape.as_list()
        [3, 28, 28, 8]
    """

    def __init__(self, filters: Sequence[int], image_size: Sequence[int], **kwargs: Any):
        super().__init__(filters, **kwargs)
        self.image_size = positive_ints("image_size", image_size)
        if len(self.image_size) != 2:
            raise UserError(f"image_size must be (height, width), received {image_size!r}.")
        factor = 2 ** len(self.filters)
        self.map_size = tuple(math.ceil(n / factor) for n in self.image_size)
        first = self.filters[0]
        self.beside = SideBySide(dtype=self.dtype_policy, name="beside")
        self.start: Any = None  # made by build, which knows the codes
        self.residual = self.blocks(first)
        self.hidden = [
            keras.layers.Conv2DTranspose(
                width,
                self.kernel_size,
                strides=2,
                padding="same",
                activation=self.activation,
                dtype=self.dtype_policy,
                name=f"conv_{i}",
            )
            for i, width in enumerate([*self.filters[1:], self.filters[-1]])
        ]

    def build(self, input_shape: Any) -> None:
        """Creates the weights for codes of this shape."""
        first, shape = self.filters[0], input_shape
        if isinstance(shape, Mapping) or len(shape) != 4:
            shape = self.beside.compute_output_shape(shape)
            self.start = keras.layers.Dense(
                math.prod(self.map_size) * first, dtype=self.dtype_policy, name="start"
            )
        else:
            self.start = self.convolution("start", first, 3)
            if tuple(shape[1:3]) != self.map_size:
                raise UserError(
                    f"ResidualConvTranspose makes images of {self.image_size} from maps of "
                    f"{self.map_size}, and received maps of {tuple(shape[1:3])}. Give it as many "
                    "filters as the encoder has."
                )
        self.start.build(shape)
        shape = (shape[0], *self.map_size, first)
        for inner, outer in self.residual:
            inner.build(shape)
            outer.build(inner.compute_output_shape(shape))
        for layer in self.hidden:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def call(self, inputs: Any) -> tf.Tensor:
        """Returns feature maps of the image's size."""
        if isinstance(self.start, keras.layers.Dense):
            inputs = self.beside(inputs)
        features = tf.reshape(self.start(inputs), [-1, *self.map_size, self.filters[0]])
        features = self.through_blocks(features, self.residual)
        for layer in self.hidden:
            features = layer(features)
        height, width = self.image_size
        return features[:, :height, :width]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns the feature maps' shape."""
        first = (
            next(iter(input_shape.values())) if isinstance(input_shape, Mapping) else input_shape
        )
        return (first[0], *self.image_size, self.filters[-1])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "image_size": list(self.image_size)}
