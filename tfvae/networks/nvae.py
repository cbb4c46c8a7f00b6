"""Networks of residual cells, of maps in both directions: what convolutional hierarchies take."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int, positive_ints
from tfvae.errors import UserError
from tfvae.networks.cells import GenerativeCell, InferenceCell
from tfvae.networks.spectral import SpectrallyPenalised


def scales(size: Sequence[int], strides: int, times: int) -> list[tuple[int, int]]:
    """The sizes of a map that is made smaller some times, from the first to the smallest.

    Raises:
        UserError: if it would be smaller than one pixel of the one before.
    """
    found = [(int(size[0]), int(size[1]))]
    for _ in range(times):
        height, width = found[-1]
        if strides > 1 and min(height, width) < strides:
            raise UserError(
                f"Maps of {size[0]}x{size[1]} are too small to be halved {times} times: one of "
                f"{height}x{width} is left after {len(found) - 1}. Give fewer filters or larger "
                "images."
            )
        found.append((math.ceil(height / strides), math.ceil(width / strides)))
    return found


def convolutions(scales: Sequence[Sequence[keras.layers.Layer]]) -> list[keras.layers.Layer]:
    """The convolutions of these scales that are in no cell."""
    kind = keras.layers.Conv2D
    return [layer for layers in scales for layer in layers if isinstance(layer, kind)]


class _Cells(SpectrallyPenalised):
    """The arguments that both directions share."""

    def __init__(
        self,
        filters: Sequence[int],
        num_cells: int = 1,
        strides: int = 2,
        residual_scale: float = 1.0,
        zero_start: bool = False,
        spectral_weight: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(spectral_weight, **kwargs)
        self.filters = positive_ints("filters", filters)
        self.num_cells = positive_int("num_cells", num_cells, minimum=0, maximum=1000)
        self.strides = positive_int("strides", strides, maximum=2)
        self.residual_scale, self.zero_start = residual_scale, bool(zero_start)

    def convolution(self, name: str, filters: int, size: int, **options: Any) -> keras.layers.Layer:
        """Returns a convolution of the layer's own precision."""
        options = {"padding": "same", "dtype": self.dtype_policy, "name": name, **options}
        return keras.layers.Conv2D(filters, size, **options)

    def cells(self, kind: type, scale: int, **options: Any) -> list[keras.layers.Layer]:
        """Returns the cells of one scale."""
        return [
            kind(
                residual_scale=self.residual_scale,
                zero_start=self.zero_start,
                spectral_weight=self.spectral_weight,
                dtype=self.dtype_policy,
                name=f"cell_{scale}_{i}",
                **options,
            )
            for i in range(self.num_cells)
        ]

    def keeps(self, channels: int, width: int) -> bool:
        """Whether maps of so many channels go on as they are, with nothing between their cells."""
        return self.strides == 1 and channels == width

    def ended(self, features: tf.Tensor) -> tf.Tensor:
        """Returns what goes out: of maps that keep their size, the sum that the cells add to."""
        return features if self.strides == 1 else tf.nn.silu(features)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "num_cells": self.num_cells,
            "strides": self.strides,
            "residual_scale": self.residual_scale,
            "zero_start": self.zero_start,
        }


