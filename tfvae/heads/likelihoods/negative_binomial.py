"""Negative binomial likelihood of counts."""

import math
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.counts import NegativeBinomialCounts
from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class NegativeBinomial(LikelihoodHead):
    """P(x|z) = prod_i NB(x_i; mean_i, r_i),  variance mean_i + mean_i^2 / r_i.

        NB(x; m, r) = Gamma(x + r) / (Gamma(r) x!)  (r / (r + m))^r  (m / (r + m))^x

    A Poisson whose rate is itself drawn from a Gamma: counts that vary more than their mean, such
    as reads of genes. r_i, learned, is one for each entry and shared by all examples; as it grows,
    this becomes `Poisson`.

    Args:
        event_shape: Shape of one x, such as `(30,)` for a row of a table.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> distribution of batch `[N]`, event `event_shape`; parameters
        `log_mean`, `log_total_count [N, *event_shape]`, the latter log r, 0 before training. x
        holds whole numbers of at least 0. `log_prob` is in nats per example: a probability.

    Raises:
        UserError: if `event_shape` is not a list of positive integers; by the model, for counts
            that are not whole.

    Example:
        >>> import numpy as np
        >>> head = NegativeBinomial((2,))
        >>> head(np.zeros((1, 8), "float32")).variance().numpy().tolist()
        [[2.0, 2.0]]

    References:
        R. Lopez et al., 2018, "Deep generative modeling for single-cell transcriptomics", Nature
        Methods 15, online methods (without their inflation of zeros).
    """

    interval = (0.0, math.inf)
    spacing = 1.0
    discrete = True

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection, the bias and log r."""
        super().build(features_shape)
        self.log_total_count = self.add_weight(
            shape=self.event_shape, initializer="zeros", name="log_total_count", dtype="float32"
        )

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `log_mean` and `log_total_count`, `[N, *event_shape]` both."""
        log_mean = self.entries(features)
        shared = tf.convert_to_tensor(self.log_total_count) + tf.zeros_like(log_mean)
        return {"log_mean": log_mean, "log_total_count": shared}

    def distribution(self, log_mean: tf.Tensor, log_total_count: tf.Tensor) -> tfd.Independent:
        """Returns independent counts."""
        counts = NegativeBinomialCounts(tf.exp(log_total_count), logits=log_mean - log_total_count)
        return tfd.Independent(counts, reinterpreted_batch_ndims=len(self.event_shape))

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the parameters and `mean`."""
        return {**parameters, "mean": tf.exp(parameters["log_mean"])}

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns log(mean), of means of at least .001: what was never counted has no logarithm."""
        return np.log(np.maximum(mean, 0.001))
