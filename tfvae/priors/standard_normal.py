"""The standard Normal prior."""

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.priors.base import Prior

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class StandardNormal(Prior):
    """p(z) = N(z; 0, I): the default, with nothing to learn and a closed-form KL.

    Args:
        latent_size: D, at least 1.
        **kwargs: Keras layer arguments.

    Example:
        >>> StandardNormal(3).distribution().event_shape.as_list()
        [3]

    References:
        D. P. Kingma and M. Welling, 2013, "Auto-Encoding Variational Bayes", arXiv:1312.6114.
    """

    def distribution(self) -> tfd.MultivariateNormalDiag:
        """Returns N(0, I)."""
        return tfd.MultivariateNormalDiag(
            loc=tf.zeros(self.latent_size), scale_diag=tf.ones(self.latent_size)
        )
