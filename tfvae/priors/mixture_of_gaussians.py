"""A learned mixture of Gaussians."""

from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import LARGEST_SIZE, positive_int
from tfvae.distributions.normal_mixture import NormalMixture
from tfvae.distributions.scales import positive_diagonal, raw_diagonal
from tfvae.errors import UserError
from tfvae.noise import Noise
from tfvae.priors.base import Prior

tfd = tfp.distributions

_FULL = "full"
_COVARIANCES = ("diag", _FULL)
_COMPONENT = 1  # the part of the noise that chooses the component


@keras.saving.register_keras_serializable("tfvae")
class MixtureOfGaussians(Prior):
    """p(z) = sum_k pi_k N(z; loc_k, L_k L_k^T), with pi, loc and L learned; L diagonal or lower.

    Choose it over `StandardNormal` where the data fall into clusters, or to lower the KL that a
    rigid prior costs. There is no closed form of its KL, so `ELBO` estimates it.

    Args:
        latent_size: D, at least 1.
        num_components: K, at least 1. Default 10.
        covariance: "diag" (default), or "full" for a lower triangular L, which has D (D - 1) / 2
            numbers more for each component.
        **kwargs: Keras layer arguments.

    Weights: logits `[K]` from 0, loc `[K, D]` from N(0, 1), raw scale `[K, D]` from 0 (scale 1);
    lower `[K, D, D]` from 0, of which what stands below the diagonal counts.

    Raises:
        UserError: if a size is not a positive integer, or the covariance is neither.

    Example:
        >>> prior = MixtureOfGaussians(3, num_components=4)
        >>> prior().components_distribution.batch_shape.as_list()
        [4]

    References:
        N. Dilokthanakul et al., 2016, "Deep Unsupervised Clustering with Gaussian Mixture VAEs",
        arXiv:1611.02648. J. Tomczak and M. Welling, 2018, "VAE with a VampPrior",
        arXiv:1705.07120, section 2 and the "MoG" rows of table 1, which this is.
    """

    def __init__(
        self,
        latent_size: int,
        num_components: int = 10,
        covariance: Literal["diag", "full"] = "diag",
        **kwargs: Any,
    ):
        super().__init__(latent_size, **kwargs)
        if covariance not in _COVARIANCES:
            raise UserError(f'covariance must be "diag" or "full", received {covariance!r}.')
        self.covariance = covariance
        self.num_components = positive_int("num_components", num_components, maximum=LARGEST_SIZE)

    def build(self, input_shape: Any = None) -> None:
        """Creates the mixture's weights."""
        shape = (self.num_components, self.latent_size)
        self.logits = self.add_weight(
            shape=shape[:1], initializer="zeros", name="logits", dtype="float32"
        )
        self.loc = self.add_weight(
            shape=shape,
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="loc",
            dtype="float32",
        )
        self.raw_scale = self.add_weight(
            shape=shape, initializer="zeros", name="raw_scale", dtype="float32"
        )

        if self.covariance == _FULL:
            self.lower = self.add_weight(
                shape=(*shape, self.latent_size), initializer="zeros", name="lower", dtype="float32"
            )

    def distribution(self) -> tfd.MixtureSameFamily:
        """Returns the mixture."""
        loc, diagonal = tf.convert_to_tensor(self.loc), positive_diagonal(self.raw_scale)
        if self.covariance == _FULL:
            scale = tf.linalg.set_diag(self._below(), diagonal)
            components = tfd.MultivariateNormalTriL(loc=loc, scale_tril=scale)
        else:
            components = tfd.MultivariateNormalDiag(loc=loc, scale_diag=diagonal)
        weights = tfd.Categorical(logits=tf.convert_to_tensor(self.logits))
        return NormalMixture(weights, components)

    def generate(self, noise: Noise) -> tf.Tensor:
        """Draws `z [*leading, D]`: a component by its cumulative probability, then its Normal."""
        thresholds = tf.cumsum(tf.nn.softmax(self.logits))[:-1]
        uniform = noise.part(_COMPONENT).uniform(1)
        component = tf.reduce_sum(tf.cast(uniform > thresholds, tf.int32), axis=-1)
        scale = tf.gather(positive_diagonal(self.raw_scale), component)
        loc = tf.gather(tf.convert_to_tensor(self.loc), component)
        eps = noise.normal(self.latent_size)
        z = loc + scale * eps
        if self.covariance != _FULL:
            return z
        # By all components, of which one counts: a matrix for each draw is D times as large.
        mixed = tf.tensordot(eps, self._below(), [[-1], [-1]])
        chosen = tf.one_hot(component, self.num_components)[..., tf.newaxis]
        return z + tf.reduce_sum(chosen * mixed, axis=-2)

    def _below(self) -> tf.Tensor:
        """What stands below the diagonals of L, `[K, D, D]`."""
        size = self.latent_size
        return tf.convert_to_tensor(self.lower) * np.tri(size, k=-1, dtype="float32")

    def assign(self, weights: Any, loc: Any, covariances: Any) -> None:
        """Sets the mixture, of a built prior.

        Args:
            weights: pi, `[K]`, above 0.
            loc: `[K, D]`.
            covariances: L L^T, `[K, D, D]`, or of "diag" their diagonals, `[K, D]`.
        """
        self.logits.assign(np.log(weights))
        self.loc.assign(loc)
        if self.covariance != _FULL:
            self.raw_scale.assign(raw_diagonal(np.sqrt(covariances)))
            return
        factors = np.linalg.cholesky(covariances)
        self.raw_scale.assign(raw_diagonal(np.diagonal(factors, axis1=1, axis2=2)))
        self.lower.assign(np.tril(factors, -1))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "num_components": self.num_components,
            "covariance": self.covariance,
        }
