"""Likelihoods of real numbers and of tables: SciPy, quadrature, and what the batch decides."""

import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import tensorflow as tf

import tfvae
from tfvae import heads, networks
from tfvae.noise import Noise

RNG = np.random.default_rng(8)
FEATURES = RNG.normal(size=(3, 5)).astype("float32")
ZEROS = np.zeros((1, 5), "float32")


def randomised(head):
    head.build(FEATURES.shape)
    for weight in head.trainable_weights:
        weight.assign(RNG.normal(size=weight.shape))
    return head


def parameters(head):
    return {k: v.numpy().astype("float64") for k, v in head.parameters(FEATURES).items()}


def test_a_scale_for_each_entry_is_scipys():
    head = randomised(heads.IndependentNormal((2, 2, 1), scale="per_pixel"))
    found, x = parameters(head), RNG.normal(size=(3, 2, 2, 1)).astype("float32")
    assert found["scale"].shape == (3, 2, 2, 1)
    expected = scipy.stats.norm.logpdf(x, **found).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(head(FEATURES).log_prob(x), expected, rtol=1e-4)


def test_a_scale_for_each_entry_starts_at_one_where_the_mean_is():
    head = heads.IndependentNormal((2,), scale="per_pixel")
    head.build((None, 5))
    head.adapt(np.array([3.0, -1.0]))
    np.testing.assert_allclose(head(ZEROS).mean()[0], [3.0, -1.0])
    np.testing.assert_allclose(head(ZEROS).stddev()[0], 1.0, rtol=1e-6)


@pytest.mark.parametrize("df", [3.0, "learned"])
def test_students_t_is_scipys(df):
    head = randomised(heads.StudentT((4,), df=df))
    found, x = parameters(head), RNG.normal(size=(3, 4)).astype("float32")
    expected = scipy.stats.t.logpdf(x, **found).sum(axis=1)
    likelihood = head(FEATURES)
    np.testing.assert_allclose(likelihood.log_prob(x), expected, rtol=1e-4)
    np.testing.assert_allclose(likelihood.mean(), found["loc"])
    noise = Noise(3, row=tf.range(3))
    ranks = noise.uniform(4).numpy()
    drawn = head.draw(likelihood, noise).z
    np.testing.assert_allclose(drawn, scipy.stats.t.ppf(ranks, **found), rtol=1e-3, atol=1e-3)


def test_degrees_of_freedom_begin_at_five():
    head = heads.StudentT((2,))
    head.build((None, 5))
    np.testing.assert_allclose(head.parameters(ZEROS)["df"], 5.0, rtol=1e-6)


# About 1/2, where the paper's formula is 0/0, and far from it.
LOGITS = np.array([0.0, 1e-7, -1e-5, 1e-3, -0.04, 0.7, -5.0, 40.0, -200.0])


def test_the_continuous_bernoulli_is_its_integral_over_zero_to_one():
    """log p(x) = l x - log integral of e^(l t), by quadrature in float64; the mean likewise."""
    head = heads.ContinuousBernoulli(LOGITS.shape)
    head.build((None, 5))
    head.bias.assign(LOGITS)
    most = np.maximum(LOGITS, 0.0)  # of l t, so that nothing overflows

    def moments(power):
        pairs = zip(LOGITS, most, strict=True)
        parts = [lambda t, k=k, m=m: t**power * np.exp(k * t - m) for k, m in pairs]
        return np.array([scipy.integrate.quad(part, 0.0, 1.0)[0] for part in parts])

    entries = head(ZEROS).distribution
    for x in (0.0, 0.25, 0.5, 1.0):
        expected = LOGITS * x - most - np.log(moments(0))
        got = entries.log_prob(np.full((1, len(LOGITS)), x, "float32"))[0]
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=3e-7)
    np.testing.assert_allclose(head(ZEROS).mean()[0], moments(1) / moments(0), rtol=1e-5)


