"""One case for every member of the family; a new member adds one here.

The number of weights is written out by hand from the architecture, never asked of the code.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

import tfvae
from tfvae import heads, networks, objectives, priors

SIDE = 8
SHAPE = (SIDE, SIDE, 1)
PIXELS = SIDE * SIDE
LATENTS = 3
IMAGES = (np.random.default_rng(0).random((12, *SHAPE)) > 0.5).astype("float32")
BATCH = 4

# The arrays that do not train in every member: the KL weight's scalar is the ELBO's alone.
SEED_STATE = 2


@dataclass(frozen=True)
class Case:
    """A member: how to make one, and how many numbers train and do not in it."""

    name: str
    make: Callable[[], tfvae.VAE]
    trainable: int
    non_trainable: int = SEED_STATE + 1

    def built(self, policy: str = "float32", **compile_arguments) -> tfvae.VAE:
        """A fresh member with the same initial weights each time, compiled."""
        keras.utils.set_random_seed(3)
        before = keras.mixed_precision.dtype_policy()
        keras.mixed_precision.set_dtype_policy(policy)
        try:
            vae = self.make()
        finally:
            keras.mixed_precision.set_dtype_policy(before)
        vae.build((None, *SHAPE))
        vae.compile(keras.optimizers.Adam(1e-2), **compile_arguments)
        return vae


@keras.saving.register_keras_serializable("tfvae_tests")
class OwnNetwork(keras.layers.Layer):
    """A user's layer with the least that Keras asks for: no `build`, no output shape."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.flatten = keras.layers.Flatten(name="flatten")
        self.dense = keras.layers.Dense(units, activation="relu", name="dense")
        self.normalisation = keras.layers.BatchNormalization(name="normalisation")

    def call(self, inputs, training=False):
        return self.normalisation(self.dense(self.flatten(inputs)), training=training)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def sequential(inputs):
    layers = [keras.layers.Flatten(), keras.layers.Dense(8, activation="tanh")]
    return keras.Sequential([keras.Input(inputs), *layers])


def functional(inputs):
    x = keras.Input(inputs)
    hidden = keras.layers.Dense(8, activation="tanh")(keras.layers.Flatten()(x))
    return keras.Model(x, keras.layers.Concatenate()([hidden, hidden]))


def vae(posterior=heads.MultivariateNormalDiag, likelihood=heads.IndependentBernoulli, **options):
    encoder = options.pop("encoder", None) or networks.MLP([8])
    decoder = options.pop("decoder", None) or networks.MLP([8])
    scale = {"scale": options.pop("scale")} if "scale" in options else {}
    return tfvae.VAE(
        tfvae.Encoder(encoder, posterior(LATENTS)),
        tfvae.Decoder(decoder, likelihood(SHAPE, **scale)),
        seed=5,
        **options,
    )


def tril(**options):
    return vae(posterior=heads.MultivariateNormalTriL, **options)


def normal(scale):
    return vae(likelihood=heads.IndependentNormal, scale=scale)


def convolutional():
    return vae(encoder=networks.Conv([2, 4]), decoder=networks.ConvTranspose([4, 2], (SIDE, SIDE)))


def dense(inputs, outputs):
    return inputs * outputs + outputs


ENCODER = dense(PIXELS, 8)
DIAG = dense(8, 2 * LATENTS)
TRIL = DIAG + dense(8, LATENTS * (LATENTS - 1) // 2)
DECODER = dense(LATENTS, 8)
IMAGE_HEAD = 8 * PIXELS + PIXELS  # no bias of the projection: one per pixel instead
MLP_DIAG = ENCODER + DIAG + DECODER + IMAGE_HEAD
MLP_TRIL = ENCODER + TRIL + DECODER + IMAGE_HEAD
CONVOLUTIONS = (9 * 1 * 2 + 2) + (9 * 2 * 4 + 4) + dense(2 * 2 * 4, 2 * LATENTS)
CONVOLUTIONS += dense(LATENTS, 2 * 2 * 4) + (9 * 4 * 4 + 4) + (9 * 4 * 2 + 2) + (2 * 1 + PIXELS)
WIDE = 8 * 2 * LATENTS + 8 * PIXELS  # features twice as wide, in both heads

CASES = [
    Case("diag", vae, MLP_DIAG),
    Case("tril", tril, MLP_TRIL),
    Case(
        "mixture_prior",
        lambda: vae(prior=priors.MixtureOfGaussians(LATENTS, num_components=4)),
        MLP_DIAG + 4 + 2 * 4 * LATENTS,
    ),
    Case("normal_unit", lambda: normal(1.0), MLP_DIAG),
    Case("normal_fixed", lambda: normal(0.25), MLP_DIAG),
    Case("normal_learned", lambda: normal("learned"), MLP_DIAG + 1),
    Case("convolutional", convolutional, CONVOLUTIONS),
    Case(
        "importance_weighted",
        lambda: vae(objective=objectives.ImportanceWeighted(4)),
        MLP_DIAG,
        non_trainable=SEED_STATE,
    ),
    Case(
        "doubly_reparameterised",
        lambda: tril(objective=objectives.ImportanceWeighted(4, gradient="doubly_reparameterised")),
        MLP_TRIL,
        non_trainable=SEED_STATE,
    ),
    Case("free_bits", lambda: tril(objective=objectives.ELBO(free_bits=0.01)), MLP_TRIL),
    Case(
        "beta",
        lambda: vae(objective=objectives.ELBO(kl_weight=4.0, num_samples=2, analytic_kl=False)),
        MLP_DIAG,
    ),
    Case(
        "sequential",
        lambda: vae(encoder=sequential(SHAPE), decoder=sequential((LATENTS,))),
        MLP_DIAG,
    ),
    Case(
        "functional",
        lambda: vae(encoder=functional(SHAPE), decoder=functional((LATENTS,))),
        MLP_DIAG + WIDE,
    ),
    Case(
        "own_layer",
        lambda: vae(encoder=OwnNetwork(8, name="own"), decoder=OwnNetwork(8, name="own")),
        MLP_DIAG + 2 * (8 + 8),
        non_trainable=SEED_STATE + 1 + 2 * (8 + 8),  # moving mean and variance
    ),
]
NAMES = [case.name for case in CASES]
