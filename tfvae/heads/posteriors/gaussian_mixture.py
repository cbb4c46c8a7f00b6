"""Mixture posterior of diagonal Normals."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import LARGEST_SIZE, positive_int
from tfvae.distributions.draws import Draw
from tfvae.distributions.scales import positive_diagonal
from tfvae.heads.base import LatentHead
from tfvae.noise import Noise

tfd = tfp.distributions

_COMPONENT = 1  # the part of the noise that chooses the component


@keras.saving.register_keras_serializable("tfvae")
class GaussianMixture(LatentHead):
    """q(z|x) = sum_k pi_k N(z; loc_k, diag(scale_k^2)): a posterior with several modes.

        E_q[f(z)] = sum_k pi_k E[f(loc_k + scale_k eps_k)]

    Which component a draw comes from is no differentiable choice, so objectives draw from every
    component, each counting for pi_k (`draw_strata`): pi has a gradient, at K times the decoder's
    cost. Choose it where x leaves a choice of a few explanations; `SplineFlow`
    makes modes at the cost of one draw. The KL is estimated; the mean is exact.

    Args:
        latent_size: D, the number of latent dimensions, at least 1.
        num_components: K, at least 2. Default 3.
        **kwargs: Keras layer arguments.

    Shapes: features `[N, ...]` (flattened) -> `tfd.MixtureSameFamily`, batch `[N]`, event `[D]`;
        parameters `logits [N, K]`, `loc [N, K, D]`, `scale_diag [N, K, D]`.

    Raises:
        UserError: if a size is out of range.

    Example:
        >>> import numpy as np
        >>> head = GaussianMixture(2, num_components=4)
        >>> head(np.zeros((3, 8), "float32")).components_distribution.batch_shape.as_list()
        [3, 4]

    References:
        W. R. Morningstar et al., 2021, "Automatic Differentiation Variational Inference with
        Mixture Families", arXiv:2003.01687: the stratified ELBO, and the importance-weighted bound
        of stratified draws.
    """

    reparameterised = False  # a draw of q: those of the components are

    def __init__(self, latent_size: int, num_components: int = 3, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
        self.num_components = positive_int(
            "num_components", num_components, minimum=2, maximum=LARGEST_SIZE
        )
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.projection = keras.layers.Dense(
            self.num_components * (1 + 2 * latent_size), dtype=self.dtype_policy, name="projection"
        )

    @property
    def strata(self) -> int:
        """K."""
        return self.num_components

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection for features of this shape."""
        self.projection.build(self.flatten.compute_output_shape(features_shape))

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `logits`, `loc` and `scale_diag`."""
        count, size = self.num_components, self.latent_size
        numbers = self.projection(self.flatten(features))
        logits, loc, raw_scale = tf.split(numbers, [count, count * size, count * size], axis=-1)
        scale_diag = positive_diagonal(tf.reshape(raw_scale, [-1, count, size]))
        return {
            "logits": logits,
            "loc": tf.reshape(loc, [-1, count, size]),
            "scale_diag": scale_diag,
        }

    def distribution(
        self, logits: tf.Tensor, loc: tf.Tensor, scale_diag: tf.Tensor
    ) -> tfd.MixtureSameFamily:
        """Returns the mixture."""
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=logits), tfd.MultivariateNormalDiag(loc, scale_diag)
        )

    def draw(self, distribution: tfd.MixtureSameFamily, noise: Noise) -> Draw:
        """Draws a component by its cumulative probability, then from its Normal."""
        probs = distribution.mixture_distribution.probs_parameter()
        uniform = noise.part(_COMPONENT).uniform(1)
        above = tf.cast(uniform > tf.cumsum(probs, axis=-1)[..., :-1], tf.int32)
        chosen = tf.one_hot(tf.reduce_sum(above, axis=-1), self.num_components)[..., tf.newaxis]
        normal = distribution.components_distribution
        loc = tf.reduce_sum(chosen * normal.loc, axis=-2)
        scale = tf.reduce_sum(chosen * normal.scale.diag, axis=-2)
        z = loc + scale * noise.normal(self.latent_size)
        return Draw(z, distribution.log_prob(z))

    def draw_strata(
        self, distribution: tfd.MixtureSameFamily, noise: Noise
    ) -> tuple[Draw, tf.Tensor]:
        """Draws from every component, with log(K pi_k)."""
        normal, choice = distribution.components_distribution, distribution.mixture_distribution
        log_shares = tf.nn.log_softmax(choice.logits_parameter()) + math.log(self.num_components)
        draws, shares = [], []
        for k in range(self.num_components):
            eps = noise.part(_COMPONENT + 1 + k).normal(self.latent_size)
            draws.append(normal.loc[:, k] + normal.scale.diag[:, k] * eps)
            shares.append(tf.broadcast_to(log_shares[:, k], tf.shape(draws[k])[:-1]))
        z = tf.concat(draws, axis=0)
        return Draw(z, distribution.log_prob(z)), tf.concat(shares, axis=0)

    def frozen(self, distribution: tfd.MixtureSameFamily) -> tfd.MixtureSameFamily:
        """Returns the same q, its parameters held constant in gradients."""
        normal = distribution.components_distribution
        held = (
            distribution.mixture_distribution.logits_parameter(),
            normal.loc,
            normal.scale.diag,
        )
        return self.distribution(*map(tf.stop_gradient, held))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_components": self.num_components}