def test_the_continuous_bernoulli_starts_at_the_training_mean():
    mean = np.array([0.0, 0.02, 0.4, 0.5, 0.97, 1.0])
    head = heads.ContinuousBernoulli(mean.shape)
    head.build((None, 5))
    head.adapt(mean)
    clipped = np.clip(mean, 0.001, 0.999)
    np.testing.assert_allclose(head(ZEROS).mean()[0], clipped, rtol=1e-4)


def test_draws_of_the_continuous_bernoulli_have_its_mean():
    head = heads.ContinuousBernoulli((3,))
    head.build((None, 5))
    head.bias.assign([-3.0, 0.0, 8.0])
    drawn = head.draw(head(ZEROS), Noise(1, tf.range(4000)[:, None], tf.range(1))).z
    # Standard deviations are at most 0.29: 4 standard errors of 4000 draws.
    np.testing.assert_allclose(np.mean(drawn, axis=0), head(ZEROS).mean(), atol=0.02)


class TestOptimalScale:
    """sigma^2 of sigma-VAE: of the batch in training, followed for all else."""

    X = RNG.normal(2.0, 3.0, size=(8, 6)).astype("float32")

    def model(self):
        keras.utils.set_random_seed(1)
        vae = tfvae.VAE(
            tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(2)),
            tfvae.Decoder(networks.MLP([4]), heads.IndependentNormal((6,), scale="optimal")),
            seed=3,
        )
        vae.build((None, 6))
        vae.compile("sgd", jit_compile=False)
        return vae

    def test_training_charges_the_least_nll_over_all_scales(self):
        vae = self.model()
        likelihood = vae.decoder(np.zeros((8, 2), "float32"), training=True)
        squares = np.square(self.X - likelihood.mean().numpy().astype("float64"))
        nll = -np.mean(likelihood.log_prob(self.X))
        sigma = np.sqrt(np.mean(squares))
        # At sigma^2 = the mean squared error: D / 2 (log 2 pi sigma^2 + 1).
        assert nll == pytest.approx(3 * (np.log(2 * np.pi * sigma**2) + 1), rel=1e-6)
        for other in (0.9 * sigma, 1.1 * sigma):
            logpdf = scipy.stats.norm.logpdf(np.sqrt(squares), scale=other)
            assert nll < -np.mean(logpdf.sum(axis=1))

    def test_its_gradient_is_that_of_the_least_nll(self):
        """Held constant or differentiated, the optimal sigma gives one gradient."""
        loc = tf.Variable(RNG.normal(size=(8, 6)).astype("float32"))
        head = self.model().decoder.head
        with tf.GradientTape(persistent=True) as tape:
            found = head.in_training(head.distribution(loc=loc, scale=tf.ones([8, 1])))
            held = -tf.reduce_mean(found.log_prob(self.X))
            least = 3.0 * tf.math.log(tf.reduce_mean(tf.square(self.X - loc)))
        np.testing.assert_allclose(
            tape.gradient(held, loc), tape.gradient(least, loc), rtol=1e-4, atol=1e-7
        )

    def test_all_else_uses_the_mean_of_the_batches_and_does_not_change_it(self, tmp_path):
        vae = self.model()
        head = vae.decoder.head
        assert float(head.variance) == 1.0
        errors = []
        for count in range(1, 4):
            likelihood = vae.decoder(RNG.normal(size=(8, 2)).astype("float32"), training=True)
            likelihood.log_prob(self.X)
            errors.append(np.mean(np.square(self.X - likelihood.mean())))
            assert float(head.variance) == pytest.approx(np.mean(errors), rel=1e-5)
            assert float(head.num_batches) == count
        vae.evaluate(self.X, verbose=0)
        vae.log_likelihood(self.X, num_samples=2, verbose=0)
        assert float(head.num_batches) == 3
        scale = vae.decoder(np.zeros((2, 2), "float32")).stddev()
        np.testing.assert_allclose(scale, np.sqrt(np.mean(errors)), rtol=1e-5)
        vae.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras").decoder.head
        assert (float(loaded.variance), float(loaded.num_batches)) == (float(head.variance), 3.0)

    def test_from_the_twentieth_batch_on_it_forgets(self):
        head = self.model().decoder.head
        head.num_batches.assign(1000.0)
        head.variance.assign(2.0)
        found = head.in_training(head.distribution(tf.zeros([1, 6]), tf.ones([1, 1])))
        found.log_prob(tf.fill([1, 6], 2.0))
        assert float(head.variance) == pytest.approx(2.0 + 0.05 * (4.0 - 2.0))

    def test_a_frozen_head_keeps_what_it_has(self):
        vae = self.model()
        vae.decoder.trainable = False
        vae.fit(self.X, verbose=0)
        assert (float(vae.decoder.head.variance), float(vae.decoder.head.num_batches)) == (1, 0)

    def test_it_finds_the_noise_of_data_that_z_explains(self):
        """x = noise of 0.5 about a constant, which the bias learns."""
        x = (4.0 + 0.5 * RNG.normal(size=(256, 6))).astype("float32")
        vae = self.model()
        vae.decoder.head.adapt(x.mean(axis=0))
        vae.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
        vae.fit(x, epochs=30, batch_size=64, verbose=0)
        assert np.sqrt(float(vae.decoder.head.variance)) == pytest.approx(0.5, abs=0.05)


