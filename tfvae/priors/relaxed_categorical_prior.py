"""Relaxed categories from independent dice."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import real
from tfvae.distributions.relaxed_blocks import log_concrete, relaxed_space
from tfvae.priors.categorical_prior import CategoricalPrior

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class RelaxedCategoricalPrior(CategoricalPrior):
    """p(z) = prod_m ExpConcrete(z_m; logits_m, t), learned: for `RelaxedCategorical`.

    Args:
        latent_size: D = M C, numbers in z; a multiple of `num_categories`.
        num_categories: C, at least 2. Default 10.
        temperature: t, above 0. Default 1.
        **kwargs: Keras layer arguments.

    Weights: logits `[M, C]`, from 0.

    Raises:
        UserError: if a size is no positive integer, the categories do not divide D, or t is not
            above 0.

    Example:
        >>> RelaxedCategoricalPrior(4, num_categories=2)().event_shape.as_list()
        [4]

    References:
        C. J. Maddison, A. Mnih, Y. W. Teh, 2017, "The Concrete Distribution", arXiv:1611.00712,
        eq. 26 and appendix C.3.
    """

    def __init__(
        self,
        latent_size: int,
        num_categories: int = 10,
        temperature: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(latent_size, num_categories, **kwargs)
        self.space = relaxed_space(num_categories)
        self.temperature = real("temperature", temperature, above=0.0)

    def distribution(self) -> tfd.TransformedDistribution:
        """Returns the logarithms of relaxed one-hot vectors."""
        return log_concrete(tf.convert_to_tensor(self.logits), self.temperature)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "temperature": self.temperature}
