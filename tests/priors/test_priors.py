"""The priors against SciPy, and their seeded draws against their own densities."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tests.models.tiny import IMAGES, SHAPE, vae
from tfvae import priors
from tfvae.errors import UserError
from tfvae.noise import Noise

tfd = tfp.distributions
LOC = np.array([[-6.0, 1.0], [0.0, 0.0], [8.0, -2.0]])
SCALE = np.array([[0.5, 1.5], [1.0, 0.3], [2.0, 0.7]])
PROBS = np.array([0.2, 0.5, 0.3])


def sample(prior, num_samples, seed, temperature=None):
    return prior.generate(Noise(seed, row=tf.range(num_samples), temperature=temperature))


@pytest.fixture(scope="module")
def mixture():
    prior = priors.MixtureOfGaussians(2, num_components=3)
    prior.build()
    prior.logits.assign(np.log(PROBS) + 0.7)  # softmax ignores the constant
    prior.loc.assign(LOC)
    shift = np.log(np.expm1(1 - 1e-5))
    prior.raw_scale.assign(np.log(np.expm1(SCALE - 1e-5)) - shift)
    return prior


def test_standard_normal_equals_scipys():
    z = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    prior = priors.StandardNormal(3)
    np.testing.assert_allclose(
        prior().log_prob(z), scipy.stats.norm.logpdf(z).sum(axis=1), rtol=1e-5
    )
    assert prior.weights == []
    assert isinstance(prior(), tfd.MultivariateNormalDiag)


def test_mixture_log_prob_equals_scipys_logsumexp(mixture):
    z = np.random.default_rng(0).normal(scale=4, size=(4, 5, 2)).astype("float32")
    components = scipy.stats.norm.logpdf(z[..., None, :], LOC, SCALE).sum(axis=-1)
    expected = scipy.special.logsumexp(components + np.log(PROBS), axis=-1)
    np.testing.assert_allclose(mixture().log_prob(z), expected, rtol=1e-4)
    np.testing.assert_allclose(mixture().mean(), PROBS @ LOC, rtol=1e-5)


def test_mixture_starts_with_equal_weights_and_unit_scales():
    prior = priors.MixtureOfGaussians(2, num_components=4)
    distribution = prior()
    np.testing.assert_allclose(distribution.mixture_distribution.probs_parameter(), 0.25)
    np.testing.assert_allclose(distribution.components_distribution.stddev(), 1.0, atol=1e-6)
    assert np.unique(prior.loc.numpy()).size == 8, "equal components would never part"


def test_mixture_is_rebuilt_from_keras_weights_that_get_gradients(mixture):
    with tf.GradientTape() as tape:
        nll = -tf.reduce_mean(mixture.distribution().log_prob([[1.0, 0.0], [7.0, -2.0]]))
    gradients = tape.gradient(nll, mixture.trainable_variables)
    assert [w.name for w in mixture.trainable_variables] == ["logits", "loc", "raw_scale"]
    assert all(np.any(g.numpy() != 0) for g in gradients)
    before = mixture.distribution().mean().numpy()
    mixture.loc.assign(LOC + 1)
    np.testing.assert_allclose(mixture.distribution().mean(), before + 1, rtol=1e-5)
    mixture.loc.assign(LOC)


def test_a_mixture_of_one_is_the_normal():
    prior = priors.MixtureOfGaussians(2, num_components=1)
    prior.build()
    prior.loc.assign(np.zeros((1, 2)))
    z = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    expected = scipy.stats.norm.logpdf(z).sum(axis=1)
    np.testing.assert_allclose(prior().log_prob(z), expected, rtol=1e-5)
    standard = sample(priors.StandardNormal(2), 9, seed=4)
    np.testing.assert_allclose(sample(prior, 9, seed=4), standard, rtol=1e-5)


# --- Seeded draws ----------------------------------------------------------------------------


def test_standard_normal_draws():
    z = sample(priors.StandardNormal(2), 20_000, seed=3).numpy()
    for dimension in range(2):
        assert scipy.stats.kstest(z[:, dimension], "norm").pvalue > 1e-3
    assert abs(np.corrcoef(z.T)[0, 1]) < 4.5 / np.sqrt(len(z))


def test_mixture_draws_have_each_components_share_and_moments(mixture):
    """The first dimension separates the components: they are 6 and 4 standard deviations apart."""
    z = sample(mixture, 60_000, seed=11).numpy().astype("float64")
    expected_cdf = lambda x: scipy.stats.norm.cdf(x[:, None], LOC[:, 0], SCALE[:, 0]) @ PROBS  # noqa: E731
    assert scipy.stats.kstest(z[:, 0], expected_cdf).pvalue > 1e-3
    component = np.digitize(z[:, 0], [-3.7, 2.5])  # 4 sigma above and 3 sigma below: 2e-3 astray
    for k in range(3):
        rows = z[component == k]
        share_error = np.sqrt(PROBS[k] * (1 - PROBS[k]) / len(z))
        assert abs(len(rows) / len(z) - PROBS[k]) < 4.5 * share_error + 2e-3
        # The second dimension knows of the component only through the draw of it.
        median_error = 1.2533 * SCALE[k, 1] / np.sqrt(len(rows))
        assert abs(np.median(rows[:, 1]) - LOC[k, 1]) < 4.5 * median_error + 0.02
        assert np.std(rows[:, 1]) == pytest.approx(SCALE[k, 1], rel=0.06)


def test_component_and_noise_are_independent(mixture):
    """One stream for both would couple them: the noise's mean within a component would not be 0."""
    mixture_z = sample(mixture, 60_000, seed=11).numpy()
    component = np.digitize(mixture_z[:, 0], [-3.7, 2.5])
    noise = (mixture_z - LOC[component]) / SCALE[component]
    for k in range(3):
        rows = noise[component == k]
        assert np.all(np.abs(rows.mean(axis=0)) < 4.5 / np.sqrt(len(rows)) + 0.02)


