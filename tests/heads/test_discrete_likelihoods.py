"""Likelihoods of levels and counts: sums over all there are, SciPy, and means by enumeration."""

import itertools

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from tfvae import heads
from tfvae.noise import Noise

RNG = np.random.default_rng(2)
FEATURES = RNG.normal(size=(3, 5)).astype("float32")


def randomised(head, size=1.0):
    head.build(FEATURES.shape)
    for weight in head.weights:
        weight.assign(size * RNG.normal(size=weight.shape))
    return head


def images_of(shape, levels):
    """Every image of a shape, `[levels ** pixels, *shape]`."""
    every = np.array(list(itertools.product(range(levels), repeat=int(np.prod(shape)))))
    return (every.reshape(-1, *shape) / (levels - 1)).astype("float32")


def masses(head, x):
    """P(x|z) of each row of features and each x, `[N, X]`."""
    return np.exp(head(FEATURES).log_prob(x[:, np.newaxis])).T.astype("float64")


def parameters(head):
    return {k: v.numpy().astype("float64") for k, v in head.parameters(FEATURES).items()}


@pytest.mark.parametrize(
    "head",
    [
        heads.Categorical((1, 2, 1), num_levels=7),
        heads.DiscretisedLogisticMixture((1, 2, 1), num_components=3, num_levels=7),
        heads.DiscretisedLogisticMixture((1, 1, 2), num_components=2, num_levels=7),
        heads.DiscretisedLogisticMixture((1, 1, 3), num_components=2, num_levels=5),
    ],
)
def test_the_probabilities_of_all_images_sum_to_one(head):
    randomised(head)
    shape, levels = head.event_shape, head.num_levels
    total = masses(head, images_of(shape, levels)).sum(axis=1)
    np.testing.assert_allclose(total, 1.0, rtol=2e-5)


def test_categorical_is_a_softmax_over_levels():
    head = randomised(heads.Categorical((2, 2, 1), num_levels=17))
    level = RNG.integers(0, 17, (3, 2, 2, 1))
    log_probs = scipy.special.log_softmax(parameters(head)["logits"], axis=-1)
    expected = np.take_along_axis(log_probs, level[..., None], axis=-1).sum(axis=(1, 2, 3, 4))
    likelihood = head(FEATURES)
    np.testing.assert_allclose(likelihood.log_prob((level / 16).astype("float32")), expected, 1e-5)
    probs, values = np.exp(log_probs), np.arange(17) / 16
    np.testing.assert_allclose(likelihood.mean(), probs @ values, rtol=1e-5)
    variance = probs @ values**2 - (probs @ values) ** 2
    np.testing.assert_allclose(likelihood.variance(), variance, rtol=1e-3)


def logistic_mixture(head, x):
    """log P(x) of one-pixel images in SciPy, as the paper has it: differences of sigmoids."""
    found = parameters(head)
    width, total = head.spacing, scipy.special.log_softmax(found["logits"][:, 0, 0], axis=-1)
    channels = head.event_shape[-1]
    for c in range(channels):
        loc, scale = found["loc"][:, 0, 0, c], found["scale"][:, 0, 0, c]
        for other in range(c):
            pair = c * (c - 1) // 2 + other
            loc = loc + found["coefficients"][:, 0, 0, pair] * (x[other] - 0.5)
        upper = np.inf if x[c] > 1 - width / 2 else x[c] + width / 2
        lower = -np.inf if x[c] < width / 2 else x[c] - width / 2
        logistic = scipy.stats.logistic(loc, scale)
        # Of the two differences, that which cancels less.
        mass = logistic.cdf(upper) - logistic.cdf(lower), logistic.sf(lower) - logistic.sf(upper)
        total = total + np.log(np.maximum(*mass))
    return scipy.special.logsumexp(total, axis=-1)


@pytest.mark.parametrize("channels", [1, 3])
def test_logistic_mixtures_are_differences_of_scipys_cdf(channels):
    """At both ends and between, channels given those before them."""
    head = randomised(heads.DiscretisedLogisticMixture((1, 1, channels), num_components=4))
    likelihood = head(FEATURES)
    for levels in ((0,) * channels, (255,) * channels, (3, 128, 255)[:channels], (254, 0, 1)):
        x = np.array(levels[:channels]) / 255
        got = likelihood.log_prob(np.full((3, 1, 1, channels), x, "float32"))
        np.testing.assert_allclose(got, logistic_mixture(head, x), rtol=1e-4)


