"""Models whose codes and decoders are known exactly."""

import keras
import numpy as np
import tensorflow as tf

import tfvae


@keras.saving.register_keras_serializable("tests")
class Polar(keras.layers.Layer):
    """(r, angle) -> (r cos angle, r sin angle)."""

    def call(self, z):
        """Returns the point."""
        return tf.stack([z[..., 0] * tf.cos(z[..., 1]), z[..., 0] * tf.sin(z[..., 1])], axis=-1)


@keras.saving.register_keras_serializable("tests")
class Cube(keras.layers.Layer):
    """z -> z^3."""

    def call(self, z):
        """Returns the cubes."""
        return z**3


def with_decoder(layer, size=2):
    """A VAE whose code is x, and whose E[x|z] is the layer's."""
    model = tfvae.VAE(
        tfvae.Encoder(keras.layers.Identity(), tfvae.heads.MultivariateNormalDiag(size)),
        tfvae.Decoder(
            keras.Sequential([keras.layers.Dense(size, use_bias=False), layer]),
            tfvae.heads.IndependentNormal((size,), scale=1.0),
        ),
    )
    model(np.zeros((1, size), "float32"))
    identity(model.encoder.head)
    identity(model.decoder)
    return model


def identity(part):
    """Makes dense kernels the identity, and biases 0, of what has the shape."""
    for variable in part.trainable_variables:
        value = np.zeros(variable.shape, "float32")
        if variable.path.endswith("kernel"):
            np.fill_diagonal(value, 1.0)
        variable.assign(value)