def table():
    return heads.Product(
        {
            "real": heads.IndependentNormal((2,), scale="learned"),
            "bits": heads.IndependentBernoulli((1,)),
            "counts": heads.Poisson((2,)),
        }
    )


ROW = np.array([[0.5, -1.5, 1.0, 0.0, 3.0]], "float32")


def test_a_product_is_the_sum_of_its_likelihoods():
    head = randomised(table())
    found, x = parameters(head), np.repeat(ROW, 3, axis=0)
    real = scipy.stats.norm.logpdf(x[:, :2], found["real_loc"], found["real_scale"])
    bits = scipy.stats.bernoulli.logpmf(x[:, 2:3], 1 / (1 + np.exp(-found["bits_logits"])))
    counts = scipy.stats.poisson.logpmf(x[:, 3:], np.exp(found["counts_log_rate"]))
    expected = np.concatenate([real, bits, counts], axis=1).sum(axis=1)
    likelihood = head(FEATURES)
    np.testing.assert_allclose(likelihood.log_prob(x), expected, rtol=1e-5)
    rebuilt = head.from_outputs(head.outputs(head.parameters(FEATURES)))
    np.testing.assert_allclose(rebuilt.log_prob(x), expected, rtol=1e-5)
    assert likelihood.stddev().shape == likelihood.mean().shape == (3, 5)
    drawn = head.draw(likelihood, Noise(1, row=tf.range(3)))
    np.testing.assert_allclose(drawn.log_prob, likelihood.log_prob(drawn.z), rtol=1e-5)
    assert likelihood.sample(7, seed=1).shape == (7, 3, 5)


def test_a_product_adapts_each_part_to_its_own_columns():
    head = table()
    head.build((None, 5))
    head.adapt(np.array([1.0, -2.0, 0.25, 4.0, 0.5]))
    np.testing.assert_allclose(head(ZEROS).mean()[0], [1.0, -2.0, 0.25, 4.0, 0.5], rtol=1e-5)


@pytest.mark.parametrize(
    ("likelihoods", "message"),
    [
        ({}, "expected a dict of heads by name"),
        ([heads.Poisson((2,))], "expected a dict of heads by name"),
        ({"a": "poisson"}, r"likelihoods\['a'\] must be"),
        ({"a": heads.Poisson((2, 2))}, r"draws of shape \(2, 2\); expected vectors"),
        ({"a": heads.Poisson((2,)), "a_b": heads.Poisson((1,))}, "of which none begins another"),
    ],
)
def test_bad_products_are_refused(likelihoods, message):
    with pytest.raises((ValueError, TypeError), match=message):
        heads.Product(likelihoods)


@pytest.mark.parametrize(
    "bad",
    [{"df": 1.0}, {"df": "optimal"}, {"df": None}],
)
def test_bad_degrees_of_freedom_are_refused(bad):
    with pytest.raises(ValueError, match=r"df must be .*above 1"):
        heads.StudentT((2,), **bad)