def test_a_tiny_mass_of_a_level_is_no_infinity():
    """Far from every component, where a difference of float32 sigmoids would be 0."""
    head = heads.DiscretisedLogisticMixture((1, 1, 1), num_components=1)
    head.build((None, 5))
    bias = head.bias.numpy()
    bias[..., 1:] = (1.0, -4.0)  # at 1, with a scale of e^-6
    head.bias.assign(bias)
    log_prob = float(head(np.zeros((1, 5), "float32")).log_prob(np.full((1, 1, 1, 1), 0.2))[0])
    scale = np.exp(-6.0) + 0.1 / 255
    exact = (0.2 + 0.5 / 255 - 1.0) / scale + np.log(-np.expm1(-1 / 255 / scale))
    assert log_prob == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize(("shape", "levels"), [((1, 2, 1), 17), ((1, 1, 3), 9)])
def test_a_mixtures_mean_is_that_of_its_images(shape, levels):
    """Within 3 hundredths of a level: scales are above half a level, tails reach beyond the ends
    in all rows, and of three channels in few."""
    head = randomised(
        heads.DiscretisedLogisticMixture(shape, num_components=2, num_levels=levels), size=0.3
    )
    x = images_of(shape, levels)
    expected = np.einsum("nx,x...->n...", masses(head, x), x.astype("float64"))
    error = 0.03 if shape[-1] == 1 else 0.3
    np.testing.assert_allclose(head(FEATURES).mean(), expected, atol=error / (levels - 1))


COUNTS = np.arange(400, dtype="float32")[:, None, None]


@pytest.mark.parametrize("kind", [heads.Poisson, heads.NegativeBinomial])
def test_counts_equal_scipys(kind):
    head = randomised(kind((2,)), size=0.3)
    found, likelihood = parameters(head), head(FEATURES)
    if kind is heads.Poisson:
        scipys = scipy.stats.poisson(np.exp(found["log_rate"]))
    else:
        r, mean = np.exp(found["log_total_count"]), np.exp(found["log_mean"])
        scipys = scipy.stats.nbinom(r, r / (r + mean))
    expected = scipys.logpmf(COUNTS).sum(axis=-1)
    np.testing.assert_allclose(likelihood.log_prob(COUNTS), expected, rtol=2e-4, atol=1e-4)
    np.testing.assert_allclose(likelihood.mean(), scipys.mean(), rtol=1e-5)
    np.testing.assert_allclose(likelihood.variance(), scipys.var(), rtol=1e-4)
    entries = np.exp(likelihood.distribution.log_prob(COUNTS)).sum(axis=0)
    np.testing.assert_allclose(entries, 1.0, atol=2e-4)


@pytest.mark.parametrize("kind", [heads.Poisson, heads.NegativeBinomial])
def test_quantiles_of_counts_are_scipys(kind):
    head = randomised(kind((2,)))
    found, u = parameters(head), RNG.uniform(0.01, 0.99, (50, 3, 2))
    if kind is heads.Poisson:
        scipys = scipy.stats.poisson(np.exp(found["log_rate"]))
    else:
        r, mean = np.exp(found["log_total_count"]), np.exp(found["log_mean"])
        scipys = scipy.stats.nbinom(r, r / (r + mean))
    got = head(FEATURES).distribution.quantile(tf.constant(u, tf.float32))
    np.testing.assert_array_equal(got, scipys.ppf(u))


def test_a_bag_of_words_is_scipys_given_its_own_total():
    head = randomised(heads.Multinomial((3,), total_count=4))
    probs = scipy.special.softmax(parameters(head)["logits"], axis=-1)
    likelihood = head(FEATURES)
    for total in (0, 1, 4, 6):
        bags = [b for b in itertools.product(range(total + 1), repeat=3) if sum(b) == total]
        x = np.array(bags, "float32")[:, None]
        expected = [[scipy.stats.multinomial.logpmf(b, total, p) for p in probs] for b in bags]
        got = likelihood.log_prob(x)
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(np.exp(got).sum(axis=0), 1.0, rtol=1e-5)
        if total == 4:
            mean = np.einsum(
                "xn,xnv->nv", np.exp(expected), np.broadcast_to(x, (*x.shape[:1], 3, 3))
            )
            np.testing.assert_allclose(likelihood.mean(), mean, rtol=1e-5)


