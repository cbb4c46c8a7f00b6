"""log p(x) against a linear-Gaussian model, whose likelihood SciPy knows, and against itself."""

import numpy as np
import pytest
import tensorflow as tf

from tests.evaluation.models import SHAPE, LinearGaussian, bits, digits_model, images
from tfvae import evaluation
from tfvae.distributions.draws import draw
from tfvae.evaluation import importance
from tfvae.noise import example_noise, example_seeds

QUIET = {"verbose": 0}


def monte_carlo_error(result):
    """Standard error of each example's estimate: the relative one of the mean weight."""
    return np.sqrt(1 / result.effective_sample_size - 1 / result.num_samples)


@pytest.mark.parametrize("full", [False, True])
def test_log_likelihood_of_a_linear_gaussian_model(full):
    """Each of 20 examples within 4.5 Monte Carlo errors, and 1e-3 for float32."""
    known, x = LinearGaussian(full, shift=0.1, widen=1.2), images(20)
    result = evaluation.log_likelihood(known.model, x, num_samples=5000, **QUIET)
    error = np.abs(result.per_example - known.log_likelihood(x))
    assert np.all(error < 4.5 * monte_carlo_error(result) + 1e-3)
    assert error.max() < 0.1
    assert result.per_example.shape == result.effective_sample_size.shape == (20,)
    assert 1000 < result.mean_effective_sample_size < 5000


def test_one_draw_is_exact_where_the_posterior_is():
    """p(x, z) / p(z|x) = p(x) whatever z is: tests every constant of every density."""
    known, x = LinearGaussian(full=True), images(20)
    for num_samples in (1, 10):
        result = evaluation.log_likelihood(known.model, x, num_samples, **QUIET)
        # Log-densities of 16 pixels, about 20 nats each, in float32.
        np.testing.assert_allclose(result.per_example, known.log_likelihood(x), atol=1e-3)
        np.testing.assert_allclose(result.effective_sample_size, num_samples, rtol=1e-4)


def test_naive_estimate_of_a_linear_gaussian_model():
    """Far more draws are needed: 50,000 for what 1,000 from the posterior give."""
    known, x = LinearGaussian(full=True, latent_size=2, widen=1.2), images(10)
    exact = known.log_likelihood(x)
    result = evaluation.naive_log_likelihood(known.model, x, 50_000, **QUIET)
    # A far example has few effective draws, and an error that is not Normal: 5 and a floor.
    assert np.all(np.abs(result.per_example - exact) < 5 * monte_carlo_error(result) + 1e-3)
    posterior = evaluation.log_likelihood(known.model, x, 1000, **QUIET)
    assert np.max(monte_carlo_error(posterior)) < np.max(monte_carlo_error(result))


@pytest.mark.parametrize("full", [False, True])
def test_elbo_is_below_by_the_exact_divergence(full):
    known, x = LinearGaussian(full, shift=0.2, widen=1.3), images(20)
    result = evaluation.elbo(known.model, x, num_samples=5000)
    exact = known.log_likelihood(x)
    assert known.gap() > 0.1
    # The spread of log p(x|z) over draws is at most 5 nats here: 4.5 * 5 / sqrt(5000) = 0.3.
    assert np.all(np.abs(exact - result.per_example - known.gap()) < 0.3)
    assert abs(np.mean(exact - result.per_example) - known.gap()) < 0.3 / np.sqrt(20)
    np.testing.assert_allclose(result.per_example, -result.nll - result.kl)


def test_the_bound_rises_with_the_number_of_samples():
    known, x = LinearGaussian(full=False, shift=0.3, widen=1.5), images(200)
    means = [evaluation.log_likelihood(known.model, x, k, **QUIET).mean for k in (1, 20, 2000)]
    exact = np.mean(known.log_likelihood(x))
    assert means == sorted(means)
    assert means[0] < exact - 0.3
    assert abs(means[-1] - exact) < 0.02


def test_exactly_the_draws_asked_for_whatever_the_chunk(monkeypatch):
    """K = 1, 13 and 64 in chunks of at most 5 equal one formula over K draws."""
    known, x = LinearGaussian(full=True, shift=0.3, widen=1.5), images(3)
    posterior, prior = known.model.encoder(x), known.model.prior.distribution()
    z, log_q = draw(posterior, example_noise(example_seeds(9, 0, 3), 0, 64))
    weights = prior.log_prob(z) + known.model.decoder(z).log_prob(x) - log_q
    weights = weights.numpy().astype("float64")
    monkeypatch.setattr(importance, "NUMBERS_AT_ONCE", 5 * 3 * 16)
    for count in (1, 13, 64):
        assert importance.chunk_size(count, 3, 16) <= 5
        result = evaluation.log_likelihood(known.model, x, count, seed=9, **QUIET)
        drawn = np.exp(weights[:count])
        np.testing.assert_allclose(result.per_example, np.log(drawn.mean(0)), atol=1e-3)
        expected = drawn.sum(0) ** 2 / (drawn**2).sum(0)
        np.testing.assert_allclose(result.effective_sample_size, expected, rtol=1e-3)


