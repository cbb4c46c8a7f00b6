"""Discrete and relaxed latents: SciPy's densities, sums over all codes, quadrature, frequencies."""

import itertools

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae import VAE, Decoder, Encoder, evaluation, heads, networks, objectives, priors
from tfvae.errors import UserError
from tfvae.noise import Noise

SIZE, ROWS, WIDTH, DRAWS = 6, 4, 5, 20_000
FEATURES = np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype("float32")
LOGITS = np.random.default_rng(2).normal(size=(2, 3))
CODES = np.array(list(itertools.product([0.0, 1.0], repeat=SIZE)), "float32")
ONE_HOTS = np.array(
    [np.eye(3)[list(picks)].ravel() for picks in itertools.product(range(3), repeat=2)], "float32"
)


def posterior(head):
    """q of features, the logits `[ROWS, SIZE]` by NumPy, from weights that are moved."""
    head.build((None, WIDTH))
    kernel, bias = head.projection.weights
    rng = np.random.default_rng(3)
    kernel.assign(0.5 * rng.normal(size=kernel.shape))
    bias.assign(rng.normal(size=bias.shape))
    return head(FEATURES), FEATURES.astype("float64") @ kernel.numpy() + bias.numpy()


def with_logits(prior, logits):
    prior.build(None)
    prior.logits.assign(logits)
    return prior