@keras.saving.register_keras_serializable("tfvae")
class NVAEConv(_Cells):
    """A strided convolution and cells for each scale, from images to maps: see `InferenceCell`.

    Against `ResidualConv`: normalised over the batch, which deep hierarchies need, and maps of odd
    sides are halved to the next whole number. Maps that keep their size and channels have cells
    alone, and no activation at the end: so many of these networks, behind one another, are one sum
    that their cells add to, and what goes in is not lost on the way.

    Args:
        filters: Channels of each scale, at least one.
        num_cells: Of each scale, default 1.
        strides: 2, by which each scale is smaller than the one before; or 1, for as large a map:
            then a convolution only where the number of channels changes.
        residual_scale: Of each cell's branch; see `InferenceCell`. Default 1.
        zero_start: Whether each cell starts as the identity. Default False.
        spectral_weight: Of a penalty on what convolutions stretch; see `InferenceCell`. Default 0.
        **kwargs: Keras layer arguments.

    Shapes: `x [B, H, W, C] -> features [B, ceil(H / strides^n), ceil(W / strides^n), filters[-1]]`.

    Raises:
        UserError: if an argument is out of range, or the image too small for so many scales.

    Example:
        >>> import numpy as np
        >>> NVAEConv([8, 16])(np.zeros((3, 28, 28, 1), "float32")).shape.as_list()
        [3, 7, 7, 16]

    References:
        A. Vahdat and J. Kautz, 2020, "NVAE", arXiv:2007.03898, section 3.1.
    """

    def __init__(self, filters: Sequence[int], **kwargs: Any):
        super().__init__(filters, **kwargs)
        self.hidden: list[list[keras.layers.Layer]] = []

    def build(self, input_shape: Any) -> None:
        """Creates the weights for images of this shape."""
        shape = tuple(input_shape)
        if len(shape) != 4:
            raise UserError(
                f"NVAEConv expects images or maps [B, H, W, C], received shape {shape}. Grey "
                "images need a last axis of size 1: images[..., None]."
            )
        scales(shape[1:3], self.strides, len(self.filters))
        for i, width in enumerate(self.filters):
            layers = self.cells(InferenceCell, i)
            if not self.keeps(shape[3], width):
                layers.insert(0, self.convolution(f"conv_{i}", width, 3, strides=self.strides))
            for layer in layers:
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
            self.hidden.append(layers)
        self.watch(convolutions(self.hidden))

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns the maps."""
        self.add_penalty(convolutions(self.hidden), training)
        features = inputs
        for layers in self.hidden:
            for layer in layers:
                features = layer(features, training=training)
        return self.ended(features)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns the maps' shape."""
        shape = tuple(input_shape)
        return (
            shape[0],
            *scales(shape[1:3], self.strides, len(self.filters))[-1],
            self.filters[-1],
        )


