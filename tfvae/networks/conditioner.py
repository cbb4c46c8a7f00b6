"""What moves the entries of a flow: dense layers on a vector, and on a context beside it."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfvae.checks import positive_int, positive_ints

# Of the variance that keeps features at their scale: a flow starts near the identity, and unlike
# at zero every weight has a gradient.
SMALL = 0.01


class Conditioner(keras.layers.Layer):
    """Dense layers on z, the first of which reads a context c as well.

        h_1 = activation(W_1 z + V c + b_1),  h_i = activation(W_i h_{i-1} + b_i),  out = W h + b

    The context has no axis of draws, so V c is computed once for all draws of an example. The last
    layer starts small.

    Args:
        units: Width of each hidden layer, at least one.
        num_outputs: How many numbers come out.
        activation: A Keras activation.
        context_size: C; 0 (default) where there is no context.
        **kwargs: Keras layer arguments.

    Shapes: z `[..., B, D]`, c `[B, C]` or None -> `[..., B, num_outputs]`.

    Raises:
        UserError: if a size is not a positive integer.
    """

    def __init__(
        self,
        units: Sequence[int],
        num_outputs: int,
        activation: Any = "relu",
        context_size: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = positive_ints("units", units)
        self.num_outputs = positive_int("num_outputs", num_outputs)
        self.context_size = positive_int("context_size", context_size, minimum=0)
        self.activation = keras.activations.get(activation)

    def masks(self, input_size: int) -> list[np.ndarray | None]:
        """Returns for each layer, the last one included, which weights there are; None for all."""
        return [None] * (len(self.units) + 1)

    def build(self, input_shape: Sequence[Any]) -> None:
        """Creates the weights for z of this shape."""
        sizes = (input_shape[-1], *self.units, self.output_size(input_shape[-1]))
        self.constants = self.masks(sizes[0])
        self.kernels, self.biases = [], []
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
            last = i == len(self.units)
            initializer = keras.initializers.VarianceScaling(SMALL) if last else "glorot_uniform"
            self.kernels.append(
                self.add_weight(
                    shape=(fan_in, fan_out), initializer=initializer, name=f"kernel_{i}"
                )
            )
            self.biases.append(
                self.add_weight(shape=(fan_out,), initializer="zeros", name=f"bias_{i}")
            )
        self.context_kernel = self.context_size and self.add_weight(
            shape=(self.context_size, sizes[1]), name="context_kernel"
        )

    def output_size(self, input_size: int) -> int:
        """Returns how many numbers come out of a z of this size."""
        return self.num_outputs

    def call(self, z: tf.Tensor, context: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the numbers of each z."""
        features = z
        for i, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True)):
            mask = self.constants[i]
            weights = tf.convert_to_tensor(kernel)
            features = _product(features, weights if mask is None else weights * mask)
            offset = tf.convert_to_tensor(bias)
            if i == 0 and self.context_size:
                offset += _product(context, tf.convert_to_tensor(self.context_kernel))
            features += offset
            if i < len(self.units):
                features = self.activation(features)
        return features

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "units": list(self.units),
            "num_outputs": self.num_outputs,
            "activation": keras.activations.serialize(self.activation),
            "context_size": self.context_size,
        }


def _product(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """`[..., F] x [F, H]`: one product of two matrices, which TensorFlow's batched one is not."""
    if x.shape.rank == 2:
        return tf.matmul(x, kernel)
    flat = tf.matmul(tf.reshape(x, [-1, kernel.shape[0]]), kernel)
    return tf.reshape(flat, tf.concat([tf.shape(x)[:-1], [kernel.shape[1]]], axis=0))
