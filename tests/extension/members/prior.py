"""A prior with weights and heavier tails than a Normal's."""

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.priors import Prior

tfd = tfp.distributions


@keras.saving.register_keras_serializable("stranger")
class Laplace(Prior):
    """p(z) = prod_i Laplace(z_i; loc_i, scale_i), with loc and scale learned.

    Args:
        latent_size: D.
        **kwargs: Keras layer arguments.
    """

    def build(self, input_shape=None):
        shape = (self.latent_size,)
        self.loc = self.add_weight(shape=shape, initializer="zeros", name="loc")
        self.log_scale = self.add_weight(shape=shape, initializer="zeros", name="log_scale")

    def distribution(self):
        loc, scale = tf.convert_to_tensor(self.loc), tf.exp(self.log_scale)
        return tfd.Independent(tfd.Laplace(loc, scale), reinterpreted_batch_ndims=1)
