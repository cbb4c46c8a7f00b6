"""Continuous Bernoulli likelihood of numbers from 0 to 1."""

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions

# The mean of logits of this size is .001 from an end: where `adapt` stops.
_LARGEST = 1000.0


@keras.saving.register_keras_serializable("tfvae")
class ContinuousBernoulli(LikelihoodHead):
    """p(x|z) = prod_i C(l_i) exp(l_i x_i - softplus(l_i)),  C(l) = l / tanh(l / 2), C(0) = 2.

    For grey values in [0, 1] that are no levels, where people use the Bernoulli's cross-entropy:
    this is the density that it lacks the normaliser C of. Values crowd at both ends, as those of
    MNIST do. `IndependentNormal` is for grey values that do not; `Categorical` and
    `DiscretisedLogisticMixture` are for levels, such as bytes.

    In the logit l the normaliser has no cancellation near l = 0, where the parameter sigmoid(l) of
    the paper is 1/2 and its formula 0/0.

    Args:
        event_shape: Shape of one example, such as `(28, 28, 1)`.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> `tfd.Independent(tfd.ContinuousBernoulli)`, batch `[N]`, event
        `event_shape`; parameters `logits [N, *event_shape]`. `log_prob` is in nats per example, a
        density on [0, 1]. The mean is 1 / (1 - exp(-l)) - 1 / l, and not sigmoid(l).

    Raises:
        UserError: if `event_shape` is not a list of positive integers.

    Example:
        >>> import numpy as np
        >>> head = ContinuousBernoulli((4, 4, 1))
        >>> bool(np.allclose(head(np.zeros((3, 8), "float32")).mean(), 0.5))
        True

    References:
        G. Loaiza-Ganem and J. P. Cunningham, 2019, "The continuous Bernoulli: fixing a pervasive
        error in variational autoencoders", arXiv:1907.06845, eq. 6 to 8. Departure: the Taylor
        series of the normaliser about 1/2 is not needed.
    """

    interval = (0.0, 1.0)

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `logits [N, *event_shape]`."""
        return {"logits": self.entries(features)}

    def distribution(self, logits: tf.Tensor) -> tfd.Independent:
        """Returns independent entries with these logits."""
        return tfd.Independent(
            tfd.ContinuousBernoulli(logits=logits), reinterpreted_batch_ndims=len(self.event_shape)
        )

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns `logits` and `mean`."""
        return {**parameters, "mean": self.distribution(**parameters).mean()}

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns the logits at which the mean is `mean`, at most 1000 in size."""
        # Of a logarithmic grid, by interpolation: the mean is a smooth function of the logit.
        positive = np.concatenate([[0.0], np.geomspace(1e-3, _LARGEST, 4000)])
        logits = np.concatenate([-positive[:0:-1], positive])
        means = tfd.ContinuousBernoulli(logits=tf.constant(logits, tf.float32)).mean()
        return np.interp(mean, means, logits)
