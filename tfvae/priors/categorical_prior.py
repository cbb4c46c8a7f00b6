"""Categories from independent dice."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.distributions.one_hot_blocks import OneHotBlocks, num_blocks, one_hot_space
from tfvae.priors.base import Prior


@keras.saving.register_keras_serializable("tfvae")
class CategoricalPrior(Prior):
    """p(z) = prod_m Categorical(z_m; softmax(logits_m)), learned: for `LatentCategorical`.

    Args:
        latent_size: D = M C, numbers in z; a multiple of `num_categories`.
        num_categories: C, at least 2. Default 10.
        **kwargs: Keras layer arguments.

    Weights: logits `[M, C]`, from 0.

    Raises:
        UserError: if a size is no positive integer, or the categories do not divide D.

    Example:
        >>> prior = CategoricalPrior(4, num_categories=2)
        >>> prior().mean().numpy().tolist()
        [0.5, 0.5, 0.5, 0.5]

    References:
        E. Jang, S. Gu, B. Poole, 2017, "Categorical Reparameterization with Gumbel-Softmax",
        arXiv:1611.01144, section 4.2, where it is uniform.
    """

    def __init__(self, latent_size: int, num_categories: int = 10, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.num_blocks = num_blocks(self.latent_size, num_categories)
        self.num_categories = num_categories
        self.space = one_hot_space(num_categories)

    def build(self, input_shape: Any = None) -> None:
        """Creates the logits."""
        shape = (self.num_blocks, self.num_categories)
        self.logits = self.add_weight(
            shape=shape, initializer="zeros", name="logits", dtype="float32"
        )

    def distribution(self) -> OneHotBlocks:
        """Returns the one-hot vectors."""
        return OneHotBlocks(tf.convert_to_tensor(self.logits))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_categories": self.num_categories}
