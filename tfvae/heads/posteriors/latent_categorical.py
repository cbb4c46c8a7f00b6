"""Categories as latents."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.one_hot_blocks import OneHotBlocks, num_blocks, one_hot_space
from tfvae.heads.base import LatentHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class LatentCategorical(LatentHead):
    """q(z|x) = prod_m Categorical(z_m; softmax(logits_m)): z is M one-hot vectors, side by side.

    Choose it where a code should be one of C things, M times over. Draws have no gradient: train
    with `gradient="score_function"` or "vimco" and a `CategoricalPrior`, whose KL has a closed
    form. `RelaxedCategorical` trades that gradient's variance for a bias.

    Args:
        latent_size: D = M C, numbers in z; a multiple of `num_categories`.
        num_categories: C, at least 2. Default 10.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` (flattened) -> `OneHotBlocks`, batch `[N]`, event `[D]`, draws
        float32 of 0 and 1; parameters `logits [N, M, C]`. The code has the likeliest categories.

    Raises:
        UserError: if a size is no positive integer, or the categories do not divide D.

    Example:
        >>> import numpy as np
        >>> head = LatentCategorical(6, num_categories=3)
        >>> head(np.zeros((3, 8), "float32")).logits.shape.as_list()
        [3, 2, 3]

    References:
        E. Jang, S. Gu, B. Poole, 2017, "Categorical Reparameterization with Gumbel-Softmax",
        arXiv:1611.01144, section 4.2, whose model this is without the relaxation.
    """

    reparameterised = False
    discrete = True
    interval: tuple[float, float] | None = (0.0, 1.0)

    def __init__(self, latent_size: int, num_categories: int = 10, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.num_blocks = num_blocks(self.latent_size, num_categories)
        self.num_categories = num_categories
        self.space = one_hot_space(num_categories)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.projection = keras.layers.Dense(
            latent_size, dtype=self.dtype_policy, name="projection"
        )

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection for features of this shape."""
        self.projection.build(self.flatten.compute_output_shape(features_shape))

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `logits [N, M, C]`."""
        logits = self.projection(self.flatten(features))
        return {"logits": tf.reshape(logits, [-1, self.num_blocks, self.num_categories])}

    def distribution(self, logits: tf.Tensor) -> OneHotBlocks:
        """Returns independent one-hot vectors with these logits."""
        return OneHotBlocks(logits)

    def code(self, distribution: tfd.Distribution) -> tf.Tensor:
        """Returns the likeliest category of each variable."""
        return distribution.mode()

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_categories": self.num_categories}
