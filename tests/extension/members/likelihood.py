"""A likelihood of positive numbers, such as the rows of a table."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("stranger")
class Gamma(LikelihoodHead):
    """p(x|z) = prod_i Gamma(x_i; k_i, k_i / mean_i), with a learned k_i for each entry.

    Args:
        event_shape: Shape of one x, such as `(30,)` for a row of a table.
        initial_shape: k_i before training, above 0.
        **kwargs: Keras layer arguments.
    """

    interval = (0.0, math.inf)

    def __init__(self, event_shape: Sequence[int], initial_shape: float = 1.0, **kwargs: Any):
        super().__init__(event_shape, **kwargs)
        self.initial_shape = initial_shape

    def build(self, features_shape):
        super().build(features_shape)
        start = keras.initializers.Constant(math.log(self.initial_shape))
        self.log_shape = self.add_weight(
            shape=self.event_shape, initializer=start, name="log_shape", dtype="float32"
        )

    def parameters(self, features):
        log_mean = self.entries(features)
        concentration = tf.exp(self.log_shape) * tf.ones_like(log_mean)
        return {"concentration": concentration, "rate": concentration * tf.exp(-log_mean)}

    def distribution(self, concentration, rate):
        return tfd.Independent(tfd.Gamma(concentration, rate), len(self.event_shape))

    def outputs(self, parameters):
        return {**parameters, "mean": parameters["concentration"] / parameters["rate"]}

    def bias_for_mean(self, mean):
        return np.log(mean)

    def get_config(self):
        return {**super().get_config(), "initial_shape": self.initial_shape}
