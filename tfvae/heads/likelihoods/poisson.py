"""Poisson likelihood of counts."""

import math

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.counts import PoissonCounts
from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class Poisson(LikelihoodHead):
    """P(x|z) = prod_i rate_i^x_i exp(-rate_i) / x_i!: counts whose variance is their mean.

    For counts of events: photons, visits, spikes. Where examples with the same code still vary by
    more than the square root of their mean, as reads of genes do, choose `NegativeBinomial`; where
    only the shares of a total count, as words of a document do, `Multinomial`.

    Args:
        event_shape: Shape of one x, such as `(30,)` for a row of a table.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> distribution of batch `[N]`, event `event_shape`; parameters
        `log_rate [N, *event_shape]`. x holds whole numbers of at least 0, as floats or integers.
        `log_prob` is in nats per example, log x! included: a probability.

    Raises:
        UserError: if `event_shape` is not a list of positive integers; by the model, for counts
            that are not whole.

    Example:
        >>> import numpy as np
        >>> head = Poisson((3,))
        >>> head(np.zeros((1, 8), "float32")).mean().numpy().tolist()
        [[1.0, 1.0, 1.0]]

    References:
        G. Casella and R. L. Berger, 2002, "Statistical Inference", section 3.2.
    """

    interval = (0.0, math.inf)
    spacing = 1.0
    discrete = True

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `log_rate [N, *event_shape]`."""
        return {"log_rate": self.entries(features)}

    def distribution(self, log_rate: tf.Tensor) -> tfd.Independent:
        """Returns independent counts."""
        return tfd.Independent(
            PoissonCounts(log_rate=log_rate), reinterpreted_batch_ndims=len(self.event_shape)
        )

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns `log_rate` and `mean`."""
        return {**parameters, "mean": tf.exp(parameters["log_rate"])}

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns log(mean), of means of at least .001: what was never counted has no logarithm."""
        return np.log(np.maximum(mean, 0.001))
