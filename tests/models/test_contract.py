"""Parts as a stranger writes them, with the mistakes of the first ten lines: each has a message."""

import keras
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import tfvae
from tests.models.tiny import IMAGES, SHAPE
from tfvae.data import Field
from tfvae.heads.likelihoods.base import LikelihoodHead
from tfvae.objectives import Nats, Objective

tfd = tfp.distributions


class Head(tfvae.heads.LatentHead):
    def __init__(self, latent_size, units=None, **kwargs):
        super().__init__(latent_size, **kwargs)
        self.projection = keras.layers.Dense(units or latent_size)

    def parameters(self, features):
        return {"loc": self.projection(features)}

    def distribution(self, loc):
        return tfd.MultivariateNormalDiag(loc)


class Likelihood(LikelihoodHead):
    def parameters(self, features):
        return {"loc": self.entries(features)}

    def distribution(self, loc):
        return tfd.Independent(tfd.Normal(loc, 1.0), 3)


class Prior(tfvae.priors.Prior):
    def distribution(self):
        return tfd.MultivariateNormalDiag(tf.zeros(2))


class Bound(Objective):
    names = ("nll", "kl")

    def nats(self, inference):
        draws = inference.draw(1)
        return Nats({"nll": draws.nll, "kl": draws.log_ratio[0]}, draws.reconstruction)


class Model(tfvae.LatentVariableModel):
    def __init__(self, names=("nll",), **kwargs):
        super().__init__(names, **kwargs)
        self.dense = keras.layers.Dense(64)

    def fields(self):
        return {"x": Field(SHAPE)}

    def loss_terms(self, batch, training):
        x = tf.reshape(batch["x"], [-1, 64])
        squares = tf.reduce_sum((x - self.dense(x)) ** 2, axis=1)
        return Nats({"nll": squares}, batch["x"])


def but(base, **methods):
    """The class with other methods or attributes."""
    return type("Mine", (base,), methods)


def built(head=None, likelihood=None, prior=None, objective=None, network=None):
    network = tfvae.networks.MLP([4]) if network is None else network
    vae = tfvae.VAE(
        tfvae.Encoder(network, Head(2) if head is None else head),
        tfvae.Decoder(tfvae.networks.MLP([4]), likelihood or Likelihood(SHAPE)),
        Prior(2) if prior is None else prior,
        Bound() if objective is None else objective,
        seed=0,
    )
    vae.build((None, *SHAPE))
    return vae


def test_small_parts_without_mistakes_are_taken():
    vae = built()
    vae.compile("adam", jit_compile=False)
    vae.fit(IMAGES, verbose=0)
    assert vae.sample(3, seed=1).shape == (3, *SHAPE)
    vae.adapt(IMAGES.mean(axis=0))  # a likelihood that does not know how stays where it is
    model = Model()
    model.compile("adam", jit_compile=False)
    assert model.fit(IMAGES, verbose=0).history["nll"][0] > 0


def without_super(self, *arguments):
    self.own = arguments


