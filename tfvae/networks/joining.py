"""Several inputs of a network as one: numbers in a row, or channels of an image."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from tfvae.errors import UserError

_Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable("tfvae")
class SideBySide(keras.layers.Layer):
    """x or {"x": x, "label": c, ...} -> all numbers of an example in one row.

    Of a dict the tensors are flattened and stand in the order of their names. What an `MLP` does
    with its input before the first dense layer; in front of any other layer that takes vectors it
    makes a network of a conditional model: `keras.Sequential([SideBySide(), Dense(16)])`.

    Args:
        **kwargs: Keras layer arguments.

    Shapes: `[B, ...]`, or a dict of such -> `[B, F]`, F the numbers of all.

    Example:
        >>> import numpy as np
        >>> x, c = np.zeros((3, 8, 8, 1), "float32"), np.zeros((3, 10), "float32")
        >>> SideBySide()({"x": x, "label": c}).shape.as_list()
        [3, 74]
    """

    def build(self, input_shape: Any) -> None:
        """Makes nothing."""

    def call(self, inputs: Any) -> tf.Tensor:
        """Returns the rows."""
        parts = [_flat(tf.cast(x, self.compute_dtype)) for x in tf.nest.flatten(inputs)]
        return parts[0] if len(parts) == 1 else tf.concat(parts, axis=1)

    def compute_output_shape(self, input_shape: Any) -> _Shape:
        """Returns `(batch, F)`."""
        shapes = list(input_shape.values()) if isinstance(input_shape, Mapping) else [input_shape]
        return (shapes[0][0], sum(math.prod(shape[1:]) for shape in shapes))


def as_channels(inputs: Any, dtype: Any) -> tf.Tensor:
    """Returns images `[B, H, W, C]`: of a dict all its images, and its vectors at every pixel.

    The tensors stand in the order of their names.
    """
    if not isinstance(inputs, Mapping):
        return inputs
    height, width, _ = channels_shape({name: tuple(x.shape) for name, x in inputs.items()})[1:]
    parts = []
    for x in tf.nest.flatten(inputs):
        x = tf.cast(x, dtype)
        if x.shape.rank != 4:
            x = _flat(x)[:, tf.newaxis, tf.newaxis, :]
            x = tf.tile(x, [1, height, width, 1])
        parts.append(x)
    return tf.concat(parts, axis=3)


def channels_shape(input_shape: Any) -> _Shape:
    """Returns the shape of what `as_channels` makes of inputs of a shape, or a dict of such.

    Raises:
        UserError: for a dict without an image, or with images of several sizes.
    """
    if not isinstance(input_shape, Mapping):
        return tuple(input_shape)
    sizes = {tuple(shape[1:3]) for shape in input_shape.values() if len(shape) == 4}
    if len(sizes) != 1:
        found = {name: tuple(shape[1:]) for name, shape in input_shape.items()}
        raise UserError(
            f"Convolutions take images of one size, and vectors beside them; received {found}. "
            "Bring images to one size, or use networks.MLP (--network mlp)."
        )
    channels = sum(s[3] if len(s) == 4 else math.prod(s[1:]) for s in input_shape.values())
    return (next(iter(input_shape.values()))[0], *next(iter(sizes)), channels)


def _flat(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, [-1, math.prod(x.shape[1:])])
