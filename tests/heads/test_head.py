"""What every head has of the base class, shown on heads of somebody else."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae import heads
from tfvae.distributions.moments import moments
from tfvae.heads.base import LatentHead
from tfvae.noise import training_noise

tfd = tfp.distributions
FEATURES = np.random.default_rng(1).normal(size=(4, 4)).astype("float32")
NOISE = training_noise(tf.constant([1, 2]), 5, 4)


class LogitNormal(LatentHead):
    """No closed form of its mean: features are loc and log-scale."""

    def parameters(self, features):
        loc, log_scale = tf.split(features, 2, axis=-1)
        return {"loc": loc, "scale": tf.exp(log_scale)}

    def distribution(self, loc, scale):
        return tfd.Independent(tfd.LogitNormal(loc, scale), 1)


class Kumaraswamy(LogitNormal):
    def distribution(self, loc, scale):
        return tfd.Independent(tfd.Kumaraswamy(tf.exp(loc), scale), 1)


@pytest.mark.parametrize("make", [LogitNormal, Kumaraswamy])
def test_draw_and_log_prob_come_together(make):
    head = make(2)
    q = head(FEATURES)
    z, log_prob = head.draw(q, NOISE)
    assert z.shape == (5, 4, 2)
    np.testing.assert_allclose(log_prob, q.log_prob(tf.constant(z.numpy())), rtol=1e-4, atol=1e-4)


def test_code_and_outputs_are_of_the_drawn_moments():
    head = LogitNormal(2)
    q = head(FEATURES)
    found = moments(q, head.draw)
    assert found.drawn == ("mean", "stddev")
    np.testing.assert_array_equal(head.code(q), found.mean)
    outputs = head.outputs(head.parameters(FEATURES))
    assert set(outputs) == {"loc", "scale", "mean", "stddev"}
    np.testing.assert_allclose(outputs["mean"], found.mean, rtol=1e-6)
    np.testing.assert_allclose(outputs["stddev"], found.stddev, rtol=1e-5)


def test_code_is_of_the_heads_own_draw():
    class Doubled(LogitNormal):
        def draw(self, distribution, noise):
            single = super().draw(distribution, noise)
            return single._replace(z=2 * single.z)

    q = LogitNormal(2)(FEATURES)
    np.testing.assert_allclose(Doubled(2).code(q), 2 * LogitNormal(2).code(q), rtol=1e-6)


@pytest.mark.parametrize("head_class", [heads.MultivariateNormalDiag, heads.MultivariateNormalTriL])
def test_code_of_a_normal_is_its_mean(head_class):
    head = head_class(2)
    q = head(FEATURES)
    np.testing.assert_array_equal(head.code(q), q.mean())
    outputs = head.outputs(head.parameters(FEATURES))
    np.testing.assert_allclose(outputs["mean"], q.mean(), rtol=1e-6)
    np.testing.assert_allclose(outputs["stddev"], q.stddev(), rtol=1e-5)


@pytest.mark.parametrize("head_class", [heads.MultivariateNormalDiag, heads.MultivariateNormalTriL])
def test_frozen_has_the_density_and_no_gradient_but_that_of_z(head_class):
    head = head_class(2)
    with tf.GradientTape(persistent=True) as tape:
        q = head(FEATURES)
        z = head.draw(q, NOISE).z
        tape.watch(z)
        frozen, live = head.frozen(q).log_prob(z), q.log_prob(z)
        fixed = head.frozen(q).log_prob(tf.stop_gradient(z))
    np.testing.assert_allclose(frozen, live, rtol=1e-4, atol=1e-5)
    assert all(g is None for g in tape.gradient(fixed, head.trainable_variables))
    np.testing.assert_allclose(
        tape.gradient(frozen, z), tape.gradient(live, z), rtol=1e-4, atol=1e-5
    )


def test_frozen_refuses_parameters_that_it_cannot_hold():
    """A nested distribution's, or a variable's, would keep their gradient."""
    head = LogitNormal(2)
    q = head(FEATURES)
    with pytest.raises(ValueError, match=r"LogitNormal makes .*Independent.*frozen\(\)"):
        head.frozen(q)

    class Shared(heads.Head):
        def build(self, features_shape):
            self.scale = self.add_weight(shape=(4,), initializer="ones", name="scale")

        def parameters(self, features):
            return {"loc": features}

        def distribution(self, loc):
            return tfd.MultivariateNormalDiag(loc, self.scale)

    head = Shared((4,))
    q = head(FEATURES)
    with pytest.raises(ValueError, match=r"Shared makes .*Define its frozen\(\)"):
        head.frozen(q)


@pytest.mark.parametrize("missing", ["parameters", "distribution"])
def test_a_head_that_lacks_a_method_is_refused_by_its_name(missing):
    methods = {"parameters": lambda self, features: {}, "distribution": lambda self: None}
    methods.pop(missing)
    incomplete = type("Incomplete", (heads.Head,), methods)
    with pytest.raises(ValueError, match=rf"Incomplete is a Head without {missing}\(\)"):
        incomplete((2,))


@pytest.mark.parametrize("event_shape", [(), []])
def test_a_scalar_event(event_shape):
    """A regression on one number: log p(x|z) of B numbers."""
    features, x = FEATURES, np.array([0.0, 1.0, 1.0, 0.0], "float32")
    normal = heads.IndependentNormal(event_shape)(features)
    assert normal.log_prob(x).shape == (4,)
    np.testing.assert_allclose(
        normal.log_prob(x), -0.5 * (x - normal.mean()) ** 2 - 0.5 * np.log(2 * np.pi), rtol=1e-5
    )
    bernoulli = heads.IndependentBernoulli(event_shape)(features)
    p = bernoulli.mean().numpy()
    assert p.shape == (4,)
    np.testing.assert_allclose(bernoulli.log_prob(x), np.log(np.where(x == 1, p, 1 - p)), rtol=1e-5)
