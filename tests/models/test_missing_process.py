"""Entries that are missing because of what they are: not-MIWAE against quadrature."""

import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

import tests.models.linear_missing as exact
import tests.models.missing_not_at_random as known
import tfvae
from tests.models.test_missing import MIXED, SAME, small
from tfvae import heads, missingness, objectives
from tfvae.errors import UserError, UserTypeError
from tfvae.uses import impute

pytestmark = pytest.mark.usefixtures("without_xla")

HOLES = known.HOLES


def self_masking(**options):
    model = exact.exact_model(missing_process=missingness.SelfMasking(), **options)
    model.missing_process.raw_weight.assign(known.WEIGHT)
    model.missing_process.bias.assign(known.BIAS)
    return model


def linear_masking():
    model = exact.exact_model(missing_process=missingness.LinearMasking())
    model.missing_process.kernel.assign(known.KERNEL)
    model.missing_process.bias.assign(known.BIAS)
    return model


PROCESSES = [(self_masking, known.self_masking), (linear_masking, known.linear_masking)]


@pytest.fixture(scope="module", params=PROCESSES, ids=lambda made: made[0].__name__)
def case(request):
    made, probability = request.param
    return made(), known.moments(probability)


def test_the_quadrature_is_scipys():
    mean, variance = (part[0] for part in exact.posterior(exact.X, exact.SAME))
    w = exact.W[HOLES]
    p = scipy.stats.multivariate_normal(
        w * mean + exact.B[HOLES], np.outer(w, w) * variance + exact.T**2 * np.eye(2)
    )

    def density(second, first):
        x = exact.X[0].astype("float64")
        x[HOLES] = first, second
        seen = known.self_masking(x)
        return p.pdf([first, second]) * np.prod(np.where(exact.PATTERN > 0, seen, 1 - seen))

    total, _ = scipy.integrate.dblquad(density, -12, 12, -12, 12, epsabs=1e-9)
    right = np.log(total) + exact.log_p(exact.X, exact.SAME)[0]
    assert known.moments(known.self_masking)[0][0] == pytest.approx(right, abs=1e-6)


def test_the_bound_of_many_draws_is_log_p_of_values_and_mask(case):
    """A standard error of log p is sqrt(1 / ESS - 1 / K)."""
    model, (log_p, _, _) = case
    draws = 20_000
    found = model.log_likelihood(SAME, num_samples=draws, verbose=0)
    error = np.sqrt(1 / found.effective_sample_size - 1 / draws)
    assert np.all(np.abs(found.per_example - log_p) < 4.5 * error + 1e-4)
    assert np.all(error < 0.03)  # were p(s|x) left out, it would be off by a nat or more
    assert np.all(np.abs(log_p - exact.log_p(exact.X, exact.SAME)) > 0.3)


def test_imputation_is_the_expectation_given_values_and_mask(case):
    model, (_, mean, variance) = case
    found = impute(model, SAME, num_samples=20_000, seed=1)
    size = model.log_likelihood(SAME, num_samples=20_000, verbose=0).effective_sample_size
    error = 5 * np.sqrt(variance / size[:, None])
    assert np.all(np.abs(found[:, HOLES] - mean) < error)
    at_random = exact.expected(exact.X, exact.SAME)[:, HOLES]
    assert np.mean(np.abs(mean - at_random) > 2 * error) > 0.5  # which it therefore is not


def test_several_fillings_have_the_mean_and_the_spread_given_values_and_mask():
    """400 draws each of 2000: what a filling chooses was weighed with the mask."""
    _, mean, variance = known.moments(known.self_masking)
    several = impute(self_masking(), SAME, num_samples=2000, multiple=400, seed=2)
    np.testing.assert_array_equal(several[:, exact.SAME > 0][0], exact.X[exact.SAME > 0])
    holes = several[:, :, HOLES]
    error = np.abs(holes.mean(axis=0) - mean)
    assert np.all(error < 5 * np.sqrt(variance * (1 / 400 + 1 / 500)))
    kurtosis = 4.0  # of these laws at most; of a Normal 3
    ratio = holes.var(axis=0, ddof=1) / variance
    assert np.all(np.abs(ratio - 1) < 5 * np.sqrt((kurtosis - 1) * (1 / 400 + 1 / 500)))