def test_seeds_batch_sizes_and_data_sets():
    known, x = LinearGaussian(full=True, shift=0.3), images(11)
    run = {"num_samples": 50, **QUIET}
    first = evaluation.log_likelihood(known.model, x, seed=3, **run).per_example
    same = evaluation.log_likelihood(known.model, x, seed=3, **run).per_example
    other = evaluation.log_likelihood(known.model, x, seed=4, **run).per_example
    np.testing.assert_array_equal(first, same)
    assert np.all(first != other)
    small = evaluation.log_likelihood(known.model, x, seed=3, batch_size=4, **run).per_example
    np.testing.assert_allclose(small, first, atol=1e-3)
    dataset = tf.data.Dataset.from_tensor_slices(x).batch(3)
    streamed = known.model.log_likelihood(dataset, seed=3, batch_size=5, **run).per_example
    np.testing.assert_allclose(streamed, first, atol=1e-3)


def test_examples_have_independent_draws_and_the_error_that_their_weights_say():
    """400 copies of one image: their estimates spread by sqrt(1 / ESS - 1 / K), within 15 %."""
    known = LinearGaussian(full=False, shift=0.1, widen=1.2)
    copies = np.repeat(images(1), 400, axis=0)
    result = evaluation.log_likelihood(known.model, copies, 1000, **QUIET)
    predicted = np.mean(monte_carlo_error(result))
    # A standard deviation of 400 values has a relative error of 3.5 %.
    np.testing.assert_allclose(np.std(result.per_example), predicted, rtol=0.15)


def test_standard_error_is_the_spread_of_means():
    """Over 4,000 data sets of 25 values, of a skewed law; s is a little low on average there."""
    values = np.random.default_rng(0).gamma(2.0, size=(4000, 25))
    results = [evaluation.Estimate(row, 1) for row in values]
    spread = np.std([result.mean for result in results])
    errors = np.array([result.standard_error for result in results])
    np.testing.assert_allclose(np.sqrt(np.mean(errors**2)), spread, rtol=0.04)
    assert np.isnan(evaluation.Estimate(values[0, :1], 1).standard_error)
    assert "25 examples" in repr(results[0])


def test_an_estimated_kl_with_a_prior_that_has_no_closed_form():
    """A mixture of one standard Normal is that Normal, with the KL estimated: 4.5 errors."""
    from tfvae.priors import MixtureOfGaussians

    x = bits(30)
    mixture = digits_model(2, prior=MixtureOfGaussians(2, num_components=1))
    mixture.prior.loc.assign(tf.zeros((1, 2)))
    closed = evaluation.elbo(digits_model(2), x, 2000)
    estimated = evaluation.elbo(mixture, x, 2000)
    np.testing.assert_allclose(np.mean(estimated.kl), np.mean(closed.kl), atol=0.02)
    naive = evaluation.naive_log_likelihood(mixture, x, 2000, **QUIET).mean
    assert abs(naive - evaluation.log_likelihood(mixture, x, 2000, **QUIET).mean) < 0.05


def test_the_objective_does_not_matter():
    from tfvae import VAE
    from tfvae.objectives import ELBO

    known, x = LinearGaussian(full=False), images(5)
    encoder, decoder = known.model.encoder, known.model.decoder
    weighted = VAE(encoder, decoder, objective=ELBO(kl_weight=7.0))
    weighted.build((None, *SHAPE))
    expected = evaluation.elbo(known.model, x).per_example
    np.testing.assert_array_equal(evaluation.elbo(weighted, x).per_example, expected)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (images(3)[..., 0], ValueError, "rank 3"),
        (images(3, (5, 4, 1)), ValueError, "examples of shape"),
        (np.full((3, *SHAPE), np.nan, "float32"), ValueError, "NaN"),
        (images(3)[:0], ValueError, "empty"),
        ([[1.0]], TypeError, "expected an array"),
        (tf.data.Dataset.from_tensors(images(3)).repeat(), ValueError, "endless"),
        (tf.data.Dataset.from_tensors(images(3)).take(0), ValueError, "single batch"),
    ],
)
def test_bad_data_are_refused(data, error, message):
    with pytest.raises(error, match=message):
        evaluation.log_likelihood(LinearGaussian(True).model, data, 2, **QUIET)


def test_what_the_likelihood_does_not_support_is_refused():
    """A Normal likelihood takes any real number, a Bernoulli one none beyond [0, 1]."""
    evaluation.log_likelihood(LinearGaussian(True).model, images(3) * 2 - 1, 2, **QUIET)
    with pytest.raises(ValueError, match="divide by 255"):
        evaluation.log_likelihood(digits_model(2), bits(3) * 255, 2, **QUIET)


def test_bad_arguments_and_diverged_models_are_refused():
    model, x = LinearGaussian(False).model, images(3)
    for name in ("num_samples", "batch_size"):
        with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1"):
            evaluation.log_likelihood(model, x, **{name: 0}, **QUIET)
    model.decoder.head.bias.assign(np.full(SHAPE, np.nan))
    with pytest.raises(FloatingPointError, match="3 of 3 estimates are NaN"):
        evaluation.log_likelihood(model, x, 2, **QUIET)


def test_an_unbuilt_model_is_refused():
    from tfvae import VAE, Decoder, Encoder, heads, networks

    model = VAE(
        Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(2)),
        Decoder(networks.MLP([4]), heads.IndependentBernoulli(SHAPE)),
    )
    with pytest.raises(RuntimeError, match=r"not built.*build\(\(None, 4, 4, 1\)\)"):
        evaluation.elbo(model, images(3))


def test_progress_counts_images(capsys):
    evaluation.log_likelihood(LinearGaussian(False).model, images(5), 2, batch_size=2, verbose=1)
    assert "5/5" in capsys.readouterr().out
