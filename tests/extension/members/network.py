"""A network that takes a label beside x or z."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("stranger")
class Beside(keras.layers.Layer):
    """{"x" or "z": numbers, "label": class} -> features of both."""

    def __init__(self, num_classes: int = 10, units: int = 16, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_classes, self.units = num_classes, units
        self.dense = keras.layers.Dense(units, activation="tanh", name="dense")

    def call(self, inputs):
        numbers, label = inputs.get("x", inputs.get("z")), tf.cast(inputs["label"], tf.int32)
        one_hot = tf.one_hot(label, self.num_classes, dtype=self.compute_dtype)
        flat = tf.reshape(numbers, [-1, numbers.shape[1:].num_elements()])
        return self.dense(tf.concat([flat, one_hot], axis=1))

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "units": self.units}


def beside(num_classes: int = 10, units: int = 16, dtype: Any = None):
    """A pair of networks, as the command line chooses them.

    Args:
        num_classes: Of the label.
        units: Of the hidden layer.
        dtype: A Keras dtype policy.
    """
    return tuple(Beside(num_classes, units, name=f"beside_{n}", dtype=dtype) for n in "xz")
