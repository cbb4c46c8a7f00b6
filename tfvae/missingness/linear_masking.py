"""Entries that are missing because of the values of any."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.missingness.base import MissingProcess


@keras.saving.register_keras_serializable("tfvae")
class LinearMasking(MissingProcess):
    """p(s_i = 1|x) = sigmoid(sum_j W_ij x_j + b_i): every entry has a say in what is seen.

    For processes of which nothing is known. It has as many weights as entries squared, which takes
    many rows to find: choose `SelfMasking` where an entry's own value is what decides.

    Args:
        **kwargs: Keras layer arguments.

    Shapes: x `[..., *event]` -> logits of the same shape.

    Example:
        >>> process = LinearMasking()
        >>> process.build((None, 3))
        >>> process(tf.ones([2, 3])).shape.as_list()
        [2, 3]

    References:
        N. B. Ipsen, P.-A. Mattei, J. Frellsen, 2021, "not-MIWAE: Deep Generative Modelling with
        Missing not at Random Data", ICLR, arXiv:2006.12871, section 3.1: "agnostic".
    """

    def build(self, x_shape: Sequence[int | None]) -> None:
        """Makes the matrix and the biases, which start at 0: all entries alike."""
        shape = tuple(x_shape)[1:]
        size = math.prod(int(n or 1) for n in shape)
        self.kernel = self.add_weight(shape=(size, size), initializer="zeros", name="kernel")
        self.bias = self.add_weight(shape=shape, initializer="zeros", name="bias")

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Returns W x + b, of x as one vector."""
        event = self.bias.shape
        leading = tf.shape(x)[: x.shape.rank - len(event)]
        flat = tf.reshape(x, tf.concat([leading, [self.kernel.shape[0]]], axis=0))
        found = tf.tensordot(flat, tf.convert_to_tensor(self.kernel), [[-1], [1]])
        return tf.reshape(found, tf.shape(x)) + self.bias

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return dict(super().get_config())