HEADS = {
    "no Independent": (
        but(Head, distribution=lambda self, loc: tfd.Normal(loc, 1.0)),
        r"Mine.distribution\(\) returned a Normal of batch shape \(2, 2\) .* expected \(2,\) and",
    ),
    "sample axes lost": (
        but(
            Head,
            distribution=lambda self, loc: tfd.MultivariateNormalDiag(tf.reshape(loc, [-1, 2])),
        ),
        r"batch shape \(2,\) .* for parameters of \(1, 2\) rows",
    ),
    "a tuple": (
        but(Head, parameters=lambda self, features: (self.projection(features),)),
        r"Mine.parameters\(\) returned a tuple; expected a dict of tensors by the names",
    ),
    "nothing": (but(Head, parameters=lambda self, features: None), "returned a NoneType"),
    "other names": (
        but(Head, parameters=lambda self, features: {"mean": self.projection(features)}),
        r"Mine.parameters\(\) returned mean, and Mine.distribution\(\) takes loc",
    ),
    "no rows": (
        but(Head, parameters=lambda self, features: {"loc": tf.zeros(2)[tf.newaxis]}),
        r"parameters\(\)\['loc'\] has shape \(1, 2\); expected \(2,\) first",
    ),
    "a number": (
        but(Head, parameters=lambda self, features: {"loc": 0.0}),
        r"parameters\(\)\['loc'\] is a float; expected a tensor",
    ),
    "a tensor": (but(Head, distribution=lambda self, loc: loc), "expected a distribution of tens"),
    "no super": (but(Head, __init__=without_super), "Mine .* has to call super"),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_head(case):
    kind, message = HEADS[case]
    with pytest.raises(ValueError, match=message) as error:
        built(head=kind(2))
    assert "\n" not in str(error.value)


def test_a_head_of_another_size():
    with pytest.raises(ValueError, match=r"event shape \(3,\), .* expected \(2,\) and \(2,\)"):
        built(head=Head(2, units=3))


@pytest.mark.parametrize(
    ("distribution", "message"),
    [
        # It would train: log p(x|z) of every pixel, averaged.
        (
            lambda self, loc: tfd.Normal(loc, 1.0),
            r"returned a Normal of batch shape \(2, 8, 8, 1\)",
        ),
        (
            lambda self, loc: tfd.Independent(tfd.LogitNormal(loc, 1.0), 3),
            r"Mine makes a .* whose mean\(\) has no closed form",
        ),
    ],
)
def test_a_likelihood(distribution, message):
    with pytest.raises(ValueError, match=message) as error:
        built(likelihood=but(Likelihood, distribution=distribution)(SHAPE))
    assert "\n" not in str(error.value)


def hidden(self, latent_size):
    tfvae.priors.Prior.__init__(self, latent_size)
    self.loc = tf.Variable(tf.zeros(latent_size))


PRIORS = {
    "no Independent": (
        {"distribution": lambda self: tfd.Normal(tf.zeros(2), 1.0)},
        r"shape \(2,\)",
    ),
    "another size": (
        {"distribution": lambda self: tfd.MultivariateNormalDiag(tf.zeros(3))},
        r"Mine.distribution\(\) .* event shape \(3,\); expected \(\) and \(2,\)",
    ),
    "a tensor": ({"distribution": lambda self: tf.zeros(2)}, "expected a distribution of tensor"),
    "one code": ({"generate": lambda self, noise: tf.zeros(2)}, r"generate\(\) returned \(2,\);"),
    "hidden variables": ({"__init__": hidden}, "Mine.loc holds a tf.Variable, .* not see"),
}


@pytest.mark.parametrize("case", PRIORS)
def test_a_prior(case):
    methods, message = PRIORS[case]
    with pytest.raises(ValueError, match=message) as error:
        built(prior=but(Prior, **methods)(2))
    assert "\n" not in str(error.value)


def test_a_prior_that_nobody_can_draw_from():
    class Undrawn(tfd.Distribution):
        """Known by its density alone."""

        def __init__(self):
            super().__init__(tf.float32, tfd.NOT_REPARAMETERIZED, False, False, {}, name="Undrawn")

        def _event_shape(self):
            return tf.TensorShape([2])

        def _batch_shape(self):
            return tf.TensorShape([])

        def _log_prob(self, z):
            return -tf.reduce_sum(tf.abs(z), axis=-1)

    with pytest.raises(
        ValueError, match=r"Mine has a .* draw from .* Define its generate\(noise\)"
    ):
        built(prior=but(Prior, distribution=lambda self: Undrawn())(2)).sample(3)


def nats_of(terms, kind=Nats):
    def nats(self, inference):
        draws = inference.draw(1)
        found = {"nll": draws.nll, "kl": draws.log_ratio[0], "drawn": draws.log_ratio}
        chosen = {new: found[old] for new, old in terms.items()}
        return kind(chosen, draws.reconstruction) if kind else chosen

    return nats


OBJECTIVES = {
    "misnamed": (
        {"nats": nats_of({"nll": "nll", "KL": "kl"})},
        "Mine reports 'KL', which is none .* nll, kl. Did you mean 'kl'",
    ),
    "not reported": ({"nats": nats_of({"nll": "nll"})}, "Mine names kl and does not report it"),
    "a dict": ({"nats": nats_of({"nll": "nll"}, None)}, r"Mine.nats\(\) returned a dict; .*Nats"),
    "not summed": (
        {"nats": nats_of({"nll": "nll", "kl": "drawn"})},
        r"Mine reports 'kl' of shape \(1, 1\); expected \[B\]",
    ),
    "a word": ({"names": "nll"}, "names of the terms of VAE are 'nll'; expected a tuple of words"),
    "a method": ({"names": lambda self: ("nll", "kl")}, "names .* expected a tuple of words"),
    "the loss": ({"names": ("loss", "kl")}, "not 'loss'"),
    "twice": ({"names": ("kl", "kl")}, "expected each once"),
    "no super": ({"__init__": without_super}, r"objective is a Mine .* call super"),
}


@pytest.mark.parametrize("case", OBJECTIVES)
def test_an_objective(case):
    methods, message = OBJECTIVES[case]
    with pytest.raises(ValueError, match=message) as error:
        built(objective=but(Bound, **methods)())
    assert "\n" not in str(error.value)


MODELS = {
    "no fields": ({"fields": tfvae.LatentVariableModel.fields}, r"Mine is .* without fields\(\)"),
    "a list of fields": (
        {"fields": lambda self: [Field(SHAPE)]},
        r"fields\(\) returned \[.* a dict",
    ),
    "a shape": ({"fields": lambda self: {"x": SHAPE}}, r"fields\(\) returned .* a dict of Field"),
    "no training": ({"loss_terms": lambda self, batch: None}, r"takes \(self, batch\); expected"),
    "a pair": (
        {"loss_terms": lambda self, batch, training: ({}, batch["x"])},
        r"Mine.loss_terms\(\) returned a tuple; expected tfvae.objectives.Nats",
    ),
    "no objective": (
        {"loss_terms": tfvae.LatentVariableModel.loss_terms, "infer": lambda self, batch: None},
        "Mine infers and has no objective. Set self.objective",
    ),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_model(case):
    methods, message = MODELS[case]

    def fit():
        model = but(Model, **methods)()
        model.compile("adam", jit_compile=False)
        model.fit(IMAGES, verbose=0)

    with pytest.raises(ValueError, match=message) as error:
        fit()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda x: tf.reduce_sum(x, axis=[1, 2, 3]), r"returns shape \(None,\) .* Dense\(1\)"),
        (tf.reduce_sum, r"returns shape \(\) .* keep the batch axis"),
        (
            lambda x: tf.reshape(x, [1, -1]),
            r"returns shape \(1, None\) .* one row for each example",
        ),
        (lambda x: [x, x], "returns .*; expected one tensor of features"),
    ],
)
def test_a_network_that_returns_no_features(network, message):
    with pytest.raises(ValueError, match=message) as error:
        built(network=keras.layers.Lambda(network))
    assert "\n" not in str(error.value)


def test_nothing_is_shared_by_encoder_and_decoder():
    shared, bernoulli = tfvae.networks.MLP([4]), tfvae.heads.IndependentBernoulli(SHAPE)
    both = keras.Sequential([shared, keras.layers.Dense(3)])
    for other in (shared, both):
        encoder = tfvae.Encoder(shared, tfvae.heads.MultivariateNormalDiag(2))
        with pytest.raises(ValueError, match=r"decoder share the MLP 'mlp.*Make one for each"):
            tfvae.VAE(encoder, tfvae.Decoder(other, bernoulli))