def draws(head, q):
    return head.draw(q, Noise(1, stream=tf.range(DRAWS)[:, None], row=tf.range(ROWS)))


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def test_bits_have_scipys_probabilities():
    q, logits = posterior(heads.LatentBernoulli(SIZE))
    probs = 1 / (1 + np.exp(-logits))
    expected = scipy.stats.bernoulli.logpmf(CODES[:, None], probs).sum(axis=-1)
    np.testing.assert_allclose(q.log_prob(CODES[:, None]), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(q.mean(), probs, rtol=1e-5)
    np.testing.assert_allclose(np.exp(expected).sum(axis=0), 1.0)


def test_one_hot_vectors_have_the_probabilities_of_their_categories():
    q, logits = posterior(heads.LatentCategorical(SIZE, num_categories=3))
    probs = softmax(logits.reshape(ROWS, 2, 3))
    expected = np.log(
        [[row[0, a] * row[1, b] for row in probs] for a in range(3) for b in range(3)]
    )
    np.testing.assert_allclose(q.log_prob(ONE_HOTS[:, None]), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(q.mean(), probs.reshape(ROWS, SIZE), rtol=1e-5)
    deviations = np.sqrt(probs * (1 - probs)).reshape(ROWS, SIZE)
    np.testing.assert_allclose(q.stddev(), deviations, rtol=1e-4)


@pytest.mark.parametrize(
    ("head", "prior", "codes"),
    [
        (heads.LatentBernoulli(SIZE), priors.BernoulliPrior(SIZE), CODES),
        (heads.LatentCategorical(SIZE, 3), priors.CategoricalPrior(SIZE, 3), ONE_HOTS),
    ],
)
def test_the_closed_kl_is_the_sum_over_all_codes(head, prior, codes):
    q, _ = posterior(head)
    p = with_logits(prior, LOGITS.reshape(prior_shape(prior))).distribution()
    log_q = q.log_prob(codes[:, None]).numpy().astype("float64")
    log_p = p.log_prob(codes[:, None]).numpy().astype("float64")
    np.testing.assert_allclose(np.exp(log_q).sum(axis=0), 1.0, rtol=1e-5)
    summed = (np.exp(log_q) * (log_q - log_p)).sum(axis=0)
    np.testing.assert_allclose(tfp.distributions.kl_divergence(q, p), summed, rtol=1e-4)


def prior_shape(prior):
    return (SIZE,) if isinstance(prior, priors.BernoulliPrior) else (2, 3)


@pytest.mark.parametrize(
    "head", [heads.LatentBernoulli(SIZE), heads.LatentCategorical(SIZE, num_categories=3)]
)
def test_draws_have_the_frequencies_of_their_probabilities(head):
    q, _ = posterior(head)
    drawn = draws(head, q)
    z, probs = drawn.z.numpy(), q.mean().numpy()
    assert set(np.unique(z)) == {0.0, 1.0}
    error = np.sqrt(probs * (1 - probs) / DRAWS)
    assert np.all(np.abs(z.mean(axis=0) - probs) < 4.5 * error)
    np.testing.assert_allclose(drawn.log_prob[:50], q.log_prob(z[:50]), rtol=1e-5)


def test_relaxed_bits_are_scipys_logistic():
    head = heads.RelaxedBernoulli(SIZE, temperature=0.4)
    q, logits = posterior(head)
    z = np.random.default_rng(4).normal(size=(7, ROWS, SIZE)).astype("float32")
    expected = scipy.stats.logistic.logpdf(z, logits / 0.4, 1 / 0.4).sum(axis=-1)
    np.testing.assert_allclose(q.log_prob(z), expected, rtol=1e-4, atol=1e-4)
    drawn = draws(head, q).z.numpy()
    for row, i in itertools.product(range(ROWS), range(2)):
        law = scipy.stats.logistic(logits[row, i] / 0.4, 1 / 0.4)
        assert scipy.stats.kstest(drawn[:, row, i], law.cdf).pvalue > 1e-3


def test_two_relaxed_categories_are_a_relaxed_bit_of_their_log_ratio():
    head = heads.RelaxedCategorical(SIZE, num_categories=2, temperature=0.4)
    q, logits = posterior(head)
    ratio = np.random.default_rng(5).normal(size=(7, ROWS, 3))
    z = np.stack([-np.logaddexp(0, -ratio), -np.logaddexp(0, ratio)], axis=-1)
    z = z.reshape(7, ROWS, SIZE).astype("float32")
    loc = (logits[:, 0::2] - logits[:, 1::2]) / 0.4
    expected = scipy.stats.logistic.logpdf(ratio, loc, 1 / 0.4).sum(axis=-1)
    np.testing.assert_allclose(q.log_prob(z), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_the_density_of_three_relaxed_categories_integrates_to_one(temperature):
    """By the trapezium rule over both log-ratios to the last category."""
    prior = priors.RelaxedCategoricalPrior(3, num_categories=3, temperature=temperature)
    p = with_logits(prior, LOGITS[:1]).distribution()
    axis = np.linspace(-60, 60, 1201)
    ratios = np.stack([*np.meshgrid(axis, axis, indexing="ij"), np.zeros((1201, 1201))], axis=-1)
    z = ratios - np.logaddexp.reduce(ratios, axis=-1, keepdims=True)
    total = np.exp(p.log_prob(z.astype("float32")).numpy().astype("float64")).sum()
    assert total * (axis[1] - axis[0]) ** 2 == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("temperature", [0.1, 2.0])
def test_the_largest_relaxed_category_is_drawn_as_the_category(temperature):
    """Gumbel's maximum has the categorical's law at each temperature (Maddison 2017, prop. 1)."""
    head = heads.RelaxedCategorical(SIZE, num_categories=3, temperature=temperature)
    q, logits = posterior(head)
    z = draws(head, q).z.numpy().reshape(DRAWS, ROWS, 2, 3)
    np.testing.assert_allclose(np.exp(z.astype("float64")).sum(axis=-1), 1.0, rtol=1e-4)
    probs = softmax(logits.reshape(ROWS, 2, 3))
    found = np.eye(3)[z.argmax(axis=-1)].mean(axis=0)
    assert np.all(np.abs(found - probs) < 4.5 * np.sqrt(probs * (1 - probs) / DRAWS))


@pytest.mark.parametrize(
    "make",
    [heads.RelaxedBernoulli, lambda size, **given: heads.RelaxedCategorical(size, 3, **given)],
)
def test_straight_through_shows_bits_with_the_gradient_of_the_relaxation(make):
    soft, hard = make(SIZE, temperature=0.7), make(SIZE, temperature=0.7, straight_through=True)
    z = draws(soft, posterior(soft)[0]).z[:9]
    weights = tf.constant(np.random.default_rng(6).normal(size=SIZE), tf.float32)
    gradients = []
    for head in (soft, hard):
        with tf.GradientTape() as tape:
            tape.watch(z)
            seen = head.embedded(z)
            worth = tf.reduce_sum(seen * weights)
        gradients.append(tape.gradient(worth, z).numpy())
        if head is hard:
            assert set(np.unique(seen)) == {0.0, 1.0}
            relaxed = soft.embedded(z).numpy()
            nearest = np.round if make is heads.RelaxedBernoulli else one_hot_of
            np.testing.assert_array_equal(seen, nearest(relaxed))
    np.testing.assert_array_equal(*gradients)
    assert np.all(gradients[0] != 0)


def one_hot_of(relaxed):
    blocks = relaxed.reshape(-1, 2, 3)
    return np.eye(3)[blocks.argmax(axis=-1)].reshape(relaxed.shape)


def test_relaxed_bits_at_a_low_temperature_are_worth_what_bits_are():
    """log p(x) by importance sampling, against the sum over all codes of the discrete model."""
    x = (np.random.default_rng(7).random((3, 2, 2, 1)) > 0.5).astype("float32")

    def model(head, prior, **given):
        decoder = Decoder(networks.MLP([8]), heads.IndependentBernoulli((2, 2, 1)))
        made = VAE(Encoder(networks.MLP([8]), head), decoder, prior=prior, seed=1, **given)
        made.build((None, 2, 2, 1))
        return made

    bits = model(
        heads.LatentBernoulli(SIZE),
        priors.BernoulliPrior(SIZE),
        objective=objectives.ELBO(gradient="score_function"),
    )
    relaxed = model(
        heads.RelaxedBernoulli(SIZE, temperature=0.01),
        priors.RelaxedBernoulliPrior(SIZE, temperature=0.01),
    )
    for mine, theirs in ((bits.encoder, relaxed.encoder), (bits.decoder, relaxed.decoder)):
        for a, b in zip(theirs.weights, mine.weights, strict=True):
            a.assign(b)
    codes = bits.decoder(CODES).log_prob(x[:, None]).numpy().astype("float64")
    exact = np.logaddexp.reduce(codes, axis=1) - SIZE * np.log(2)
    z = relaxed.prior.generate(Noise(3, row=tf.range(DRAWS)))
    seen = relaxed.decoder(relaxed.decoder_inputs(z, {}))
    weights = np.exp(seen.log_prob(x[:, None]).numpy().astype("float64"))
    error = weights.std(axis=1) / np.sqrt(DRAWS) / weights.mean(axis=1)
    assert np.all(np.abs(np.log(weights.mean(axis=1)) - exact) < 4.5 * error + 0.01)


def bits_under(prior, head=None):
    decoder = Decoder(networks.MLP([8]), heads.IndependentBernoulli((2, 2, 1)))
    encoder = Encoder(networks.MLP([8]), head or heads.LatentBernoulli(SIZE))
    objective = objectives.ELBO(gradient="score_function")
    model = VAE(encoder, decoder, prior=prior, objective=objective, seed=1)
    model.build((None, 2, 2, 1))
    return model


@pytest.mark.parametrize(
    ("head", "prior", "message"),
    [
        (heads.LatentBernoulli(6), priors.StandardNormal(6), "over bits, .* over real numbers"),
        (heads.LatentBernoulli(6), priors.RelaxedBernoulliPrior(6), "over bits, .* real numbers"),
        (heads.RelaxedBernoulli(6), priors.BernoulliPrior(6), "over real numbers, .* over bits"),
        (heads.LatentCategorical(6, 3), priors.CategoricalPrior(6, 2), "of 3 .* of 2 categories"),
        (heads.RelaxedCategorical(6, 3), priors.StandardNormal(6), "relaxed one-hot .* real"),
    ],
)
def test_a_prior_over_something_else_is_refused(head, prior, message):
    with pytest.raises(UserError, match=message):
        bits_under(prior, head)


def test_log_odds_may_have_a_normal_prior():
    """They are real numbers: the KL is estimated."""
    model = bits_under(priors.StandardNormal(SIZE), heads.RelaxedBernoulli(SIZE))
    model.compile("sgd")
    x = np.ones((4, 2, 2, 1), "float32")
    assert np.isfinite(model.evaluate(x, return_dict=True, verbose=0)["kl"])


def test_annealing_refuses_bits_with_the_remedy():
    model = bits_under(priors.BernoulliPrior(SIZE))
    with pytest.raises(UserError, match=r"this model's z is bits\. Use log_likelihood"):
        evaluation.annealed_importance_sampling(model, np.ones((2, 2, 2, 1), "float32"))


@pytest.mark.parametrize(
    "objective",
    [
        lambda: objectives.ELBO(),
        lambda: objectives.ELBO(gradient="sticking_the_landing"),
        lambda: objectives.ImportanceWeighted(3),
        lambda: objectives.ImportanceWeighted(3, gradient="doubly_reparameterised"),
        lambda: objectives.ControlledCapacity(),
    ],
)
@pytest.mark.parametrize(
    ("head", "prior"),
    [
        (lambda: heads.LatentBernoulli(6), lambda: priors.BernoulliPrior(6)),
        (lambda: heads.LatentCategorical(6, 3), lambda: priors.CategoricalPrior(6, 3)),
    ],
)
def test_a_gradient_that_follows_z_is_refused_with_the_remedies(head, prior, objective):
    made = objective()
    with pytest.raises(UserError) as refused:
        VAE(
            Encoder(networks.MLP([4]), head()),
            Decoder(networks.MLP([4]), heads.IndependentBernoulli((2,))),
            prior(),
            made,
        )
    message = str(refused.value)
    assert f"{type(made).__name__} follows the gradient through z, and the draws of La" in message
    assert "heads.RelaxedBernoulli" in message
    assert 'objectives.ELBO(gradient="score_function")' in message


COLD = "temperature must be a finite number above 0"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: heads.LatentCategorical(7, num_categories=3), "not a multiple of num_categories"),
        (lambda: heads.LatentCategorical(7, num_categories=1), "at least 2"),
        (lambda: priors.CategoricalPrior(7, num_categories=3), "not a multiple"),
        (lambda: heads.RelaxedBernoulli(3, temperature=0.0), COLD),
        (lambda: heads.RelaxedCategorical(6, 3, temperature=-1.0), COLD),
        (lambda: priors.RelaxedBernoulliPrior(3, temperature=0), COLD),
        (lambda: priors.RelaxedCategoricalPrior(6, 3, temperature=0), COLD),
    ],
)
def test_bad_sizes_and_temperatures_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()