@pytest.mark.parametrize("kind", ["standard", "mixture"])
def test_draws_are_a_prefix_seeded_and_distinct(kind, mixture):
    prior = mixture if kind == "mixture" else priors.StandardNormal(2)
    many = sample(prior, 16, seed=5).numpy()
    np.testing.assert_array_equal(sample(prior, 4, seed=5), many[:4])
    assert not np.any(sample(prior, 16, seed=6).numpy() == many)
    np.testing.assert_array_equal(sample(prior, tf.constant(16), tf.constant(5)), many)
    assert sample(prior, 0, seed=5).shape == (0, 2)


def test_temperature_scales_the_spread_and_keeps_the_centres(mixture):
    standard = priors.StandardNormal(2)
    np.testing.assert_allclose(
        sample(standard, 8, 1, temperature=0.5), 0.5 * sample(standard, 8, 1), rtol=1e-6
    )
    np.testing.assert_array_equal(sample(standard, 8, 1, temperature=0.0), np.zeros((8, 2)))
    frozen = sample(mixture, 200, 1, temperature=0.0).numpy()
    assert {tuple(row) for row in frozen} == {tuple(row) for row in LOC.astype("float32")}
    half = sample(mixture, 200, 1, temperature=0.5).numpy()
    np.testing.assert_allclose(half, (frozen + sample(mixture, 200, 1)) / 2, atol=1e-5)


def test_draws_compile_and_agree(mixture):
    draw = tf.function(lambda n, seed: sample(mixture, n, seed, 0.8), autograph=False)
    expected = sample(mixture, 7, 9, 0.8)
    np.testing.assert_allclose(draw(tf.constant(7), tf.constant(9)), expected, atol=1e-5)


@pytest.mark.parametrize("make", [priors.StandardNormal, priors.MixtureOfGaussians])
def test_config_round_trip(make):
    prior = make(3)
    clone = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(prior))
    assert type(clone) is make
    assert clone.get_config() == prior.get_config()


# --- Priors of somebody else -----------------------------------------------------------------


class Flow(priors.Prior):
    """Gives `distribution` alone: exp(N(a, 1)) in each dimension, with a learned."""

    def build(self, input_shape=None):
        self.loc = self.add_weight(shape=(self.latent_size,), initializer="ones", name="loc")

    def distribution(self):
        base = tfd.MultivariateNormalDiag(tf.convert_to_tensor(self.loc), tf.ones(self.latent_size))
        return tfd.TransformedDistribution(base, tfp.bijectors.Exp())


class Vamp(priors.Prior):
    """1/K sum_k q(z|u_k): asks for the encoder, and learns the pseudo-inputs u."""

    def build(self, input_shape=None):
        self.inputs = self.add_weight(shape=(3, *SHAPE), initializer="uniform", name="inputs")

    def distribution(self, encoder):
        q = encoder(tf.convert_to_tensor(self.inputs))
        return tfd.MixtureSameFamily(tfd.Categorical(logits=tf.zeros(3)), q)


@pytest.mark.parametrize("make", [Flow, Vamp])
def test_a_prior_that_gives_its_distribution_alone_samples_and_learns(make):
    model = vae(prior=make(2))
    model.build((None, *SHAPE))
    assert model.sample(5, seed=1).shape == (5, *SHAPE)
    np.testing.assert_array_equal(model.sample(5, seed=1), model.sample(5, seed=1))
    assert np.any(model.sample(5, seed=1).numpy() != model.sample(5, seed=2).numpy())
    with tf.GradientTape() as tape:
        model(IMAGES)
        loss = tf.add_n(model.losses)
    (gradient,) = tape.gradient(loss, [v.value for v in model.prior.trainable_variables])
    assert np.all(gradient.numpy() != 0)


class Box(priors.Prior):
    """Uniform in [-1, 1]: a quantile, and no scale."""

    def distribution(self):
        ones = tf.ones(self.latent_size)
        return tfd.Independent(tfd.Uniform(-ones, ones), 1)


