"""What heads of p(x|z) share: numbers for each entry of x, from any features."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfvae.errors import UserError, UserRuntimeError
from tfvae.heads.base import Head


class LikelihoodHead(Head):
    """A head with real numbers for each entry of x, projected from the features.

    Features with the event's own spatial shape `[N, H, W, F]` are projected pixel by pixel (a
    1 x 1 convolution); any others are flattened and projected by one dense layer. Either way a
    bias is added to each number, so that `adapt` can start the decoder at the training mean.

    It is one number per entry, unless a subclass says by `raw_shape` that there are more.

    Args:
        event_shape: Shape of one x, such as `(28, 28, 1)`, or `(30,)` for a row of a table.
        **kwargs: Keras layer arguments.
    """

    def __init__(self, event_shape: Sequence[int], **kwargs: Any):
        super().__init__(event_shape, **kwargs)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.projection: Any = None  # made by build, which knows the features
        self.per_pixel = False

    @property
    def raw_shape(self) -> tuple[int, ...]:
        """The shape of the unconstrained numbers: that of x, and how many there are of each."""
        return self.event_shape

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection for features of this shape, and the bias of each number."""
        shape = tuple(features_shape)
        self.per_pixel = len(shape) > 2 and shape[1:-1] == self.event_shape[:-1]
        own = self.raw_shape[len(self.event_shape) - 1 :] if self.per_pixel else self.raw_shape
        units = math.prod(own)
        self.projection = keras.layers.Dense(
            units, use_bias=False, dtype=self.dtype_policy, name="projection"
        )
        self.projection.build(shape if self.per_pixel else self.flatten.compute_output_shape(shape))
        self.bias = self.add_weight(
            shape=self.raw_shape, initializer="zeros", name="bias", dtype="float32"
        )

    def entries(self, features: tf.Tensor) -> tf.Tensor:
        """Returns the unconstrained numbers, `[N, *raw_shape]`."""
        if self.per_pixel:
            found = self.projection(features)
            if found.shape.rank <= len(self.raw_shape):  # several numbers for each entry
                found = tf.reshape(found, [-1, *self.raw_shape])
            return found + self.bias
        flat = self.projection(self.flatten(features)) + tf.reshape(self.bias, [-1])
        return tf.reshape(flat, [-1, *self.raw_shape])

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns the bias `raw_shape` at which the likelihood's mean is `mean`, `event_shape`.

        A subclass that does not say it starts where its initial weights are.
        """
        return np.array(self.bias)

    def adapt(self, mean: np.ndarray) -> None:
        """Sets the bias so that a decoder with zero weights outputs the mean of the training data.

        Args:
            mean: The mean over the training examples, `event_shape`, within the support.

        Raises:
            UserRuntimeError: if the head is not built.
            UserError: if the shape or a value is wrong.
        """
        if not self.built:
            raise UserRuntimeError(
                f"{self.name}.adapt() needs a built head. Call the model once, or "
                "model.build((None, *shape of one x)), and then adapt."
            )
        mean = np.asarray(mean, "float64")
        if mean.shape != self.event_shape:
            raise UserError(
                f"adapt() expects a mean of shape {self.event_shape}, received {mean.shape}."
            )
        low, high = self.interval or (-np.inf, np.inf)
        if not np.all(np.isfinite(mean) & (mean >= low) & (mean <= high)):
            raise UserError(
                f"adapt() expects finite means in [{low:g}, {high:g}], received values between "
                f"{mean.min():g} and {mean.max():g}."
            )
        self.bias.assign(self.bias_for_mean(mean).astype("float32"))
