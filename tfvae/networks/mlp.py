"""Multi-layer perceptron."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_ints
from tfvae.networks.joining import SideBySide

_MOMENTUM = 0.99  # of the moving statistics: those of the last hundred steps or so


@keras.saving.register_keras_serializable("tfvae")
class MLP(keras.layers.Layer):
    """Dense layers on the flattened input: what to reach for first.

        h_0 = flatten(x),  h_i = activation(W_i h_{i-1} + b_i)

    Of a dict of inputs, such as those of a conditional model, h_0 is all of them side by side.

    Args:
        units: Width of each layer, at least one layer.
        activation: A Keras activation. Default "relu", the fastest; the literature's MNIST
            network uses "tanh".
        batch_normalisation: Whether each layer's sums are normalised over the batch, in place of
            its bias: BN(W_i h_{i-1}). Sonderby et al. 2016 found that deep hierarchies need it.
            Default False.
        **kwargs: Keras layer arguments.

    Shapes: `x [B, ...]`, or a dict of such -> features `[B, units[-1]]`.

    Raises:
        UserError: if `units` is empty or holds anything but positive integers, or Keras does
            not know the activation.

    Example:
        >>> import numpy as np
        >>> MLP([32, 16])(np.zeros((3, 28, 28, 1), "float32")).shape.as_list()
        [3, 16]
    """

    def __init__(
        self,
        units: Sequence[int],
        activation: Any = "relu",
        batch_normalisation: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = positive_ints("units", units)
        self.activation = keras.activations.get(activation)
        self.batch_normalisation = bool(batch_normalisation)
        self.flatten = SideBySide(dtype=self.dtype_policy, name="flatten")
        self.hidden, self.normalisations = [], []
        for i, width in enumerate(self.units):
            options = {"dtype": self.dtype_policy, "name": f"dense_{i}"}
            if self.batch_normalisation:
                self.hidden.append(keras.layers.Dense(width, use_bias=False, **options))
                self.normalisations.append(
                    keras.layers.BatchNormalization(
                        momentum=_MOMENTUM, dtype=self.dtype_policy, name=f"normalisation_{i}"
                    )
                )
            else:
                self.hidden.append(keras.layers.Dense(width, activation=self.activation, **options))

    def build(self, input_shape: Any) -> None:
        """Creates the weights for inputs of this shape."""
        shape = self.flatten.compute_output_shape(input_shape)
        for layer in self.hidden:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        for layer, width in zip(self.normalisations, self.units, strict=False):
            layer.build((None, width))

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        """Returns the features of each input."""
        features = self.flatten(inputs)
        for i in range(len(self.hidden)):
            features = self._layer(i, self.hidden[i](features), training)
        return features

    def _layer(self, i: int, sums: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """What layer i makes of its sums: the same, activated already, without normalisation."""
        if not self.batch_normalisation:
            return sums
        return self.activation(self.normalisations[i](sums, training=training))

    def of_each(self, inputs: Mapping[str, tf.Tensor], each: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns the features of all B inputs beside each of K others, `[K, B, units[-1]]`.

        The same as of all pairs, one by one, with each share of the first layer made once:

            h_1 = activation(W_x x + W_y y + b)

        Args:
            inputs: Some of the tensors that the network was built for, by name, `[B, ...]`.
            each: The rest, `[K, ...]`.
        """
        first, dtype = self.hidden[0], self.compute_dtype
        rows = {n: self.flatten(x) for n, x in {**inputs, **each}.items()}
        names = sorted(rows)  # the order in which the kernel has them
        kernels = tf.split(tf.cast(first.kernel, dtype), [rows[n].shape[1] for n in names])
        products = {n: tf.matmul(rows[n], k) for n, k in zip(names, kernels, strict=True)}
        shared = tf.add_n([products[n] for n in inputs])
        if first.use_bias:
            shared += tf.cast(first.bias, dtype)
        sums = shared + tf.add_n([products[n] for n in each])[:, tf.newaxis]
        leading = tf.shape(sums)[:2]
        sums = tf.reshape(sums, [-1, first.units])
        features = self._layer(0, sums) if self.batch_normalisation else self.activation(sums)
        for i in range(1, len(self.hidden)):
            features = self._layer(i, self.hidden[i](features))
        return tf.reshape(features, tf.concat([leading, [self.units[-1]]], axis=0))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """Returns `(batch, units[-1])`."""
        return (self.flatten.compute_output_shape(input_shape)[0], self.units[-1])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "units": list(self.units),
            "activation": keras.activations.serialize(self.activation),
            "batch_normalisation": self.batch_normalisation,
        }
