"""Log-densities of a part of x, against SciPy's of the entries that count."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp
from scipy.special import expit, log_softmax

from tfvae import heads
from tfvae.distributions.batch_scale import BatchScaleNormal
from tfvae.distributions.counted import counted_log_prob
from tfvae.errors import UserError

tfd = tfp.distributions
RNG = np.random.default_rng(0)
ROWS, SHAPE = 5, (2, 2, 1)
FEATURES = RNG.normal(size=(ROWS, 6)).astype("float32")
MASK = (RNG.random((ROWS, *SHAPE)) > 0.4).astype("float32")
BITS = (RNG.random((ROWS, *SHAPE)) > 0.5).astype("float32")
REALS = RNG.normal(size=(ROWS, *SHAPE)).astype("float32")
COUNTS = RNG.integers(0, 9, (ROWS, *SHAPE)).astype("float32")
LEVELS = (RNG.integers(0, 5, (ROWS, *SHAPE)) / 4).astype("float32")
UNIT = RNG.random((ROWS, *SHAPE)).astype("float32")


def bernoulli(x, logits):
    return scipy.stats.bernoulli.logpmf(x, expit(logits))


def normal(x, loc, scale):
    return scipy.stats.norm.logpdf(x, loc, scale)


def student_t(x, loc, scale, df):
    return scipy.stats.t.logpdf(x, df, loc, scale)


def poisson(x, log_rate):
    return scipy.stats.poisson.logpmf(x, np.exp(log_rate))


def negative_binomial(x, log_mean, log_total_count):
    r = np.exp(log_total_count)
    return scipy.stats.nbinom.logpmf(x, r, r / (r + np.exp(log_mean)))


def levels(x, logits):
    chosen = np.rint(4 * x).astype(int)[..., None]
    return np.take_along_axis(log_softmax(logits, -1), chosen, -1)[..., 0]


def continuous_bernoulli(x, logits):
    # The density is proportional to exp(l x) on [0, 1], whose integral is (e^l - 1) / l.
    return logits * x - np.log(np.expm1(logits) / logits)


def logistic_levels(x, logits, loc, scale):
    loc, scale, half = loc[..., 0, :], scale[..., 0, :], 0.125  # of the one channel, [N, H, W, K]
    upper = np.where(x > 1 - half, 1.0, expit((x + half - loc) / scale))
    lower = np.where(x < half, 0.0, expit((x - half - loc) / scale))
    return np.log(np.sum(np.exp(log_softmax(logits, -1)) * (upper - lower), -1, keepdims=True))


CASES = {
    "bernoulli": (heads.IndependentBernoulli(SHAPE), BITS, bernoulli),
    "normal": (heads.IndependentNormal(SHAPE, scale=0.7), REALS, normal),
    "normal_per_pixel": (heads.IndependentNormal(SHAPE, scale="per_pixel"), REALS, normal),
    "student_t": (heads.StudentT(SHAPE), REALS, student_t),
    "poisson": (heads.Poisson(SHAPE), COUNTS, poisson),
    "negative_binomial": (heads.NegativeBinomial(SHAPE), COUNTS, negative_binomial),
    "categorical": (heads.Categorical(SHAPE, num_levels=5), LEVELS, levels),
    "continuous_bernoulli": (heads.ContinuousBernoulli(SHAPE), UNIT, continuous_bernoulli),
    "logistic_mixture": (
        heads.DiscretisedLogisticMixture(SHAPE, 2, num_levels=5),
        LEVELS,
        logistic_levels,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_entries_that_count_are_scipys(name):
    head, x, entries = CASES[name]
    likelihood = head(FEATURES)
    parameters = {k: v.numpy().astype("float64") for k, v in head.parameters(FEATURES).items()}
    expected = np.sum(MASK * entries(x.astype("float64"), **parameters), axis=(1, 2, 3))
    found = head.log_prob_of(likelihood, x, MASK)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_all_entries_are_the_whole_and_none_are_nothing(name):
    head, x, _ = CASES[name]
    likelihood = head(FEATURES)
    whole = head.log_prob_of(likelihood, x)
    np.testing.assert_allclose(
        head.log_prob_of(likelihood, x, np.ones_like(x)), whole, rtol=2e-6, atol=2e-6
    )
    np.testing.assert_array_equal(head.log_prob_of(likelihood, x, np.zeros_like(x)), np.zeros(ROWS))


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_count_reaches_no_value_and_no_gradient(name):
    head, x, _ = CASES[name]
    holes = np.where(MASK > 0, x, np.nan).astype("float32")
    values, gradients = [], []
    for given in (x, holes):
        with tf.GradientTape() as tape:
            values.append(head.log_prob_of(head(FEATURES), given, MASK))
        gradients.append(tape.gradient(values[-1], head.trainable_variables))
    np.testing.assert_array_equal(*values)
    for first, second in zip(*gradients, strict=True):
        np.testing.assert_array_equal(first, second)
        assert np.all(np.isfinite(second))


def test_draws_of_z_share_a_mask():
    """Parameters `[S, B, ...]` beside x and its mask `[B, ...]`."""
    logits = RNG.normal(size=(3, ROWS, *SHAPE)).astype("float32")
    head = CASES["bernoulli"][0]
    found = head.log_prob_of(head.distribution(logits=logits), BITS, MASK)
    expected = np.sum(MASK * bernoulli(BITS, logits), axis=(2, 3, 4))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_colours_count_by_pixel():
    head = heads.DiscretisedLogisticMixture((2, 2, 3), 2, num_levels=5)
    assert head.mask_shape == (2, 2, 1)
    x = (RNG.integers(0, 5, (ROWS, 2, 2, 3)) / 4).astype("float32")
    likelihood = head(FEATURES)
    parts = [head.log_prob_of(likelihood, x, mask) for mask in (MASK, 1 - MASK)]
    np.testing.assert_allclose(np.add(*parts), likelihood.log_prob(x), rtol=1e-5)
    unseen = np.where(MASK > 0, x, 0.25).astype("float32")
    np.testing.assert_array_equal(head.log_prob_of(likelihood, unseen, MASK), parts[0])


def test_columns_of_several_kinds_count_each_for_itself():
    parts = {"real": heads.IndependentNormal((2,), scale=0.7), "counts": heads.Poisson((2,))}
    head = heads.Product(parts)
    likelihood, mask = head(FEATURES), MASK.reshape(ROWS, 4)
    x = np.concatenate([REALS.reshape(ROWS, 4)[:, :2], COUNTS.reshape(ROWS, 4)[:, 2:]], axis=1)
    given = {k: v.numpy() for k, v in head.parameters(FEATURES).items()}
    real = normal(x[:, :2], given["real_loc"], given["real_scale"])
    counts = poisson(x[:, 2:], given["counts_log_rate"])
    expected = np.sum(mask * np.concatenate([real, counts], axis=1), axis=1)
    np.testing.assert_allclose(head.log_prob_of(likelihood, x, mask), expected, rtol=1e-5)


def test_the_optimal_scale_is_that_of_the_entries_that_count():
    loc, noted = RNG.normal(size=REALS.shape).astype("float32"), []
    entries = tfd.Independent(tfd.Normal(loc, 1.0), 3)
    found = counted_log_prob(BatchScaleNormal(entries, noted.append, 1.0), REALS, MASK)
    variance = np.sum(MASK * (REALS - loc) ** 2) / np.sum(MASK)
    assert float(noted[0]) == pytest.approx(variance, rel=1e-5)
    expected = np.sum(MASK * normal(REALS, loc, np.sqrt(variance)), axis=(1, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("head", "x"),
    [
        (heads.Multinomial((4,)), COUNTS.reshape(ROWS, 4)),
        (heads.Product({"words": heads.Multinomial((4,))}), COUNTS.reshape(ROWS, 4)),
    ],
)
def test_entries_that_depend_on_each_other_are_refused(head, x):
    with pytest.raises(UserError, match=r"BagOfWords depend on each other.*IndependentNormal"):
        head.log_prob_of(head(FEATURES), x, MASK.reshape(ROWS, 4))


def test_a_normal_with_a_covariance_is_refused():
    rows = tfd.MultivariateNormalTriL(tf.zeros([ROWS, 2]), tf.eye(2))
    with pytest.raises(UserError, match="MultivariateNormalTriL depend on each other"):
        counted_log_prob(rows, tf.zeros([ROWS, 2]), tf.ones([ROWS, 2]))
    copies = tfd.Independent(tfd.MultivariateNormalDiag(tf.zeros([ROWS, 3, 2])), 1)
    with pytest.raises(UserError, match="MultivariateNormalDiag depend on each other"):
        counted_log_prob(copies, tf.zeros([ROWS, 3, 2]), tf.ones([ROWS, 3, 2]))
