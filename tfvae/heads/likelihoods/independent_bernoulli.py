"""Bernoulli likelihood of binary images."""

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.grouped_bernoulli import IndependentPixels
from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class IndependentBernoulli(LikelihoodHead):
    """p(x|z) = prod_i Bernoulli(x_i; sigmoid(logits_i)): the likelihood of binary images.

    For pixels that are 0 or 1; grey images are binarised first (`tfvae.data`). On grey values
    `log_prob` is a cross-entropy and no density: use `IndependentNormal` for those.

    Args:
        event_shape: Shape of one example, such as `(28, 28, 1)`.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> `tfd.Independent(tfd.Bernoulli)`, batch `[N]`, event
        `event_shape`; parameters `logits [N, *event_shape]`. `log_prob` is in nats per example.

    Raises:
        UserError: if `event_shape` is not a list of positive integers.

    Example:
        >>> import numpy as np
        >>> head = IndependentBernoulli((4, 4, 1))
        >>> head(np.zeros((3, 8), "float32")).event_shape.as_list()
        [4, 4, 1]

    References:
        D. P. Kingma and M. Welling, 2013, "Auto-Encoding Variational Bayes", arXiv:1312.6114,
        appendix C.1, eq. 11. The output bias of `adapt`: Y. Burda, R. Grosse, R. Salakhutdinov,
        2016, "Importance Weighted Autoencoders", arXiv:1509.00519, in the authors' code.
    """

    interval = (0.0, 1.0)
    discrete = True

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `logits [N, *event_shape]`."""
        return {"logits": self.entries(features)}

    def distribution(self, logits: tf.Tensor) -> tfd.Independent:
        """Returns independent Bernoulli pixels with these logits."""
        return IndependentPixels(
            tfd.Bernoulli(logits=logits, dtype=tf.float32),
            reinterpreted_batch_ndims=len(self.event_shape),
        )

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns `logits` and `probs`, the probabilities of 1."""
        return {**parameters, "probs": tf.sigmoid(parameters["logits"])}

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns logit(mean), the mean clipped to [.001, .999]: a pixel never lit has no logit."""
        clipped = np.clip(mean, 0.001, 0.999)
        return np.log(clipped) - np.log1p(-clipped)
