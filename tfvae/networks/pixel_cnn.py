"""Networks of p(x_i | x_1 .. x_{i-1}), for images and codes of levels, in raster order."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE, positive_int
from tfvae.errors import UserError
from tfvae.networks.causal_attention import CausalAttention
from tfvae.networks.gated_layer import GatedLayer

X = "x"  # the levels, in a dict of inputs


@keras.saving.register_keras_serializable("tfvae")
class GatedPixelCNN(keras.layers.Layer):
    """Logits of the level at each position, functions of the levels before it alone.

        e_i = E[x_i],   v, h = gated layers of e,   logits_i = W_2 relu(W_1 relu(h_i) + b_1) + b_2
        d logits_i / d e_j = 0 unless j < i

    i counts the positions row by row. Its layers have two stacks, so that with enough of them
    nothing before i is out of sight (no blind spot). Conditions enter every gate: vectors at all
    positions alike, images of the same height and width each at its own. For `tfvae.PixelCNN`,
    which draws from it position by position, computing only what is new.

    Args:
        num_levels: K, at least 2. Default 2, for bits.
        filters: Channels of both stacks. Default 32.
        num_layers: Layers, the first included. Default 5.
        kernel_size: Side of the kernels, odd and at least 3. Default 3.
        first_kernel_size: Of the first layer. Default 7.
        units: Width of the output's hidden layer. Default 64.
        **kwargs: Keras layer arguments.

    Shapes: x int32 `[B, H, W]`, or a dict of it as "x" and of conditions, vectors `[B, C]` and
        images `[B, H, W, C]` -> logits float32 `[B, H, W, K]`.

    Raises:
        UserError: if a size is out of range, or x is no image of levels.

    Example:
        >>> import numpy as np
        >>> GatedPixelCNN(16, filters=8)(np.zeros((3, 7, 7), "int32")).shape.as_list()
        [3, 7, 7, 16]

    References:
        A. van den Oord et al., 2016, "Conditional Image Generation with PixelCNN Decoders",
        arXiv:1606.05328, section 2. Departures: levels are embedded, where they take intensities;
        those of several channels of a pixel are not modelled.
    """

    def __init__(
        self,
        num_levels: int = 2,
        filters: int = 32,
        num_layers: int = 5,
        kernel_size: int = 3,
        first_kernel_size: int = 7,
        units: int = 64,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_levels = positive_int("num_levels", num_levels, minimum=2, maximum=LARGEST_SIZE)
        self.filters = positive_int("filters", filters, maximum=LARGEST_SIZE)
        self.num_layers = positive_int("num_layers", num_layers, maximum=1000)
        self.kernel_size = _odd("kernel_size", kernel_size)
        self.first_kernel_size = _odd("first_kernel_size", first_kernel_size)
        self.units = positive_int("units", units, maximum=LARGEST_SIZE)
        self.stacks = [self._layer(i) for i in range(self.num_layers)]
        self.blocks: list[CausalAttention] = []
        dtype = self.dtype_policy
        self.hidden = keras.layers.Dense(self.units, "relu", dtype=dtype, name="hidden")
        self.output_layer = keras.layers.Dense(self.num_levels, dtype=dtype, name="output")

    def _layer(self, i: int) -> GatedLayer:
        size = self.kernel_size if i else self.first_kernel_size
        return GatedLayer(
            self.filters, size, first=not i, dtype=self.dtype_policy, name=f"layer_{i}"
        )

    def build(self, input_shape: Any) -> None:
        """Creates the weights for images of this shape, and conditions of these."""
        shapes = dict(input_shape) if isinstance(input_shape, Mapping) else {X: input_shape}
        shape = tuple(shapes.pop(X))
        if len(shape) != 3 or None in shape[1:]:
            raise UserError(
                f"{type(self).__name__} expects levels [B, H, W], received shape {shape}. Images "
                "have one channel: images[..., 0]."
            )
        self.image_size = shape[1:]
        self.table = self.add_weight(
            shape=(self.num_levels, self.filters),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="table",
        )
        given = sum(self._channels(name, tuple(s)) for name, s in shapes.items())
        for layer in self.stacks:
            layer.build(self.filters, given)
        for block in self.blocks:
            block.build(self.filters, *self.image_size)
        self.hidden.build((None, self.filters))
        self.output_layer.build((None, self.units))

    def _channels(self, name: str, shape: Sequence[int | None]) -> int:
        if len(shape) == 2 or (len(shape) == 4 and tuple(shape[1:3]) == self.image_size):
            return shape[-1] or 0
        raise UserError(
            f"The condition {name!r} has shape {tuple(shape[1:])}; expected a vector, or an image "
            f"of {self.image_size[0]} x {self.image_size[1]} positions, as x has."
        )

    def call(self, inputs: Any) -> tf.Tensor:
        """Returns the logits of whole images."""
        if not isinstance(inputs, Mapping):
            return self.logits(self.embedded(inputs))
        others = {name: c for name, c in inputs.items() if name != X}
        return self.logits(self.embedded(inputs[X]), self.joined(others))

    def joined(self, conditions: Mapping[str, tf.Tensor]) -> tf.Tensor | None:
        """Returns conditions as one, `[B, H or 1, W or 1, G]`; None of none."""
        if not conditions:
            return None
        found = [tf.cast(c, self.compute_dtype) for _, c in sorted(conditions.items())]
        images = [c for c in found if c.shape.rank == 4]
        vectors = [c[:, tf.newaxis, tf.newaxis] for c in found if c.shape.rank == 2]
        if images:
            vectors = [tf.tile(c, [1, *self.image_size, 1]) for c in vectors]
        return tf.concat([*images, *vectors], axis=-1)

    def embedded(self, x: tf.Tensor) -> tf.Tensor:
        """Returns e of levels `[...]`: `[..., E]`."""
        return tf.gather(tf.cast(self.table, self.compute_dtype), x)

    def logits(self, e: tf.Tensor, c: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the logits of embedded images `[B, H, W, E]`, given what `joined` returns."""
        v = h = e
        for i, layer in enumerate(self.stacks):
            v, h = layer(v, h, c)
            if (block := self.block_after(i)) is not None:
                h = self.blocks[block](h, e)
        return self.outputs(h)

    def block_after(self, layer: int) -> int | None:
        """Returns which of its blocks of attention follows a layer, if any."""

    def outputs(self, h: tf.Tensor) -> tf.Tensor:
        """Returns the logits of features `[..., F]` of the horizontal stack, in float32."""
        # Of relu behind a sum TensorFlow's remapper makes a node without a name within loops, fails
        # and says so (2.21).
        above = tf.maximum(h, tf.cast(0.0, h.dtype))
        return tf.cast(self.output_layer(self.hidden(above)), tf.float32)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns `(batch, H, W, K)`."""
        shape = input_shape[X] if isinstance(input_shape, Mapping) else input_shape
        return (*shape, self.num_levels)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        names = ("num_levels", "filters", "num_layers", "kernel_size", "first_kernel_size", "units")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _odd(name: str, value: Any) -> int:
    size = positive_int(name, value, minimum=3, maximum=LARGEST_SIZE)
    if size % 2 == 0:
        raise UserError(f"{name} must be odd, so that kernels have a middle; received {value}.")
    return size
