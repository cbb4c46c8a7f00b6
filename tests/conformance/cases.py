"""One case for every member of the family; a new member adds one here.

The number of weights is written out by hand from the architecture, never asked of the code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tfvae
from tfvae import corruptions, flows, heads, missingness, networks, objectives, priors, quantisers

SIDE = 8
SHAPE = (SIDE, SIDE, 1)
PIXELS = SIDE * SIDE
LATENTS = 3
IMAGES = (np.random.default_rng(0).random((12, *SHAPE)) > 0.5).astype("float32")
SEEN = np.random.default_rng(1).integers(0, 2, IMAGES.shape).astype("float32")
LABEL = np.arange(12, dtype="int32") % 3
FEW_LABELS = np.where(np.arange(12) < 6, LABEL, -1).astype("int32")
BATCH = 4

# What does not train in any member: the seed's state and the number of examples. The weight of the
# KL is the ELBO's alone.
STATE = 2 + 1

History = Mapping[str, list[float]]


def negative_elbo(history: History) -> np.ndarray:
    """The loss of most members."""
    return np.negative(history["elbo"])


def negative_iw_elbo(history: History) -> np.ndarray:
    """The loss of importance-weighted members."""
    return np.asarray(history["negative_iw_elbo"])


@dataclass(frozen=True)
class Case:
    """A member: how to make one, and what is known of it some other way.

    Compiling, bfloat16 and export are costly, and run once for each distinct graph.

    Attributes:
        name: of the member.
        make: makes one.
        trainable: how many numbers train.
        non_trainable: how many do not.
        loss: the loss from the values that are logged.
        discrete: whether x is, so that no nll is negative.
        xla_on_cpu: whether `compile` chooses XLA where there is only a CPU.
        shape: of an example.
        own_names: whether its weights keep their names when it is loaded; within Keras' own models
            they change.
        trained_as: the member whose training step has the same graph; None for one of its own.
        served_as: the member whose exported files have the same graph; likewise.
        temperature: of served draws; 1 where the prior's draws have no scale.
        given: what it is given beside x, by field: a value for each of `IMAGES`.
        beside: what else the data have: fields that are no conditions.
        scores: whether it has a prior, and so a bound; else the nll is all that is logged.
        one_vector: whether its code is one: files of others are tested elsewhere.
        has_posterior: whether its encoder has a head: the precision of others is tested elsewhere.
    """

    name: str
    make: Callable[[], tfvae.VAE]
    trainable: int
    non_trainable: int = STATE + 1
    loss: Callable[[History], np.ndarray] = negative_elbo
    discrete: bool = True
    xla_on_cpu: bool = True
    shape: tuple[int, ...] = SHAPE
    own_names: bool = True
    trained_as: str | None = None
    served_as: str | None = None
    temperature: float = 0.7
    given: Mapping[str, np.ndarray] = field(default_factory=dict)
    beside: Mapping[str, np.ndarray] = field(default_factory=dict)
    scores: bool = True
    one_vector: bool = True
    has_posterior: bool = True

    @property
    def images(self) -> np.ndarray:
        """Examples of bits, which every likelihood takes."""
        return IMAGES.reshape(-1, *self.shape)

    @property
    def inputs(self) -> Any:
        """What `fit` is given: the images, or a dict of them and of what else there is."""
        others = {**self.given, **self.beside}
        return {"x": self.images, **others} if others else self.images

    def batch(self, rows: int) -> dict[str, tf.Tensor]:
        """The first examples by field."""
        beside = {name: tf.constant(values[:rows]) for name, values in self.beside.items()}
        return {"x": tf.constant(self.images[:rows]), **self.conditions(rows), **beside}

    def conditions(self, rows: int) -> dict[str, tf.Tensor]:
        """What the first examples are given."""
        return {name: tf.constant(values[:rows]) for name, values in self.given.items()}

    def built(self, policy: str = "float32", **compile_arguments) -> tfvae.VAE:
        """A fresh member with the same initial weights each time, compiled."""
        keras.utils.set_random_seed(3)
        before = keras.mixed_precision.dtype_policy()
        keras.mixed_precision.set_dtype_policy(policy)
        try:
            vae = self.make()
        finally:
            keras.mixed_precision.set_dtype_policy(before)
        vae.build((None, *self.shape))
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
    layers = [keras.layers.Flatten(), keras.layers.Dense(8, activation="relu")]
    return keras.Sequential([keras.Input(inputs), *layers])


def functional(inputs):
    x = keras.Input(inputs)
    hidden = keras.layers.Dense(8, activation="tanh")(keras.layers.Flatten()(x))
    return keras.Model(x, keras.layers.Concatenate()([hidden, hidden]))


def vae(posterior=heads.MultivariateNormalDiag, likelihood=heads.IndependentBernoulli, **options):
    encoder = options.pop("encoder", None) or networks.MLP([8])
    decoder = options.pop("decoder", None) or networks.MLP([8])
    likelihood = likelihood if isinstance(likelihood, heads.Head) else likelihood(SHAPE)
    return tfvae.VAE(
        tfvae.Encoder(encoder, posterior(LATENTS)),
        tfvae.Decoder(decoder, likelihood),
        seed=5,
        **options,
    )


def autoencoder():
    return tfvae.Autoencoder(
        tfvae.Encoder(networks.MLP([8]), heads.PointCode(LATENTS)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(SHAPE)),
        corruption=corruptions.Masking(0.2),
        seed=5,
    )


def conditional(**options):
    return tfvae.ConditionalVAE(
        tfvae.Encoder(
            options.pop("encoder", None) or networks.MLP([8]), heads.MultivariateNormalDiag(LATENTS)
        ),
        tfvae.Decoder(
            options.pop("decoder", None) or networks.MLP([8]), heads.IndependentBernoulli(SHAPE)
        ),
        options.pop("conditions", {"label": tfvae.Field.label(3)}),
        seed=5,
        **options,
    )


def levels(kind, batch_normalisation=False, **options):
    """Two levels, of which the decoder sees the first."""

    def network(width):
        return networks.MLP([width], batch_normalisation=batch_normalisation)

    level = tfvae.Level(
        network(4),
        heads.MultivariateNormalDiag(2, name="posterior_2"),
        network(4),
        heads.MultivariateNormalDiag(LATENTS, name="prior_1"),
        name="level_2",
    )
    return kind(
        tfvae.Encoder(network(8), heads.MultivariateNormalDiag(LATENTS)),
        [level],
        tfvae.Decoder(network(8), heads.IndependentBernoulli(SHAPE)),
        seed=5,
        **options,
    )


def maps(**options):
    """Two levels that are maps, of residual cells, and features that go on down."""
    cells = {"num_cells": 1, "residual_scale": 0.5}
    level = tfvae.Level(
        networks.NVAEConv([4], **cells, name="upward_2"),
        heads.NormalMap(4, name="posterior_2"),
        networks.NVAEConvTranspose([4], (4, 4), 2, **cells, name="downward_2"),
        heads.NormalMap(16, name="prior_1"),
        name="level_2",
    )
    return tfvae.LadderVAE(
        tfvae.Encoder(networks.NVAEConv([4], num_cells=0), heads.NormalMap(16)),
        [level],
        tfvae.Decoder(
            networks.NVAEConvTranspose([4], (8, 8), num_cells=0), heads.IndependentBernoulli(SHAPE)
        ),
        merge="residual",
        seed=5,
        **{"top_down_features": True, **options},
    )


def semi_supervised(**options):
    classifier = heads.LatentCategorical(3, num_categories=3)
    return tfvae.SemiSupervisedVAE(
        tfvae.Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(LATENTS)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(SHAPE)),
        tfvae.Encoder(networks.MLP([8]), classifier),
        {"label": tfvae.Field.label(3)},
        seed=5,
        **options,
    )


def missing_data(**options):
    options = {
        "decoder": tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(SHAPE)),
        **options,
    }
    return tfvae.MissingDataVAE(
        tfvae.Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(LATENTS)), seed=5, **options
    )


def vq_vae():
    narrow = {"num_blocks": 1, "activation": "elu"}  # of relu all may be dead at the start
    return tfvae.VQVAE(
        networks.ResidualConv([4, 6], **narrow),
        quantisers.VectorQuantised(CODES, LATENTS),
        tfvae.Decoder(
            networks.ResidualConvTranspose([6, 4], SHAPE[:2], **narrow),
            heads.IndependentBernoulli(SHAPE),
        ),
        seed=5,
    )


def vq_vae_2():
    narrow = {"num_blocks": 1, "activation": "elu"}
    level = tfvae.CodeLevel(
        networks.ResidualConv([5], name="upward_2", **narrow),
        quantisers.VectorQuantised(CODES, LATENTS, name="quantiser_2"),
        networks.ResidualConvTranspose([5], (4, 4), name="downward_2", **narrow),
        name="level_2",
    )
    return tfvae.VQVAE2(
        networks.ResidualConv([4], **narrow),
        quantisers.VectorQuantised(CODES, LATENTS),
        tfvae.Decoder(
            networks.ResidualConvTranspose([4], SHAPE[:2], **narrow),
            heads.IndependentBernoulli(SHAPE),
        ),
        [level],
        seed=5,
    )


def semi_supervised_loss(history: History) -> np.ndarray:
    """The bound, and half of the classifier's mean loss."""
    return np.multiply(0.5, history["classification_nll"]) - history["elbo"]