@pytest.mark.parametrize(
    ("objective", "least", "most"),
    [(objectives.ELBO(), -3.0, -0.05), (objectives.ImportanceWeighted(50), -0.1, 0.03)],
)
def test_objectives_bound_log_p_of_values_and_mask(objective, least, most):
    """Of 4800 examples; 0.03 nats are three standard errors of the mean."""
    log_p, _, _ = known.moments(known.self_masking)
    model = self_masking(objective=objective)
    data = {name: np.repeat(values, 400, axis=0) for name, values in SAME.items()}
    model.compile("sgd", jit_compile=False)
    found = model.evaluate(data, batch_size=4800, verbose=0, return_dict=True)
    assert least < -found["loss"] - log_p.mean() < most


def test_a_side_that_is_known_has_a_weight_of_its_sign():
    for hides, sign in (("large", -1), ("small", 1)):
        process = missingness.SelfMasking(hides)
        process.build((None, 3))
        process.raw_weight.assign([-3.0, 0.0, 3.0])
        assert np.all(np.sign(process.weight) == sign)
        np.testing.assert_allclose(
            process.weight, sign * np.log1p(np.exp([-3.0, 0.0, 3.0])), rtol=1e-5
        )


def test_training_finds_what_hides_values():
    """Of rows near a line two columns go missing where they are large: the holes are large."""
    rng = np.random.default_rng(1)
    w = np.array([1.0, -1.0, 1.5, 2.0, -1.0])
    x = (rng.normal(size=(400, 1)) * w + 0.5 * rng.normal(size=(400, 5))).astype("float32")
    x /= x.std(axis=0)
    seen = np.ones_like(x)
    seen[:, :2] = x[:, :2] < 0
    errors = {}
    for process in (None, missingness.SelfMasking("large")):
        model = small(
            head=heads.IndependentNormal((5,), scale="learned"),
            objective=objectives.ImportanceWeighted(5),
            missing_process=process,
        )
        keras.utils.set_random_seed(1)
        model.build((None, 5))
        model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
        model.fit({"x": x, "seen": seen}, batch_size=50, epochs=12, verbose=0)
        filled = impute(model, {"x": x, "seen": seen}, num_samples=50)
        errors[process is None] = np.mean(np.square(filled - x)[seen == 0])
    assert errors[False] < 0.8 * errors[True], errors


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"head": heads.Poisson((5,))}, "Poisson"),
        ({"head": heads.IndependentBernoulli((5,))}, "IndependentBernoulli"),
        ({"head": heads.IndependentNormal((5,), scale="optimal")}, "IndependentNormal"),
    ],
)
def test_likelihoods_without_differentiable_draws_are_refused_by_name(options, name):
    model = small(missing_process=missingness.SelfMasking(), **options)
    with pytest.raises(UserError, match=f"draws of what is missing.*{name}.*have none"):
        model.build((None, 5))


def test_what_evaluates_densities_of_a_given_code_is_refused_in_words():
    doubly = objectives.ImportanceWeighted(4, gradient="doubly_reparameterised")
    with pytest.raises(UserError, match='gradient is "pathwise"'):
        self_masking(objective=doubly)
    model = self_masking()
    evaluation = tfvae.evaluation
    for use in (evaluation.annealed_importance_sampling, evaluation.posterior_samples):
        with pytest.raises(UserError, match="estimated from draws along with z"):
            use(model, MIXED)


def test_bad_arguments_are_refused():
    with pytest.raises(UserTypeError, match="missing_process must be one of"):
        small(missing_process="self_masking")
    with pytest.raises(UserError, match="hides must be one of either, large, small"):
        missingness.SelfMasking("some")
    with pytest.raises(UserError, match=r"without logits\(\)"):
        missingness.MissingProcess()
