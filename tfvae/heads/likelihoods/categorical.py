"""Categorical likelihood of grey levels."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import positive_int
from tfvae.distributions.grey_levels import GreyLevels
from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class Categorical(LikelihoodHead):
    """P(x|z) = prod_i pi_i[k_i],  x_i = k_i / (L - 1),  k_i one of 0 .. L - 1: grey levels.

    For images of few grey levels, whose probabilities may have any shape: L numbers for each entry,
    so 16 or 32 rather than 256. `DiscretisedLogisticMixture` needs some tens of numbers for 256
    levels and knows that neighbours are alike. Probabilities, and no densities: bits per dimension
    have a meaning.

    Args:
        event_shape: Shape of one example, such as `(28, 28, 1)`.
        num_levels: L, at least 2. Default 256, bytes; scikit-learn's digits have 17.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> distribution of batch `[N]`, event `event_shape`; parameters
        `logits [N, *event_shape, L]`. x holds levels, multiples of 1 / (L - 1) from 0 to 1: data
        of `tfvae.data.load(..., binarisation="none")`. `log_prob` is in nats per example.

    Raises:
        UserError: if `num_levels` is not an integer of at least 2; by the model, for x between the
            levels.

    Example:
        >>> import numpy as np
        >>> head = Categorical((4, 4, 1), num_levels=17)
        >>> likelihood = head(np.zeros((3, 8), "float32"))
        >>> bool(np.allclose(likelihood.log_prob(np.ones((3, 4, 4, 1))), -16 * np.log(17)))
        True

    References:
        A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu, 2016, "Pixel Recurrent Neural Networks",
        arXiv:1601.06759, section 3.3 (a softmax over the levels of each channel). Departure: the
        entries are independent given z.
    """

    interval = (0.0, 1.0)
    discrete = True

    def __init__(self, event_shape: Sequence[int], num_levels: int = 256, **kwargs: Any):
        super().__init__(event_shape, **kwargs)
        self.num_levels = positive_int("num_levels", num_levels, minimum=2)
        self.spacing = 1.0 / (self.num_levels - 1)

    @property
    def raw_shape(self) -> tuple[int, ...]:
        """L numbers for each entry."""
        return (*self.event_shape, self.num_levels)

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `logits [N, *event_shape, L]`."""
        return {"logits": self.entries(features)}

    def distribution(self, logits: tf.Tensor) -> tfd.Independent:
        """Returns independent entries with these logits."""
        return tfd.Independent(GreyLevels(logits), reinterpreted_batch_ndims=len(self.event_shape))

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns `logits` and `mean [N, *event_shape]`."""
        return {**parameters, "mean": self.distribution(**parameters).mean()}

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns the logits of binomial probabilities with this mean, clipped to [.001, .999]."""
        clipped = np.clip(mean, 0.001, 0.999)[..., np.newaxis]
        levels = np.arange(self.num_levels)
        choices = [np.log(self.num_levels - k) - np.log(k) for k in levels[1:]]
        log_choices = np.concatenate([[0.0], np.cumsum(choices)])
        return log_choices + levels * (np.log(clipped) - np.log1p(-clipped))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_levels": self.num_levels}