def hybrid_loss(history: History) -> np.ndarray:
    """0.25 of the bound, 0.75 of the prior's draws."""
    bound = np.add(history["nll"], history["kl"])
    return 0.25 * bound + np.multiply(0.75, history["prior_nll"])


def tril(**options):
    return vae(posterior=heads.MultivariateNormalTriL, **options)


def normal(scale):
    return vae(likelihood=heads.IndependentNormal(SHAPE, scale=scale))


def product():
    parts = {
        "real": heads.IndependentNormal((16,), scale="learned"),
        "optimal": heads.IndependentNormal((16,), scale="optimal"),
        "bits": heads.IndependentBernoulli((16,)),
        "counts": heads.Poisson((16,)),
    }
    return heads.Product(parts)


def normalizing(*steps):
    return vae(posterior=lambda size: heads.Flow(heads.MultivariateNormalDiag(size), steps))


def convolutional():
    return vae(encoder=networks.Conv([2, 4]), decoder=networks.ConvTranspose([4, 2], (SIDE, SIDE)))


def dense(inputs, outputs):
    return inputs * outputs + outputs


ENCODER = dense(PIXELS, 8)
DIAG = dense(8, 2 * LATENTS)
TRIL = DIAG + dense(8, LATENTS * (LATENTS - 1) // 2)
DECODER = dense(LATENTS, 8)
# Two steps of couplings over three dimensions: one moves two, the next moves the third.
NETWORK = {"num_steps": 2, "units": [4]}
CONTEXT = {"context_size": 2}
CONTEXTS = dense(8, 2 * 2) + 2 * (2 * 4)  # from the encoder, and into two networks
IMAGE_HEAD = 8 * PIXELS + PIXELS  # no bias of the projection: one per pixel instead
MLP_DIAG = ENCODER + DIAG + DECODER + IMAGE_HEAD
MLP_BERNOULLI = ENCODER + dense(8, LATENTS) + DECODER + IMAGE_HEAD
MLP_TRIL = ENCODER + TRIL + DECODER + IMAGE_HEAD


def couplings(numbers):
    return dense(1, 4) + dense(4, 2 * numbers) + dense(2, 4) + dense(4, numbers)


MADES = 2 * (dense(LATENTS, 4) + dense(4, 2 * LATENTS))
CONVOLUTIONS = (9 * 1 * 2 + 2) + (9 * 2 * 4 + 4) + dense(2 * 2 * 4, 2 * LATENTS)
CONVOLUTIONS += dense(LATENTS, 2 * 2 * 4) + (9 * 4 * 4 + 4) + (9 * 4 * 2 + 2) + (2 * 1 + PIXELS)
# Two halvings and a block each way, whose second convolution has no bias.
CODES = 5
RESIDUAL = (16 * 1 * 4 + 4) + (16 * 4 * 6 + 6) + (9 * 6 * 3 + 3) + 3 * 6 + dense(6, LATENTS)
RESIDUAL += (9 * LATENTS * 6 + 6) + (9 * 6 * 3 + 3) + 3 * 6
RESIDUAL += (16 * 6 * 4 + 4) + (16 * 4 * 4 + 4) + (4 * 1 + PIXELS)
# One halving; a second level of five channels, which come down to the bottom and the decoder.
TWO_LEVELS_OF_CODES = (16 * 1 * 4 + 4) + (9 * 4 * 2 + 2) + 2 * 4 + dense(4 + 5, LATENTS)
TWO_LEVELS_OF_CODES += (16 * 4 * 5 + 5) + (9 * 5 * 2 + 2) + 2 * 5 + dense(5, LATENTS)  # up
TWO_LEVELS_OF_CODES += (9 * LATENTS * 5 + 5) + (9 * 5 * 2 + 2) + 2 * 5 + (16 * 5 * 5 + 5)  # down
TWO_LEVELS_OF_CODES += (9 * (LATENTS + 5) * 4 + 4) + (9 * 4 * 2 + 2) + 2 * 4 + (16 * 4 * 4 + 4)
TWO_LEVELS_OF_CODES += 4 * 1 + PIXELS
WIDE = 8 * 2 * LATENTS + 8 * PIXELS  # features twice as wide, in both heads

UNET = (9 * 2 * 2 + 2) + dense(4 * 4 * 2, 2 * LATENTS)  # q(z|x, image)
UNET += (9 * 1 * 2 + 2) + (9 * 2 * 4 + 4) + (9 * (2 + 4) * 2 + 2)  # down, down and up
UNET += dense(2, 2) + LATENTS * 2 + dense(2, 2) + (2 * 1 + PIXELS)  # three 1x1 convolutions
UNET += dense(PIXELS, 4) + dense(4, 2 * LATENTS)  # p(z|image)

# Three classes, one-hot beside x and z; or embedded as two numbers beside an image of its own.
LABELLED = MLP_DIAG + 2 * 3 * 8
EMBEDDED = MLP_DIAG + 2 * 2 * 8 + dense(PIXELS + 3, 2)

TWO_LEVELS = MLP_DIAG + dense(4, 2 * 2) + dense(2, 4) + dense(4, 2 * LATENTS)
HIERARCHICAL = TWO_LEVELS + dense(LATENTS, 4)  # upwards from z1
LADDER = TWO_LEVELS + dense(8, 4)  # from features
NORMALISED = 8 + 4 + 4 + 8  # units: each has a scale and an offset in a bias' place

# Maps of four channels: 3x3 convolutions, a cell of each kind and 1x1 ones from z.
EXCITATION = dense(4, 4) + dense(4, 4)
INFERENCE = (9 * 4 * 4) + (9 * 4 * 4 + 4) + 2 * 2 * 4 + EXCITATION
GENERATIVE = 2 * (4 * 8) + 25 * 8 + (4 + 2 * 8 + 2 * 8 + 2 * 4) + EXCITATION
MAPS = INFERENCE + GENERATIVE + (9 * 1 * 4 + 4) + 3 * (9 * 4 * 4 + 4)
MAPS += dense(1, 4) + dense(5, 4) + 3 * (9 * 4 * 2 + 2)  # from z, and heads
MAPS += 4 * 1 + PIXELS  # of the likelihood, a 1x1 convolution and a bias of each pixel

CASES = [
    Case("diag", vae, MLP_DIAG),
    Case("tril", tril, MLP_TRIL),
    Case(
        "mixture_prior",
        lambda: vae(prior=priors.MixtureOfGaussians(LATENTS, num_components=4)),
        MLP_DIAG + 4 + 2 * 4 * LATENTS,
    ),
    Case(
        "full_mixture_prior",
        lambda: vae(prior=priors.MixtureOfGaussians(LATENTS, num_components=4, covariance="full")),
        MLP_DIAG + 4 + 2 * 4 * LATENTS + 4 * LATENTS**2,
    ),
    Case(
        "vamp_prior",
        lambda: vae(prior=priors.VampPrior(LATENTS, SHAPE, num_components=4)),
        MLP_DIAG + 4 * PIXELS,
    ),
    Case("normal_unit", lambda: normal(1.0), MLP_DIAG, discrete=False),
    Case(
        "normal_fixed",
        lambda: normal(0.25),
        MLP_DIAG,
        discrete=False,
        trained_as="normal_unit",
        served_as="normal_unit",
    ),
    Case("normal_learned", lambda: normal("learned"), MLP_DIAG + 1, discrete=False),
    Case(
        "normal_optimal",
        lambda: normal("optimal"),
        MLP_DIAG,
        non_trainable=STATE + 1 + 2,  # the variance, and how many batches it is the mean of
        discrete=False,
    ),
    Case("normal_per_pixel", lambda: normal("per_pixel"), MLP_DIAG + IMAGE_HEAD, discrete=False),
    Case(
        "continuous_bernoulli",
        lambda: vae(likelihood=heads.ContinuousBernoulli),
        MLP_DIAG,
        discrete=False,
    ),
    Case(
        "categorical_likelihood",
        lambda: vae(likelihood=heads.Categorical(SHAPE, num_levels=5)),
        MLP_DIAG + 4 * IMAGE_HEAD,
    ),
    Case(
        "discretised_logistic_mixture",
        lambda: vae(likelihood=heads.DiscretisedLogisticMixture(SHAPE, 2, num_levels=5)),
        MLP_DIAG + 5 * IMAGE_HEAD,
    ),
    Case("poisson", lambda: vae(likelihood=heads.Poisson), MLP_DIAG),
    Case("negative_binomial", lambda: vae(likelihood=heads.NegativeBinomial), MLP_DIAG + PIXELS),
    Case(
        "student_t", lambda: vae(likelihood=heads.StudentT), MLP_DIAG + PIXELS + 1, discrete=False
    ),
    Case(
        "multinomial",
        lambda: vae(likelihood=heads.Multinomial((PIXELS,))),
        MLP_DIAG,
        shape=(PIXELS,),
    ),
    Case(
        "product",
        lambda: vae(likelihood=product()),
        MLP_DIAG + 1,
        non_trainable=STATE + 1 + 2,
        discrete=False,
        shape=(PIXELS,),
    ),
    # TensorFlow's convolutions are faster on a CPU than XLA's.
    Case("convolutional", convolutional, CONVOLUTIONS, xla_on_cpu=False),
    Case(
        "importance_weighted",
        lambda: vae(objective=objectives.ImportanceWeighted(4)),
        MLP_DIAG,
        non_trainable=STATE,
        loss=negative_iw_elbo,
        served_as="diag",
    ),
    Case(
        "doubly_reparameterised",
        lambda: tril(objective=objectives.ImportanceWeighted(4, gradient="doubly_reparameterised")),
        MLP_TRIL,
        non_trainable=STATE,
        loss=negative_iw_elbo,
        served_as="tril",
    ),
    Case(
        "weight_prior",
        lambda: vae(weight_scale=1.0),
        MLP_DIAG,
        loss=lambda history: np.sum([history[n] for n in ("nll", "kl", "weights_nll")], axis=0),
        served_as="diag",
    ),
    Case(
        "mean_field",
        lambda: vae(weight_scale=1.0, weight_posterior="mean_field"),
        MLP_DIAG + DECODER + IMAGE_HEAD,
        loss=lambda history: np.sum([history[n] for n in ("nll", "kl", "weights_kl")], axis=0),
        served_as="diag",
    ),
    Case(
        "free_bits",
        lambda: tril(objective=objectives.ELBO(free_bits=0.01)),
        MLP_TRIL,
        loss=lambda history: np.add(history["nll"], history["free_bits_kl"]),
        served_as="tril",
    ),
    Case(
        "beta",
        lambda: vae(objective=objectives.ELBO(kl_weight=4.0)),
        MLP_DIAG,
        loss=lambda history: np.add(history["nll"], np.multiply(4.0, history["kl"])),
        trained_as="diag",
        served_as="diag",
    ),
    Case(
        "controlled_capacity",
        lambda: vae(objective=objectives.ControlledCapacity(capacity=2.0, gap_weight=5.0)),
        MLP_DIAG,
        non_trainable=STATE + 2,  # the capacity, and the weight of the gap to it
        loss=lambda history: np.add(history["nll"], np.multiply(5.0, history["capacity_gap"])),
        served_as="diag",
    ),
    Case(
        "geco",
        # So slow that lambda is 1 in float32: tests/objectives/test_geco.py has it move.
        lambda: vae(objective=objectives.GECO(target=5.0, rate=1e-12)),
        MLP_DIAG,
        non_trainable=STATE + 3,  # the multiplier, the constraint's average, and whether it began
        loss=lambda history: np.add(history["nll"], history["kl"]),
        served_as="diag",
    ),
    Case(
        "estimated_kl",
        lambda: vae(objective=objectives.ELBO(num_samples=2, analytic_kl=False)),
        MLP_DIAG,
        served_as="diag",
    ),
    Case(
        "sticking_the_landing",
        lambda: tril(objective=objectives.ELBO(gradient="sticking_the_landing")),
        MLP_TRIL,
        served_as="tril",
    ),
    Case(
        "bernoulli",
        lambda: vae(
            posterior=heads.LatentBernoulli,
            prior=priors.BernoulliPrior(LATENTS),
            objective=objectives.ImportanceWeighted(4, gradient="vimco"),
        ),
        MLP_BERNOULLI + LATENTS,
        non_trainable=STATE,
        loss=negative_iw_elbo,
        temperature=1.0,
    ),
    Case(
        "categorical",
        lambda: vae(
            posterior=lambda size: heads.LatentCategorical(size, num_categories=size),
            prior=priors.CategoricalPrior(LATENTS, num_categories=LATENTS),
            objective=objectives.ELBO(gradient="score_function"),
        ),
        MLP_BERNOULLI + LATENTS + dense(PIXELS, 100) + dense(100, 1),
        non_trainable=STATE + 1 + 1,  # the running mean of the signal
        temperature=1.0,
    ),
    Case(
        "relaxed_bernoulli",
        lambda: vae(
            posterior=lambda size: heads.RelaxedBernoulli(size, temperature=0.5),
            prior=priors.RelaxedBernoulliPrior(LATENTS, temperature=0.5),
        ),
        MLP_BERNOULLI + LATENTS,
    ),
    Case(
        "relaxed_categorical",
        lambda: vae(
            posterior=lambda size: heads.RelaxedCategorical(
                size, num_categories=size, straight_through=True
            ),
            prior=priors.RelaxedCategoricalPrior(LATENTS, num_categories=LATENTS),
        ),
        MLP_BERNOULLI + LATENTS,
        temperature=1.0,
    ),
    Case(
        "piecewise",
        lambda: vae(
            posterior=lambda size: heads.LatentPiecewise(size, num_pieces=4),
            prior=priors.PiecewisePrior(LATENTS, num_pieces=3),
        ),
        ENCODER + dense(8, 4 * LATENTS) + DECODER + IMAGE_HEAD + 3 * LATENTS,
        temperature=1.0,
    ),
    Case(
        "normal_and_piecewise",
        lambda: vae(
            posterior=heads.NormalAndPiecewise, prior=priors.NormalAndPiecewisePrior(LATENTS)
        ),
        ENCODER + dense(8, 2 * 2) + dense(8, 3) + DECODER + IMAGE_HEAD + 3,
        temperature=1.0,
    ),
    Case(
        "joint",
        lambda: vae(
            posterior=lambda size: heads.JointPosterior(
                {"full": heads.MultivariateNormalTriL(2), "bits": heads.RelaxedBernoulli(size - 2)}
            ),
            prior=priors.JointPrior(
                {
                    "full": priors.MixtureOfGaussians(2, num_components=2),
                    "bits": priors.RelaxedBernoulliPrior(1),
                }
            ),
        ),
        ENCODER + dense(8, 2 * 2 + 1 + 1) + DECODER + IMAGE_HEAD + 2 + 2 * 2 * 2 + 1,
    ),
    Case(
        "householder",
        lambda: vae(posterior=lambda size: heads.HouseholderFlow(size, num_steps=2)),
        MLP_DIAG + dense(8, 2 * LATENTS) + 2 * LATENTS,
    ),
    Case(
        "planar",
        lambda: vae(posterior=lambda size: heads.PlanarFlow(size, num_steps=2)),
        MLP_DIAG + dense(8, 2 * (2 * LATENTS + 1)) + 2 * LATENTS,
    ),
    Case(
        "radial",
        lambda: vae(posterior=lambda size: heads.RadialFlow(size, num_steps=2)),
        MLP_DIAG + dense(8, 2 * (LATENTS + 2)) + 2 * LATENTS,
    ),
    Case(
        "realnvp",
        lambda: vae(posterior=lambda size: heads.RealNVPFlow(size, **NETWORK, **CONTEXT)),
        MLP_DIAG + CONTEXTS + couplings(2),
    ),
    Case(
        "iaf",
        lambda: vae(
            posterior=lambda size: heads.InverseAutoregressiveFlow(size, **NETWORK, **CONTEXT)
        ),
        MLP_DIAG + CONTEXTS + MADES,
    ),
    Case(
        "spline",
        lambda: vae(
            posterior=lambda size: heads.SplineFlow(size, num_bins=3, **NETWORK, **CONTEXT)
        ),
        MLP_DIAG + CONTEXTS + couplings(8),
    ),
    Case(
        "flow",
        lambda: normalizing(flows.Radial(), flows.AffineCoupling([4]), flows.Planar()),
        MLP_DIAG + dense(8, 5 + 7) + 2 * LATENTS + dense(1, 4) + dense(4, 4),
    ),
    Case(
        "mixture_posterior",
        lambda: vae(posterior=lambda size: heads.GaussianMixture(size, num_components=2)),
        MLP_DIAG + dense(8, 2 * (1 + 2 * LATENTS)) - DIAG,
    ),
    Case(
        "doubly_reparameterised_flow",
        lambda: vae(
            posterior=lambda size: heads.RealNVPFlow(size, **NETWORK, **CONTEXT),
            objective=objectives.ImportanceWeighted(4, gradient="doubly_reparameterised"),
        ),
        MLP_DIAG + CONTEXTS + couplings(2),
        non_trainable=STATE,
        loss=negative_iw_elbo,
        served_as="realnvp",
    ),
    Case(
        "realnvp_prior",
        lambda: vae(prior=priors.RealNVPPrior(LATENTS, **NETWORK)),
        MLP_DIAG + couplings(2),
    ),
    Case(
        "autoregressive_prior",
        lambda: vae(prior=priors.AutoregressivePrior(LATENTS, **NETWORK)),
        MLP_DIAG + MADES,
    ),
    Case(
        "additive_normal",
        lambda: vae(corruption=corruptions.AdditiveNormal(0.3)),
        MLP_DIAG,
    ),
    Case(
        "patches",
        lambda: vae(corruption=corruptions.Patches(2)),
        MLP_DIAG,
        served_as="additive_normal",
    ),
    Case(
        "salt_and_pepper",
        lambda: vae(corruption=corruptions.SaltAndPepper(0.2)),
        MLP_DIAG,
        served_as="additive_normal",
    ),
    Case(
        "autoencoder",
        autoencoder,
        MLP_BERNOULLI,
        non_trainable=STATE,
        loss=lambda history: np.asarray(history["nll"]),
        scores=False,
    ),
    Case(
        "semi_supervised",
        lambda: semi_supervised(alpha=0.5),
        LABELLED + ENCODER + dense(8, 3),
        non_trainable=STATE + 1 + 3,  # the classifier's weight, and two shares
        loss=semi_supervised_loss,
        given={"label": FEW_LABELS},
        one_vector=False,  # tests/export/test_semi_supervised.py has its files
    ),
    Case(
        "semi_supervised_score_function",
        lambda: semi_supervised(alpha=0.5, label_gradient="score_function"),
        LABELLED + ENCODER + dense(8, 3) + dense(64, 100) + dense(100, 1),  # and the baseline
        non_trainable=STATE + 1 + 3 + 1,  # and the mean of the baseline
        loss=semi_supervised_loss,
        given={"label": FEW_LABELS},
        one_vector=False,
    ),
    Case(
        "semi_supervised_gumbel_softmax",
        lambda: semi_supervised(alpha=0.5, label_gradient="gumbel_softmax"),
        LABELLED + ENCODER + dense(8, 3),
        non_trainable=STATE + 1 + 3,
        loss=semi_supervised_loss,
        given={"label": FEW_LABELS},
        one_vector=False,
    ),
    Case("conditional", conditional, LABELLED, given={"label": LABEL}),
    Case(
        "conditional_prior",
        lambda: conditional(
            conditions={"label": tfvae.Field.label(3), "beside": tfvae.Field(SHAPE)},
            embedding=networks.MLP([2], activation="tanh"),
            prior=priors.ConditionalNormal(LATENTS, units=[4]),
            objective=objectives.Hybrid(0.25),
        ),
        EMBEDDED + dense(2, 4) + dense(4, 2 * LATENTS),
        non_trainable=STATE + 3,
        loss=hybrid_loss,
        given={"label": LABEL, "beside": IMAGES[::-1]},
    ),
    Case(
        "conditional_convolutional",
        lambda: conditional(
            encoder=networks.Conv([2, 4]), decoder=networks.ConvTranspose([4, 2], (SIDE, SIDE))
        ),
        CONVOLUTIONS + 9 * 3 * 2 + 3 * 2 * 2 * 4,
        xla_on_cpu=False,
        given={"label": LABEL},
    ),
    # Of the encoder, 4 x 4 maps of a mask beside an image; two scales, one convolution each way.
    Case(
        "conditional_unet",
        lambda: conditional(
            encoder=networks.Conv([2]),
            decoder=networks.UNet([2, 4], num_convolutions=1),
            conditions={"image": tfvae.Field(SHAPE)},
            prior=priors.ConditionalNormal(LATENTS, units=[4]),
        ),
        UNET,
        xla_on_cpu=False,
        given={"image": IMAGES[::-1]},
    ),
    Case(
        "conditional_counted",
        lambda: conditional(counted="counted"),
        LABELLED,
        given={"label": LABEL},
        beside={"counted": SEEN},
    ),
    Case(
        "vq_vae",
        vq_vae,
        RESIDUAL,
        # The commitment's weight; the codes, their sums and counts, and whether they began.
        non_trainable=STATE + 1 + 2 * CODES * LATENTS + CODES + 1,
        loss=lambda history: np.add(history["nll"], np.multiply(0.25, history["commitment"])),
        xla_on_cpu=False,
        one_vector=False,
        has_posterior=False,
    ),
    Case(
        "vq_vae_2",
        vq_vae_2,
        TWO_LEVELS_OF_CODES,
        non_trainable=STATE + 2 * (1 + 2 * CODES * LATENTS + CODES + 1),
        loss=lambda history: np.add(
            history["nll"],
            np.multiply(0.25, np.add(history["commitment"], history["commitment_2"])),
        ),
        xla_on_cpu=False,
        one_vector=False,
        has_posterior=False,
    ),
    Case("missing_data", missing_data, MLP_DIAG, beside={"seen": SEEN}),
    Case(
        "missing_data_shown",
        lambda: missing_data(show_seen=True, objective=objectives.ImportanceWeighted(4)),
        MLP_DIAG + PIXELS * 8,
        non_trainable=STATE,
        loss=negative_iw_elbo,
        beside={"seen": SEEN},
    ),
    Case(
        "missing_not_at_random",
        lambda: missing_data(
            decoder=tfvae.Decoder(networks.MLP([8]), heads.IndependentNormal(SHAPE)),
            objective=objectives.ImportanceWeighted(4),
            missing_process=missingness.SelfMasking("large"),
        ),
        MLP_DIAG + 2 * PIXELS,
        non_trainable=STATE,
        loss=negative_iw_elbo,
        discrete=False,
        beside={"seen": SEEN},
    ),
    Case(
        "sequential",
        lambda: vae(encoder=sequential(SHAPE), decoder=sequential((LATENTS,))),
        MLP_DIAG,
        own_names=False,
        trained_as="diag",
        served_as="diag",
    ),
    Case(
        "functional",
        lambda: vae(encoder=functional(SHAPE), decoder=functional((LATENTS,))),
        MLP_DIAG + WIDE,
        own_names=False,
    ),
    Case(
        "own_layer",
        lambda: vae(encoder=OwnNetwork(8, name="own"), decoder=OwnNetwork(8, name="own")),
        MLP_DIAG + 2 * (8 + 8),
        non_trainable=STATE + 1 + 2 * (8 + 8),  # moving mean and variance
    ),
    Case(
        "hierarchical",
        lambda: levels(tfvae.HierarchicalVAE),
        HIERARCHICAL,
        non_trainable=STATE + 3,
        one_vector=False,
    ),
    Case(
        "ladder",
        lambda: levels(tfvae.LadderVAE, batch_normalisation=True),
        LADDER + NORMALISED,
        non_trainable=STATE + 3 + 2 * NORMALISED,  # the moving statistics
        one_vector=False,
    ),
    Case(
        "ladder_maps",
        maps,
        MAPS,
        non_trainable=STATE + 3 + 2 * 2 * 4 + 2 * (4 + 8 + 8 + 4),  # moving statistics
        xla_on_cpu=False,
        one_vector=False,  # tests/models/test_level_maps.py has its files
    ),
]
assert len({case.name for case in CASES}) == len(CASES), "tests look members up by their names"
TRAINED = [case for case in CASES if case.trained_as is None and case.has_posterior]
SERVED = [case for case in CASES if case.served_as is None and case.one_vector]