@keras.saving.register_keras_serializable("tfvae")
class NVAEConvTranspose(_Cells):
    """Cells and an enlarging convolution for each scale, from z to maps: see `GenerativeCell`.

    The mirror of `NVAEConv`, also of maps that keep their size. z is a vector whose numbers are
    those of a map, row by row; of a dict, maps and such vectors stand behind one another as
    channels.

    Args:
        filters: Channels of each scale, the smallest first; the last scale keeps `filters[-1]`.
        image_size: (height, width) of the features.
        num_cells: Of each scale, default 1.
        strides: 2, by which each scale is larger than the one before; or 1, for as large a map:
            then a convolution only where the number of channels changes.
        expansion: Channels inside a cell for each of the map's; see `GenerativeCell`. Default 6.
        constant: Whether a learned map, the same for all examples, is added to what z is at first:
            the constant beside z at the top of NVAE, behind the convolution that takes both.
            Default False.
        residual_scale: Of each cell's branch; see `GenerativeCell`. Default 1.
        zero_start: Whether each cell starts as the identity. Default False.
        spectral_weight: Of a penalty on what convolutions stretch; see `InferenceCell`. Default 0.
        **kwargs: Keras layer arguments.

    Shapes: `z [B, D]`, D a multiple of the smallest map's places, or maps `[B, h, w, C]`, or a dict
        of such -> `features [B, H, W, filters[-1]]`.

    Raises:
        UserError: if an argument is out of range, z is no map, or a map has another size.

    Example:
        >>> import numpy as np
        >>> network = NVAEConvTranspose([16, 8], image_size=(28, 28))
        >>> network(np.zeros((3, 7 * 7 * 2), "float32")).shape.as_list()
        [3, 28, 28, 8]

    References:
        A. Vahdat and J. Kautz, 2020, "NVAE", arXiv:2007.03898, section 3.1.
    """

    def __init__(
        self,
        filters: Sequence[int],
        image_size: Sequence[int],
        expansion: int = 6,
        constant: bool = False,
        **kwargs: Any,
    ):
        super().__init__(filters, **kwargs)
        self.constant = bool(constant)
        self.image_size = positive_ints("image_size", image_size)
        if len(self.image_size) != 2:
            raise UserError(f"image_size must be (height, width), received {image_size!r}.")
        self.expansion = positive_int("expansion", expansion, maximum=1000)
        self.sizes = scales(self.image_size, self.strides, len(self.filters))[::-1]
        self.start = self.convolution("start", self.filters[0], 1)
        self.hidden = [
            self._scale(i, *widths)
            for i, widths in enumerate(itertools.pairwise([*self.filters, self.filters[-1]]))
        ]

    def _scale(self, number: int, channels: int, width: int) -> list[keras.layers.Layer]:
        """The layers of a scale: cells, and what makes the next scale's map of theirs."""
        layers = self.cells(GenerativeCell, number, expansion=self.expansion)
        if self.strides > 1:
            larger = keras.layers.UpSampling2D
            layers.append(larger(self.strides, dtype=self.dtype_policy, name=f"larger_{number}"))
        if not self.keeps(channels, width):
            layers.append(self.convolution(f"conv_{number}", width, 3))
        return layers

    @property
    def map_size(self) -> tuple[int, int]:
        """(height, width) of the smallest map, which z is."""
        return self.sizes[0]

    def channels_of(self, name: str, shape: Sequence[int | None]) -> int:
        """Returns the channels of an input as a map.

        Raises:
            UserError: if it is not one of the smallest map's size.
        """
        places, size = math.prod(self.map_size), "x".join(map(str, self.map_size))
        last = int(shape[-1] or 0)
        if len(shape) == 2 and last % places == 0:
            return last // places
        if len(shape) == 4 and tuple(shape[1:3]) == self.map_size:
            return last
        raise UserError(
            f"NVAEConvTranspose makes {'x'.join(map(str, self.image_size))} from maps of {size}, "
            f"and {name} has shape {tuple(shape[1:])}: expected a multiple of {places} numbers, or "
            f"a map of {size}. Choose the latent size so, or networks.ResidualConvTranspose "
            "(--network residual), which takes any vector."
        )

    def build(self, input_shape: Any) -> None:
        """Creates the weights for codes of this shape."""
        named = input_shape if isinstance(input_shape, Mapping) else {"z": input_shape}
        channels = sum(self.channels_of(name, shape) for name, shape in named.items())
        shape: tuple[int | None, ...] = (None, *self.map_size, channels)
        self.start.build(shape)
        shape = self.start.compute_output_shape(shape)
        if self.constant:
            self.constant_map = self.add_weight(
                shape=shape[1:], initializer=keras.initializers.RandomUniform(), name="constant"
            )
        for layers, size in zip(self.hidden, self.sizes[1:], strict=True):
            for layer in layers:
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
            shape = (None, *size, shape[3])
        self.watch([self.start, *convolutions(self.hidden)])

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        """Returns feature maps of the image's size."""
        self.add_penalty([self.start, *convolutions(self.hidden)], training)
        maps = [
            tf.reshape(
                tf.cast(x, self.compute_dtype), [-1, *self.map_size, self.channels_of("z", x.shape)]
            )
            for x in tf.nest.flatten(inputs)
        ]
        features = self.start(tf.concat(maps, axis=3))
        if self.constant:
            features += tf.cast(self.constant_map, features.dtype)
        for layers, (height, width) in zip(self.hidden, self.sizes[1:], strict=True):
            for layer in layers:
                features = layer(features, training=training)
            features = features[:, :height, :width]
        return self.ended(features)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns the feature maps' shape."""
        named = input_shape if isinstance(input_shape, Mapping) else {"z": input_shape}
        return (next(iter(named.values()))[0], *self.image_size, self.filters[-1])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        own = {
            "image_size": list(self.image_size),
            "expansion": self.expansion,
            "constant": self.constant,
        }
        return {**super().get_config(), **own}
