"""Convolutional networks: from images to features and back."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE, positive_int, positive_ints
from tfvae.errors import UserError
from tfvae.networks.joining import SideBySide, as_channels, channels_shape


class _Convolutions(keras.layers.Layer):
    """The arguments that both directions share."""

    def __init__(
        self,
        filters: Sequence[int],
        kernel_size: int = 3,
        strides: int = 2,
        activation: Any = "relu",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters = positive_ints("filters", filters)
        self.kernel_size = positive_int("kernel_size", kernel_size, maximum=LARGEST_SIZE)
        self.strides = positive_int("strides", strides, maximum=LARGEST_SIZE)
        self.activation = keras.activations.get(activation)
        if self.kernel_size < self.strides:
            raise UserError(
                f"kernel_size must be at least strides, or pixels are skipped; received "
                f"kernel_size={kernel_size}, strides={strides}."
            )

    def convolutions(self, layer: type) -> list[keras.layers.Layer]:
        """Returns one layer of this type for each entry of `filters`."""
        return [
            layer(
                filters,
                self.kernel_size,
                strides=self.strides,
                padding="same",
                activation=self.activation,
                dtype=self.dtype_policy,
                name=f"conv_{i}",
            )
            for i, filters in enumerate(self.filters)
        ]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "activation": keras.activations.serialize(self.activation),
        }


@keras.saving.register_keras_serializable("tfvae")
class Conv(_Convolutions):
    """Strided 2-D convolutions, for encoders of images.

    Against an `MLP`: fewer weights, better likelihood on images, more time per step. Of a dict of
    inputs, images are channels, and vectors channels that are the same at every pixel.

    Args:
        filters: Channels of each convolution, at least one.
        kernel_size: Side of the kernels in pixels, default 3.
        strides: Step of every convolution; each divides the image's side by it. Default 2.
        activation: A Keras activation, default "relu".
        **kwargs: Keras layer arguments.

    Shapes: `x [B, H, W, C] -> features [B, ceil(H / strides^n), ceil(W / strides^n), filters[-1]]`.

    Raises:
        UserError: if a count is not a positive integer, `kernel_size < strides`, or the input is
            not `[B, H, W, C]`.

    Example:
        >>> import numpy as np
        >>> Conv([8, 16])(np.zeros((3, 28, 28, 1), "float32")).shape.as_list()
        [3, 7, 7, 16]
    """

    def __init__(self, filters: Sequence[int], **kwargs: Any):
        super().__init__(filters, **kwargs)
        self.hidden = self.convolutions(keras.layers.Conv2D)

    def build(self, input_shape: Any) -> None:
        """Creates the weights for images of this shape."""
        shape = channels_shape(input_shape)
        if len(shape) != 4:
            raise UserError(
                f"Conv expects images [B, H, W, C], received shape {shape}. Grey "
                "images need a last axis of size 1: images[..., None]."
            )
        for layer in self.hidden:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def call(self, inputs: Any) -> tf.Tensor:
        """Returns the feature maps."""
        features = as_channels(inputs, self.compute_dtype)
        for layer in self.hidden:
            features = layer(features)
        return features

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns the feature maps' shape."""
        shape = channels_shape(input_shape)
        for layer in self.hidden:
            shape = layer.compute_output_shape(shape)
        return tuple(shape)


@keras.saving.register_keras_serializable("tfvae")
class ConvTranspose(_Convolutions):
    """A dense layer and strided transposed convolutions, for decoders of images.

    The mirror of `Conv`: starts from `ceil(side / strides^n)` pixels a side and doubles (for
    strides 2) until the image's size, of which it keeps the upper left where the sides do not
    divide.

    Args:
        filters: Channels of each transposed convolution, at least one; the dense layer makes
            `filters[0]` channels too.
        image_size: (height, width) of the features, the image's own.
        kernel_size: Side of the kernels in pixels, default 3.
        strides: Step of every transposed convolution, default 2.
        activation: A Keras activation, default "relu".
        **kwargs: Keras layer arguments.

    Shapes: `z [B, D]`, or a dict of such -> `features [B, H, W, filters[-1]]`.

    Raises:
        UserError: if a count is not a positive integer, or `kernel_size < strides`.

    Example:
        >>> import numpy as np
        >>> ConvTranspose([16, 8], image_size=(28, 28))(np.zeros((3, 2), "float32")).shape.as_list()
        [3, 28, 28, 8]
    """

    def __init__(self, filters: Sequence[int], image_size: Sequence[int], **kwargs: Any):
        super().__init__(filters, **kwargs)
        self.image_size = positive_ints("image_size", image_size)
        if len(self.image_size) != 2:
            raise UserError(f"image_size must be (height, width), received {image_size!r}.")
        factor = self.strides ** len(self.filters)
        self.start_shape = (*(math.ceil(n / factor) for n in self.image_size), self.filters[0])
        self.beside = SideBySide(dtype=self.dtype_policy, name="beside")
        self.start = keras.layers.Dense(
            math.prod(self.start_shape),
            activation=self.activation,
            dtype=self.dtype_policy,
            name="start",
        )
        self.hidden = self.convolutions(keras.layers.Conv2DTranspose)

    def build(self, input_shape: Any) -> None:
        """Creates the weights for codes of this shape."""
        flat = self.beside.compute_output_shape(input_shape)
        self.start.build(flat)
        shape: tuple[int | None, ...] = (flat[0], *self.start_shape)
        for layer in self.hidden:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def call(self, inputs: Any) -> tf.Tensor:
        """Returns feature maps of the image's size."""
        features = tf.reshape(self.start(self.beside(inputs)), [-1, *self.start_shape])
        for layer in self.hidden:
            features = layer(features)
        height, width = self.image_size
        return features[:, :height, :width]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns the feature maps' shape."""
        rows = self.beside.compute_output_shape(input_shape)[0]
        return (rows, *self.image_size, self.filters[-1])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "image_size": list(self.image_size)}
