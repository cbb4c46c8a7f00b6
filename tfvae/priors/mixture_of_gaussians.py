"""A learned mixture of diagonal Gaussians."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import LARGEST_SIZE, positive_int
from tfvae.distributions.scales import positive_diagonal
from tfvae.noise import Noise
from tfvae.priors.base import Prior

tfd = tfp.distributions

_COMPONENT = 1  # the part of the noise that chooses the component


@keras.saving.register_keras_serializable("tfvae")
class MixtureOfGaussians(Prior):
    """p(z) = sum_k pi_k N(z; loc_k, diag(scale_k^2)), with pi, loc and scale learned.

    Choose it over `StandardNormal` where the data fall into clusters, or to lower the KL that a
    rigid prior costs. There is no closed form of its KL, so `ELBO` estimates it.

    Args:
        latent_size: D, at least 1.
        num_components: K, at least 1. Default 10.
        **kwargs: Keras layer arguments.

    Weights: logits `[K]` from 0, loc `[K, D]` from N(0, 1), raw scale `[K, D]` from 0 (scale 1).

    Raises:
        UserError: if a size is not a positive integer.

    Example:
        >>> prior = MixtureOfGaussians(3, num_components=4)
        >>> prior().components_distribution.batch_shape.as_list()
        [4]

    References:
        N. Dilokthanakul et al., 2016, "Deep Unsupervised Clustering with Gaussian Mixture VAEs",
        arXiv:1611.02648. J. Tomczak and M. Welling, 2018, "VAE with a VampPrior",
        arXiv:1705.07120, section 2 and the "MoG" rows of table 1, which this is.
    """

    def __init__(self, latent_size: int, num_components: int = 10, **kwargs: Any):
        super().__init__(latent_size, **kwargs)
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

    def distribution(self) -> tfd.MixtureSameFamily:
        """Returns the mixture."""
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=tf.convert_to_tensor(self.logits)),
            tfd.MultivariateNormalDiag(
                loc=tf.convert_to_tensor(self.loc), scale_diag=positive_diagonal(self.raw_scale)
            ),
        )

    def generate(self, noise: Noise) -> tf.Tensor:
        """Draws `z [*leading, D]`: a component by its cumulative probability, then its Normal."""
        thresholds = tf.cumsum(tf.nn.softmax(self.logits))[:-1]
        uniform = noise.part(_COMPONENT).uniform(1)
        component = tf.reduce_sum(tf.cast(uniform > thresholds, tf.int32), axis=-1)
        scale = tf.gather(positive_diagonal(self.raw_scale), component)
        loc = tf.gather(tf.convert_to_tensor(self.loc), component)
        return loc + scale * noise.normal(self.latent_size)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_components": self.num_components}
