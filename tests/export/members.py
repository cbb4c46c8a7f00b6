"""Models that can do some of what a VAE can, or something else: what is exported of them."""

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

import tfvae
from tests.export.conftest import scramble
from tfvae.data.fields import Field
from tfvae.distributions.draws import Draw
from tfvae.heads.base import LatentHead
from tfvae.models.base import LatentVariableModel
from tfvae.objectives.base import Nats

tfd, tfb = tfp.distributions, tfp.bijectors
LABELS, SIZE = 4, 3


class Nothing(LatentVariableModel):
    """A model that trains, and can do nothing else."""

    shape = (SIZE,)

    def __init__(self, **kwargs):
        super().__init__(["nll"], **kwargs)
        self.dense = keras.layers.Dense(SIZE, name="dense")

    def fields(self):
        return {"x": Field(self.shape, interval=None)}

    def build(self, input_shape=None):
        self.dense.build((None, 2 + LABELS))

    def loss_terms(self, batch, training):
        return Nats({"nll": tf.reduce_sum(batch["x"] ** 2, axis=-1)}, batch["x"])


class Generator(Nothing):
    """x = tanh(W [z, one-hot label] + b), z ~ N(0, I) in two dimensions: no encoder, no density."""

    def fields(self):
        return {**super().fields(), "label": Field.label(LABELS)}

    def conditions(self):
        return {"label": Field.label(LABELS)}

    def generate(self, noise, conditions):
        return noise.normal(2)

    def decode(self, z, conditions):
        label = tf.one_hot(conditions["label"], LABELS) + tf.zeros_like(z[..., :1])
        return tf.tanh(tf.tensordot(tf.concat([z, label], -1), self.dense.kernel, 1))

    def decoder_outputs(self, z, conditions):
        return {"loc": self.decode(z, conditions)}


class Coder(Nothing):
    """z = 2 x: an encoder without a decoder."""

    def encode(self, batch):
        return 2.0 * batch["x"]

    def encoder_outputs(self, batch):
        return {"code": self.encode(batch)}


class Levels(Nothing):
    """x = [low, high]: two codes, of one and of two numbers."""

    names = ("low", "high")

    def encode(self, batch):
        return dict(zip(self.names, tf.split(batch["x"], [1, 2], axis=-1), strict=True))

    def encoder_outputs(self, batch):
        return self.encode(batch)

    def generate(self, noise, conditions):
        low, high = self.names
        return {low: noise.part(0).normal(1), high: noise.part(1).normal(2)}

    def decode(self, z, conditions):
        return tf.concat([z[name] for name in self.names], axis=-1)

    def decoder_outputs(self, z, conditions):
        return {"loc": self.decode(z, conditions)}


class Map(Nothing):
    """x as a map of one column: a code that is no vector."""

    def encode(self, batch):
        return batch["x"][..., tf.newaxis]

    def encoder_outputs(self, batch):
        return {"map": self.encode(batch)}

    def decode(self, z, conditions):
        return z[..., 0]

    def decoder_outputs(self, z, conditions):
        return {"loc": self.decode(z, conditions)}


class Indices(Nothing):
    """x, a row of a codebook with two: a code of whole numbers."""

    def encode(self, batch):
        return tf.cast(batch["x"][:, 0] > 0, tf.int32)

    def encoder_outputs(self, batch):
        return {"index": self.encode(batch)}

    def decode(self, z, conditions):
        return tf.gather(self.dense.kernel[:2], z)

    def decoder_outputs(self, z, conditions):
        return {"loc": self.decode(z, conditions)}


class Flow(LatentHead):
    """q(z|x): N(loc, scale) bent by sinh-arcsinh, which has neither mean nor KL in closed form."""

    def __init__(self, latent_size, **kwargs):
        super().__init__(latent_size, **kwargs)
        self.projection = keras.layers.Dense(2 * latent_size, name="projection")

    def build(self, features_shape):
        self.projection.build(features_shape)

    def parameters(self, features):
        loc, raw = tf.split(self.projection(features), 2, axis=-1)
        return {"loc": loc, "scale": tf.nn.softplus(raw) + 0.1}

    def distribution(self, loc, scale):
        base = tfd.MultivariateNormalDiag(loc, scale)
        return tfd.TransformedDistribution(base, tfb.SinhArcsinh(skewness=0.3, tailweight=1.1))


class FlowOfStandardNoise(Flow):
    """Draws the flow of N(0, I), and says so in log q."""

    def draw(self, distribution, noise):
        eps = noise.normal(self.latent_size) + tf.zeros_like(distribution.distribution.loc)
        standard = tfd.MultivariateNormalDiag(tf.zeros_like(eps))
        log_volume = distribution.bijector.forward_log_det_jacobian(eps, 1)
        return Draw(distribution.bijector.forward(eps), standard.log_prob(eps) - log_volume)


class FlowThatHidesIt(FlowOfStandardNoise):
    """Draws the flow of N(0, I), with the density that the posterior has there."""

    def draw(self, distribution, noise):
        z = super().draw(distribution, noise).z
        return Draw(z, distribution.log_prob(z))


class NormalThatIsTooNarrow(tfvae.heads.MultivariateNormalDiag):
    """The right mean and density, half the standard deviation."""

    def draw(self, distribution, noise):
        z = distribution.loc + 0.5 * distribution.stddev() * noise.normal(self.latent_size)
        return Draw(z, distribution.log_prob(z))


class Box(tfvae.priors.Prior):
    """Uniform in [-1, 1]: no scale that a temperature could widen."""

    def distribution(self):
        ones = tf.ones(self.latent_size)
        return tfd.Independent(tfd.Uniform(-ones, ones), 1)


def table(head=None, shape=(6,), prior=None):
    """A VAE of rows of a table, not of images."""
    head = tfvae.heads.MultivariateNormalDiag(2) if head is None else head
    model = tfvae.VAE(
        tfvae.Encoder(tfvae.networks.MLP([7]), head),
        tfvae.Decoder(
            tfvae.networks.MLP([5]), tfvae.heads.IndependentNormal(shape, scale="learned")
        ),
        prior=prior,
    )
    model.build((None, *shape))
    scramble(model)
    return model


def built(model_class):
    keras.utils.set_random_seed(0)
    model = model_class()
    model.build()
    scramble(model)
    return model


def rows(count, size=SIZE):
    return np.random.default_rng(2).normal(size=(count, size)).astype("float32")
