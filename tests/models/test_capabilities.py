"""What a model can do, and how what it can't is refused: by its name."""

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.models.tiny import IMAGES, SHAPE, vae
from tfvae import evaluation
from tfvae.data.fields import Field
from tfvae.evaluation import pictures
from tfvae.models.capabilities import Decodes, Encodes, Generates, Scores, require

METHODS = {
    Scores: ["infer"],
    Encodes: ["encode", "encoder_outputs"],
    Decodes: ["decode", "decoder_outputs"],
    Generates: ["generate"],
}


class OnlyScores(tfvae.LatentVariableModel):
    """A model of somebody else, made of a VAE, that says no more than its likelihood."""

    def __init__(self, inner):
        super().__init__(inner.objective.names)
        self.inner = inner

    def fields(self):
        return {"x": Field(SHAPE, "float32", (0.0, 1.0))}

    def infer(self, batch, training=False):
        return self.inner.infer(batch, training)

    def loss_terms(self, batch, training):
        return self.inner.objective.nats(self.with_noise(self.infer(batch, training), batch))


@pytest.fixture(scope="module")
def model():
    inner = vae()
    inner.build((None, *SHAPE))
    built = OnlyScores(inner)
    built.build((None, *SHAPE))
    return built


@pytest.mark.parametrize("capability", METHODS)
def test_a_capability_is_had_by_its_methods(capability):
    able = type("Able", (), dict.fromkeys(METHODS[capability], lambda self: None))()
    require(able, "this()", capability)
    for method in METHODS[capability]:
        rest = [name for name in METHODS[capability] if name != method]
        unable = type("Unable", (), dict.fromkeys(rest, lambda self: None))()
        name = capability.__name__.lower()
        with pytest.raises(
            ValueError, match=rf"this\(\) needs a model that {name}: .*{method}\(\).*Unable can't"
        ):
            require(unable, "this()", capability)


def test_a_vae_can_do_everything():
    require(vae(), "all()", *METHODS)


def test_a_model_that_only_scores_is_scored(model):
    assert model.log_likelihood(IMAGES, num_samples=4, verbose=0).per_example.shape == (20,)
    expected = evaluation.elbo(model.inner, IMAGES).per_example
    np.testing.assert_allclose(evaluation.elbo(model, IMAGES).per_example, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda m: m.reconstruct(IMAGES), r"reconstruct\(\) .*encodes"),
        (lambda m: m.sample(2), r"sample\(\) .*generates"),
        (lambda m: evaluation.latent_codes(m, IMAGES), r"latent_codes\(\) .*encodes"),
        (lambda m: evaluation.naive_log_likelihood(m, IMAGES), r"naive.*\(\) .*generates"),
        (lambda m: evaluation.annealed_importance_sampling(m, IMAGES), r"annealed.*generates"),
        (lambda m: pictures.latent_manifold(m), r"latent_manifold\(\) .*decodes"),
        (lambda m: pictures.reconstructions(m, IMAGES), r"reconstructions\(\) .*encodes"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(model, use, what):
    with pytest.raises(ValueError, match=rf"{what}: .*OnlyScores can't"):
        use(model)


@pytest.mark.parametrize("missing", ["fields", "loss_terms"])
def test_a_model_that_lacks_a_method_is_refused_by_its_name(missing):
    methods = {"fields": lambda self: {}, "loss_terms": lambda self, batch, training: None}
    methods.pop(missing)
    incomplete = type("Incomplete", (tfvae.LatentVariableModel,), methods)
    with pytest.raises(ValueError, match=rf"Incomplete is a LatentVariableModel .*{missing}\(\)"):
        incomplete(["nll"])


def test_building_draws_nothing_that_training_would_miss(model):
    """A model is built by one evaluation of its loss; its seeds begin where they would have."""
    fresh = OnlyScores(vae())
    fresh.seed_state.assign([9, 0])
    fresh.build((None, *SHAPE))
    np.testing.assert_array_equal(fresh.seed_state, [9, 0])
    assert fresh.inner.encoder.built


def test_a_smaller_batch_draws_the_beginning_of_a_larger_one():
    """The noise of a row is that of its place, whoever stands beside it."""
    model = vae()
    model.build((None, *SHAPE))
    found = []
    for rows in (20, 7):
        model.seed_state.assign([5, 0])
        batch = {"x": tf.constant(IMAGES[:rows])}
        found.append(model.with_noise(model.infer(batch), batch).noise(2).normal(2).numpy())
    np.testing.assert_allclose(found[1], found[0][:, :7], atol=1e-6)
    assert [w.name for w in model.non_trainable_weights[:2]] == ["seed_state", "num_examples"]
