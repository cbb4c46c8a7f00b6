"""A U-Net on images, beside vectors that reach its last features: for decoders of masks."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE, positive_int, positive_ints
from tfvae.errors import UserError
from tfvae.networks.joining import SideBySide, as_channels, channels_shape


@keras.saving.register_keras_serializable("tfvae")
class UNet(keras.layers.Layer):
    """Features of every pixel of an image at several scales, and a code broadcast to all of them.

        d_0 = image,  d_i = convolutions(pooled(d_{i-1}))
        u_i = convolutions([d_i, scaled(u_{i+1})])
        h = activation(W_u u_1 + W_z z + b),  features = activation(W h + c)

    Choose it as the decoder of a conditional model that draws masks of an image. The images of a
    dict of inputs go through the U-Net, side by side as channels; its vectors, z among them, are
    added to the last features, the same at every pixel. So the U-Net runs once for all draws of z
    at an image. With the projection of the likelihood's head there are three 1x1 convolutions.

    Args:
        filters: Channels of each scale, the finest first; one scale at least.
        num_convolutions: Convolutions of each scale on the way down, and again on the way up.
        kernel_size: Side of the kernels in pixels, default 3.
        strides: By how much each scale is coarser than the one before, at least 2. Default 2.
        activation: A Keras activation, default "relu".
        **kwargs: Keras layer arguments.

    Shapes: `{"z": [S * B, D], "image": [B, H, W, C]} -> features [S * B, H, W, filters[0]]`, whose
        row s * B + b is draw s at image b. H and W are multiples of `strides^(scales - 1)`.

    Raises:
        UserError: if a count is not a positive integer, strides are below 2, the inputs are not
            images beside vectors, or the strides do not divide the images' size.

    Example:
        >>> import numpy as np
        >>> inputs = {"z": np.zeros((6, 2), "float32"), "image": np.zeros((3, 8, 8, 1), "float32")}
        >>> UNet([4, 8])(inputs).shape.as_list()
        [6, 8, 8, 4]

    References:
        O. Ronneberger, P. Fischer and T. Brox, 2015, "U-Net", MICCAI, arXiv:1505.04597, figure 1;
        S. Kohl et al., 2018, "A Probabilistic U-Net for Segmentation of Ambiguous Images", NeurIPS
        31, arXiv:1806.05034, figure 1 and appendix B. Departures: the coarser features are repeated
        and not interpolated; the first 1x1 convolution of features and code side by side is written
        as the sum of two products, which is the same.
    """

    # Images without the sample axes of the others come as they are: [B, ...] beside [S * B, ...].
    repeats_rows = True

    def __init__(
        self,
        filters: Sequence[int],
        num_convolutions: int = 2,
        kernel_size: int = 3,
        strides: int = 2,
        activation: Any = "relu",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters = positive_ints("filters", filters)
        self.num_convolutions = positive_int("num_convolutions", num_convolutions, maximum=64)
        self.kernel_size = positive_int("kernel_size", kernel_size, maximum=LARGEST_SIZE)
        self.strides = positive_int("strides", strides, maximum=LARGEST_SIZE)
        if self.strides < 2:
            raise UserError(f"strides must be at least 2, received {strides}.")
        self.activation = keras.activations.get(activation)
        self.down = [self._scale("down", i) for i in range(len(self.filters))]
        self.up = [self._scale("up", i) for i in range(len(self.filters) - 1)]
        dtype = self.dtype_policy
        self.pool = keras.layers.AveragePooling2D(self.strides, dtype=dtype, name="pool")
        self.enlarge = keras.layers.UpSampling2D(self.strides, dtype=dtype, name="enlarge")
        self.beside = SideBySide(dtype=dtype, name="beside")
        first, width = self.filters[0], {"dtype": dtype}
        self.of_features = keras.layers.Conv2D(first, 1, name="of_features", **width)
        self.of_code = keras.layers.Dense(first, use_bias=False, name="of_code", **width)
        self.mixed = keras.layers.Conv2D(
            first, 1, activation=self.activation, name="mixed", **width
        )

    def _scale(self, way: str, scale: int) -> list[keras.layers.Layer]:
        """Returns the convolutions of one scale."""
        return [
            keras.layers.Conv2D(
                self.filters[scale],
                self.kernel_size,
                padding="same",
                activation=self.activation,
                dtype=self.dtype_policy,
                name=f"{way}_{scale}_{i}",
            )
            for i in range(self.num_convolutions)
        ]

    def build(self, input_shape: Any) -> None:
        """Creates the weights for images and vectors of these shapes."""
        images, vectors = _divided_shapes(input_shape)
        rows, height, width, channels = channels_shape(images)
        factor = self.strides ** (len(self.filters) - 1)
        if height % factor or width % factor:
            fitting = (max(1, round(n / factor)) * factor for n in (height, width))
            raise UserError(
                f"UNet has {len(self.filters)} scales with strides {self.strides}: it takes images "
                f"whose height and width are multiples of {factor}, and received "
                f"{height}x{width}. The nearest that fits is {'x'.join(map(str, fitting))}; bring "
                "the images to it, or give fewer filters."
            )
        for layers, below in zip(self.down, (channels, *self.filters), strict=False):
            _build(layers, below, (rows, height, width))
        for i, layers in enumerate(self.up):
            _build(layers, self.filters[i] + self.filters[i + 1], (rows, height, width))
        self.of_features.build((rows, height, width, self.filters[0]))
        self.of_code.build(self.beside.compute_output_shape(vectors))
        self.mixed.build((rows, height, width, self.filters[0]))

    def call(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns the features of every pixel."""
        images = {name: x for name, x in inputs.items() if x.shape.rank == 4}
        vectors = {name: x for name, x in inputs.items() if x.shape.rank != 4}
        of_features = self.of_features(self.image_features(images))
        of_code = self.of_code(self.beside(vectors))[:, tf.newaxis, tf.newaxis]
        if of_features.shape[0] is None or of_features.shape[0] != of_code.shape[0]:
            draws = tf.shape(of_code)[0] // tf.maximum(tf.shape(of_features)[0], 1)
            of_features = tf.tile(of_features, [draws, 1, 1, 1])
        return self.mixed(self.activation(of_features + of_code))

    def image_features(self, images: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns the U-Net's own features of images, `[B, H, W, filters[0]]`: what needs no z."""
        features, kept = as_channels(images, self.compute_dtype), []
        for i, layers in enumerate(self.down):
            features = _chained(layers, self.pool(features) if i else features)
            kept.append(features)
        for layers, beside in zip(self.up[::-1], kept[-2::-1], strict=True):
            features = _chained(layers, tf.concat([beside, self.enlarge(features)], axis=3))
        return features

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns the features' shape."""
        images, vectors = _divided_shapes(input_shape)
        rows = self.beside.compute_output_shape(vectors)[0]
        return (rows, *channels_shape(images)[1:3], self.filters[0])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "num_convolutions": self.num_convolutions,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "activation": keras.activations.serialize(self.activation),
        }


def _divided_shapes(input_shape: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The shapes of the images, and those of the vectors."""
    if isinstance(input_shape, Mapping):
        images = {name: shape for name, shape in input_shape.items() if len(shape) == 4}
        vectors = {name: shape for name, shape in input_shape.items() if len(shape) != 4}
        if images and vectors:
            return images, vectors
    raise UserError(
        "UNet takes images [B, H, W, C] and vectors beside them, by name, as the decoder of a "
        f"conditional model does; received {input_shape}. Give the model an image: "
        "tfvae.ConditionalVAE(..., conditions={'image': tfvae.Field((28, 28, 1))}), or --model "
        "conditional --fields x,image."
    )


def _build(layers: list[keras.layers.Layer], channels: int | None, shape: tuple[Any, ...]) -> None:
    for layer in layers:
        layer.build((*shape, channels))
        channels = layer.filters


def _chained(layers: list[keras.layers.Layer], features: tf.Tensor) -> tf.Tensor:
    for layer in layers:
        features = layer(features)
    return features
