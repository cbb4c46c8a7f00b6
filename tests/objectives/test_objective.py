"""What every objective has of the base class, and what a model makes of its nats."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.models.tiny import IMAGES, vae
from tests.objectives import linear_gaussian
from tfvae.objectives import ELBO, Nats, Objective


class WithPenalty(ELBO):
    """The ELBO, and a scalar of the batch: how far its codes are from being centred."""

    def __init__(self, penalty_weight=2.0, **kwargs):
        super().__init__(**kwargs)
        self.add_term_weight("penalty", penalty_weight)

    @property
    def names(self):
        return (*super().names, "penalty")

    def nats(self, inference):
        found = super().nats(inference)
        centre = tf.reduce_mean(inference.proposal.distribution.mean(), axis=0)
        terms = {**found.terms, "penalty": tf.reduce_sum(tf.square(centre - 1.0))}
        return Nats(terms, found.reconstruction, found.watched)


class Surrogate(Objective):
    """A term whose gradient is three times its own, and one that is not differentiated at all."""

    @property
    def names(self):
        return ("nll", "noise")

    def nats(self, inference):
        draws = inference.draw(1)
        noise = inference.noise(1).uniform(1)[0, :, 0]
        return Nats(
            {"nll": draws.nll, "noise": noise},
            draws.reconstruction,
            surrogates={"nll": 3.0 * draws.nll},
        )


def test_a_scalar_of_the_batch_is_weighed_by_its_own_weight():
    model = vae(objective=WithPenalty(kl_weight=3.0, penalty_weight=2.0))
    model(IMAGES)
    logs = {name: float(tracker.result()) for name, tracker in model.trackers.items()}
    expected = [logs["nll"], 3.0 * logs["kl"], 2.0 * logs["penalty"]]
    assert [float(loss) for loss in model.losses] == pytest.approx(expected, rel=1e-5)
    mean = model.encoder(IMAGES).mean().numpy().mean(axis=0)
    assert logs["penalty"] == pytest.approx(np.sum((mean - 1.0) ** 2), rel=1e-5)


def test_each_term_has_its_own_weight_and_others_have_one():
    objective = WithPenalty(kl_weight=3.0, penalty_weight=0.5)
    weights = [float(objective.weight(name)) for name in ("nll", "kl", "penalty")]
    assert weights == [1.0, 3.0, 0.5]
    objective.term_weights["kl"].assign(7.0)
    assert [float(objective.weight(name)) for name in ("nll", "penalty")] == [1.0, 0.5]
    assert [variable.name for variable in objective.weights] == ["kl_weight", "penalty_weight"]
    assert not objective.trainable_weights


def test_any_weight_can_be_scheduled_by_its_name():
    model = vae(objective=WithPenalty())
    model.compile("adam", jit_compile=False)
    schedule = tfvae.callbacks.LinearWeight(epochs=2, start=1.0, end=3.0, term="penalty")
    history = model.fit(IMAGES, epochs=2, verbose=0, callbacks=[schedule]).history
    assert history["penalty_weight"] == [1.5, 2.5]
    expected = np.add(history["nll"], history["kl"]) + np.multiply(
        history["penalty_weight"], history["penalty"]
    )
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-5)
    assert float(model.objective.weight("kl")) == 1.0
    with pytest.raises(ValueError, match=r"no weight of a term 'penlty' .*Did you mean 'penalty'"):
        model.term_weight("penlty")


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_surrogate_gives_the_gradient_and_the_term_the_value(jit_compile):
    model = vae(objective=Surrogate())
    model.build((None, *IMAGES.shape[1:]))
    variables = model.trainable_variables

    @tf.function(jit_compile=jit_compile)
    def step():
        with tf.GradientTape(persistent=True) as tape:
            model.seed_state.assign([5, 0])
            model(IMAGES)
            loss = tf.add_n(model.losses)
            model.seed_state.assign([5, 0])
            nats = model.loss_terms({"x": tf.constant(IMAGES)}, training=False)
            nll, noise = (tf.reduce_mean(nats.terms[name]) for name in ("nll", "noise"))
        sources = [variable.value for variable in variables]
        return loss, nll + noise, tape.gradient(loss, sources), tape.gradient(nll, sources)

    loss, value, found, plain = step()
    np.testing.assert_allclose(loss, value, rtol=1e-5)
    for one, two in zip(found, plain, strict=True):
        np.testing.assert_allclose(one, 3.0 * two, rtol=1e-3, atol=1e-4)
        assert np.any(two.numpy() != 0)


def test_training_on_terms_of_both_kinds_logs_what_they_are():
    model = vae(objective=WithPenalty())
    model.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    history = model.fit(IMAGES, epochs=20, verbose=0).history
    assert history["penalty"][-1] < history["penalty"][0]


def test_objectives_know_the_size_of_the_training_set():
    seen = []

    class Watching(ELBO):
        def nats(self, inference):
            seen.append(inference.num_examples)
            return super().nats(inference)

    model = vae(objective=Watching())
    model.build((None, *IMAGES.shape[1:]))
    seen.clear()
    model(IMAGES)
    model.num_examples.assign(60_000)
    model(IMAGES)
    assert [float(number) for number in seen] == [0.0, 60_000.0]


@pytest.mark.parametrize("missing", ["names", "nats"])
def test_an_objective_that_lacks_a_method_is_refused_by_its_name(missing):
    methods = {"names": property(lambda self: ("a",)), "nats": lambda self, inference: None}
    methods.pop(missing)
    incomplete = type("Incomplete", (Objective,), methods)
    with pytest.raises(ValueError, match=rf"Incomplete is an Objective without {missing}"):
        incomplete()


def test_a_term_that_was_not_named_is_refused():
    class Misnamed(Surrogate):
        names = ("nll", "nois")

    with pytest.raises(ValueError, match=r"Misnamed reports 'noise', .*: nll, nois.*'nois'"):
        vae(objective=Misnamed())(IMAGES)


def test_draws_agree_with_their_parts():
    """log w = log p(x|z) + log p(z) - log q(z|x), and what follows from it."""
    draws = linear_gaussian.inference(linear_gaussian.posterior()).draw(4)
    joint = draws.joint
    expected = joint.log_likelihood + joint.log_prior - draws.log_posterior
    np.testing.assert_allclose(draws.log_weights, expected, rtol=1e-6)
    np.testing.assert_allclose(draws.log_ratio, draws.log_posterior - joint.log_prior, rtol=1e-6)
    np.testing.assert_allclose(draws.nll, -np.mean(joint.log_likelihood, axis=0), rtol=1e-6)
    np.testing.assert_array_equal(draws.reconstruction, joint.mean[0])
