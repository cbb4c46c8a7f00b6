"""The smallest model with whole numbers for codes: each quarter of an image is mostly black or not.

It has no weights but one, so that its codes and densities are known by hand.
"""

import math

import keras
import tensorflow as tf

import tfvae
from tfvae.objectives import Nats

HEIGHT, WIDTH = 2, 2
CODES = 5  # how many sixteenths of a quarter of 4 x 4 pixels are white, in fourths
STEP = 4


@keras.saving.register_keras_serializable("tfvae_tests")
class Quarters(tfvae.LatentVariableModel):
    """x -> the share of white pixels in each quarter of 8 x 8 bits, as one of five codes."""

    code_interval = (0, CODES - 1)
    discrete = True

    def __init__(self, seed=5, **kwargs):
        super().__init__(("nll",), seed, **kwargs)
        self.offset = self.add_weight(shape=(), initializer="zeros", name="offset")

    def fields(self):
        return {"x": tfvae.Field((8, 8, 1))}

    def encode(self, batch):
        shares = tf.nn.avg_pool2d(batch["x"], STEP, STEP, "VALID")[..., 0]
        return tf.cast(tf.round(shares * (CODES - 1)), tf.int32)

    def encoder_outputs(self, batch):
        return {"z": self.encode(batch)}

    def logits(self, z):
        shares = (tf.cast(z, tf.float32) + 0.5) / CODES
        logits = tf.math.log(shares) - tf.math.log(1.0 - shares) + self.offset
        return tf.repeat(tf.repeat(logits, STEP, axis=-2), STEP, axis=-1)[..., tf.newaxis]

    def decode(self, z, conditions=None):
        return tf.sigmoid(self.logits(z))

    def decoder_outputs(self, z, conditions=None):
        return {"probs": self.decode(z)}

    def generate(self, noise, conditions=None):
        codes = tf.cast(noise.uniform(HEIGHT * WIDTH) * CODES, tf.int32)
        return tf.reshape(codes, tf.concat([tf.shape(codes)[:-1], [HEIGHT, WIDTH]], axis=0))

    def loss_terms(self, batch, training):
        logits = self.logits(self.encode(batch))
        nats = tf.nn.sigmoid_cross_entropy_with_logits(batch["x"], logits)
        return Nats({"nll": tf.reduce_sum(nats, axis=[1, 2, 3])}, tf.sigmoid(logits))


UNIFORM = HEIGHT * WIDTH * math.log(CODES)  # nats of codes that nothing is known of
