"""Multinomial likelihood of bags of words."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import positive_int
from tfvae.distributions.bag_of_words import BagOfWords
from tfvae.errors import UserError
from tfvae.heads.likelihoods.base import LikelihoodHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class Multinomial(LikelihoodHead):
    """P(x|z, n) = n! / prod_i x_i!  prod_i pi_i^x_i,  n = sum_i x_i: a bag of n words.

    For counts of which only the shares are to be modelled: words of documents, purchases, votes.
    Everything is given the example's own total n, which is read off x: what is reported as log p(x)
    is log P(x | n), and has no part for n. For counts whose total is to be modelled as well choose
    `Poisson` or `NegativeBinomial`.

    z does not know n, so that what is decoded, and drawn, is a bag of `total_count` words: of 1 by
    default, and so the probabilities of the words.

    Args:
        event_shape: Shape of one x, `(V,)`: a count for each word of the vocabulary, at least 2.
        total_count: Words of a bag that is decoded or drawn, at least 1. It does not change the
            likelihood.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` -> distribution of batch `[N]`, event `(V,)`; parameters
        `logits [N, V]`. x holds whole numbers of at least 0. `log_prob` is in nats per example, the
        multinomial coefficient included: a probability.

    Raises:
        UserError: if `event_shape` is no vector of two or more, or `total_count` below 1; by the
            model, for counts that are not whole.

    Example:
        >>> import numpy as np
        >>> head = Multinomial((4,))
        >>> head(np.zeros((1, 8), "float32")).mean().numpy().tolist()
        [[0.25, 0.25, 0.25, 0.25]]

    References:
        Y. Miao, L. Yu, P. Blunsom, 2016, "Neural Variational Inference for Text Processing",
        arXiv:1511.06038, eq. 4 (without the coefficient, as a product over words in their order).
        D. Liang et al., 2018, "Variational Autoencoders for Collaborative Filtering",
        arXiv:1802.05814, eq. 2.
    """

    interval = (0.0, math.inf)
    spacing = 1.0
    discrete = True

    def __init__(self, event_shape: Sequence[int], total_count: int = 1, **kwargs: Any):
        super().__init__(event_shape, **kwargs)
        if len(self.event_shape) != 1 or self.event_shape[0] < 2:
            raise UserError(
                f"event_shape is {self.event_shape}; expected (V,): a count for each of V >= 2 "
                "words. Counts of more axes become a vector by reshape."
            )
        self.total_count = positive_int("total_count", total_count)

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `logits [N, V]`."""
        return {"logits": self.entries(features)}

    def distribution(self, logits: tf.Tensor) -> tfd.Distribution:
        """Returns bags of words with these logits."""
        return BagOfWords(logits, self.total_count)

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns `logits` and `probs`, the probabilities of the words."""
        return {**parameters, "probs": tf.nn.softmax(parameters["logits"])}

    def bias_for_mean(self, mean: np.ndarray) -> np.ndarray:
        """Returns the logarithms of the words' shares, a thousandth of a word added to each."""
        return np.log((mean + 0.001) / np.sum(mean + 0.001))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "total_count": self.total_count}
