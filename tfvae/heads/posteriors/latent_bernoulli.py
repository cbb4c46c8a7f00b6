"""Bits as latents."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.distributions.grouped_bernoulli import IndependentPixels
from tfvae.heads.base import LatentHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class LatentBernoulli(LatentHead):
    """q(z|x) = prod_i Bernoulli(z_i; sigmoid(logits_i)): z is D bits.

    Choose it where a code should be on or off, as in a sigmoid belief network. Draws have no
    gradient: train with `gradient="score_function"` or "vimco" and a `BernoulliPrior`, whose KL
    has a closed form. `RelaxedBernoulli` trades that gradient's variance for a bias.

    Args:
        latent_size: D, the number of bits, at least 1.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` (flattened) -> independent Bernoullis, batch `[N]`, event `[D]`,
        draws float32 of 0 and 1; parameters `logits [N, D]`. The code is the likelier value of
        each bit.

    Raises:
        UserError: if `latent_size` is not a positive integer.

    Example:
        >>> import numpy as np
        >>> head = LatentBernoulli(4)
        >>> head(np.zeros((3, 8), "float32")).event_shape.as_list()
        [4]

    References:
        A. Mnih and K. Gregor, 2014, "Neural Variational Inference and Learning in Belief Networks",
        arXiv:1402.0030, section 4.
    """

    reparameterised = False
    discrete = True
    space = "bits"
    interval: tuple[float, float] | None = (0.0, 1.0)

    def __init__(self, latent_size: int, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.projection = keras.layers.Dense(
            latent_size, dtype=self.dtype_policy, name="projection"
        )

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection for features of this shape."""
        self.projection.build(self.flatten.compute_output_shape(features_shape))

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `logits [N, D]`."""
        return {"logits": self.projection(self.flatten(features))}

    def distribution(self, logits: tf.Tensor) -> tfd.Independent:
        """Returns independent bits with these logits."""
        bits = tfd.Bernoulli(logits=logits, dtype=tf.float32)
        return IndependentPixels(bits, reinterpreted_batch_ndims=1)

    def code(self, distribution: tfd.Distribution) -> tf.Tensor:
        """Returns the likelier value of each bit."""
        return tf.cast(distribution.distribution.logits > 0.0, tf.float32)