FAMILIES = [tfd.Laplace, tfd.Logistic, tfd.Cauchy, lambda loc, scale: tfd.StudentT(4.0, loc, scale)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_temperature_is_a_factor_on_the_scale(family):
    class Scaled(priors.Prior):
        def distribution(self):
            return tfd.Independent(family(tf.constant([3.0, -1.0]), tf.ones(2)), 1)

    half = sample(Scaled(2), 500, seed=1, temperature=0.5).numpy()
    expected = [3.0, -1.0] + 0.5 * (sample(Scaled(2), 500, seed=1).numpy() - [3.0, -1.0])
    np.testing.assert_allclose(half, expected, rtol=1e-4, atol=1e-5)
    law = tfd.Independent(family(tf.constant([3.0, -1.0]), 0.5 * tf.ones(2)), 1)
    ranks = law.distribution.cdf(half).numpy()
    for dimension in range(2):
        assert scipy.stats.kstest(ranks[:, dimension], "uniform").pvalue > 1e-3
    rows = Noise(1, row=tf.range(4), temperature=tf.constant([0.0, 0.5, 1.0, 2.0]))
    z = Scaled(2).generate(rows).numpy()
    np.testing.assert_allclose(z[0], [3.0, -1.0], atol=1e-6)
    np.testing.assert_allclose(z[1], half[1], rtol=1e-5)


@pytest.mark.parametrize(("make", "named"), [(Box, "Uniform"), (Vamp, "MixtureSameFamily")])
def test_a_temperature_without_a_scale_is_refused_by_name(make, named):
    model = vae(prior=make(2))
    model.build((None, *SHAPE))
    images = model.sample(3, seed=1)
    np.testing.assert_array_equal(model.sample(3, seed=1, temperature=1), images)
    for temperature in (0.5, 0, 2.0):
        with pytest.raises(UserError, match=f"Draws of {named} have no scale .* must be 1"):
            model.sample(3, seed=1, temperature=temperature)


def test_quantiles_are_those_of_each_coordinate():
    u = np.random.default_rng(0).uniform(0.01, 0.99, (5, 2)).astype("float32")
    found = priors.StandardNormal(2).quantiles(tf.constant(u))
    np.testing.assert_allclose(found, scipy.stats.norm.ppf(u), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(Box(2).quantiles(tf.constant(u)), 2 * u - 1, atol=1e-6)
    for prior in (Flow(2), priors.MixtureOfGaussians(2)):
        prior.build()
        with pytest.raises(UserError, match=f"{type(prior).__name__} has no quantiles"):
            prior.quantiles(tf.constant(u))


def test_its_codes_follow_its_law():
    prior = Flow(2)
    prior.build()
    prior.loc.assign([0.5, -1.0])
    z = sample(prior, 20_000, seed=3).numpy()
    for dimension, loc in enumerate((0.5, -1.0)):
        law = scipy.stats.lognorm(1.0, scale=np.exp(loc))
        assert scipy.stats.kstest(z[:, dimension], law.cdf).pvalue > 1e-3
    np.testing.assert_allclose(sample(prior, 7, seed=3), z[:7], rtol=1e-5)


def test_what_a_prior_lacks_or_cannot_have_is_named():
    class Nothing(priors.Prior):
        pass

    class Asking(priors.Prior):
        def distribution(self, decoder):
            return tfd.MultivariateNormalDiag(tf.zeros(2), tf.ones(2))

    class Conditional(priors.Prior):
        def distribution(self, condition):
            return tfd.MultivariateNormalDiag(condition, tf.ones_like(condition))

    with pytest.raises(ValueError, match=r"Nothing is a Prior without distribution\(\)"):
        Nothing(2)
    with pytest.raises(ValueError, match=r"distribution\(\) takes decoder; .*condition, encoder"):
        Asking(2)
    model = vae(prior=Conditional(2))
    with pytest.raises(ValueError, match=r"Conditional.* takes a condition, and a VAE has none"):
        model(IMAGES)


def test_a_conditional_prior_has_a_batch():
    class Conditional(priors.Prior):
        def distribution(self, condition):
            return tfd.MultivariateNormalDiag(condition, 0.1 * tf.ones_like(condition))

    prior, condition = Conditional(2), tf.constant([[0.0, 5.0], [-5.0, 1.0], [2.0, 2.0]])
    assert prior.needs == ("condition",)
    z = prior.generate(Noise(1, row=tf.range(3)), condition=condition)
    assert np.abs(z - condition).max() < 0.6
    noise = Noise(1, row=tf.range(3), temperature=0.0)
    np.testing.assert_array_equal(prior.generate(noise, condition=condition), condition)


def test_bad_sizes_are_refused():
    for make in (priors.StandardNormal, priors.MixtureOfGaussians):
        with pytest.raises(ValueError, match=r"latent_size must be .*received 0"):
            make(0)
    with pytest.raises(ValueError, match=r"num_components must be .*received 1.5"):
        priors.MixtureOfGaussians(2, num_components=1.5)