@pytest.mark.parametrize(
    "head",
    [
        heads.Categorical((1, 2, 1), num_levels=5),
        heads.DiscretisedLogisticMixture((1, 2, 1), num_components=2, num_levels=5),
        heads.DiscretisedLogisticMixture((1, 1, 3), num_components=2, num_levels=5),
        heads.Poisson((2,)),
        heads.NegativeBinomial((2,)),
        heads.Multinomial((3,), total_count=3),
    ],
    ids=lambda head: f"{type(head).__name__}{head.event_shape}",
)
def test_draws_come_from_noise_and_have_the_probabilities_of_their_frequencies(head):
    """4000 draws: a frequency is within 4 of its standard errors of at most 0.008."""
    likelihood = randomised(head, size=0.5)(FEATURES)
    noise = Noise(3, tf.range(4000)[:, None], tf.range(3))
    draws, again = head.draw(likelihood, noise), head.draw(likelihood, noise)
    np.testing.assert_array_equal(draws.z, again.z)
    np.testing.assert_allclose(draws.log_prob, likelihood.log_prob(draws.z))
    rows = draws.z.numpy()[:, 0].reshape(4000, -1)
    values, counts = np.unique(rows, axis=0, return_counts=True)
    x = values.reshape(-1, 1, *head.event_shape)
    mass = np.exp(likelihood.log_prob(np.repeat(x, 3, axis=1)))[:, 0]
    np.testing.assert_allclose(counts / 4000, mass, atol=0.032)
    sampled = likelihood.sample(2000, seed=(1, 2)).numpy()[:, 0].reshape(2000, -1)
    # The means of 4000 and 2000 draws, 4 standard errors apart at most.
    apart = 4 * rows.std(axis=0) * np.sqrt(1 / 4000 + 1 / 2000) + 1e-6
    assert np.all(np.abs(sampled.mean(axis=0) - rows.mean(axis=0)) < apart)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (heads.Categorical, {"num_levels": 1}, "num_levels must be an integer of at least 2"),
        (heads.DiscretisedLogisticMixture, {"num_levels": 1.5}, "num_levels must be an integer"),
        (heads.DiscretisedLogisticMixture, {"num_components": 0}, "num_components must be"),
        (heads.Multinomial, {"event_shape": (4, 4, 1)}, r"expected \(V,\): a count for each"),
        (heads.Multinomial, {"event_shape": (1,)}, r"expected \(V,\): a count for each"),
        (heads.Multinomial, {"event_shape": (3,), "total_count": 0}, "total_count must be"),
        (heads.DiscretisedLogisticMixture, {"event_shape": (9,)}, r"expected \(H, W, C\)"),
    ],
)
def test_bad_arguments_are_refused(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**{"event_shape": (2, 2, 1), **arguments})


@pytest.mark.parametrize(
    ("head", "mean"),
    [
        (heads.Categorical((2, 1, 1), num_levels=17), [0.2, 0.7]),
        (heads.Poisson((2,)), [0.2, 7.0]),
        (heads.NegativeBinomial((2,)), [0.2, 7.0]),
        (heads.DiscretisedLogisticMixture((2, 1, 1), num_levels=17), [0.4, 0.6]),
        (heads.Multinomial((2,)), [0.3, 0.7]),
    ],
)
def test_adapt_starts_at_the_training_mean(head, mean):
    mean = np.reshape(mean, head.event_shape)
    head.build((None, 5))
    head.adapt(mean)
    # The mixture's tails beyond the ends count as the ends, which moves its mean.
    error = 0.02 if head.event_shape == (2, 1, 1) else 1e-3
    np.testing.assert_allclose(head(np.zeros((1, 5), "float32")).mean()[0], mean, atol=error)
