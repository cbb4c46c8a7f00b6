"""Refined posteriors and the two gaps against a linear-Gaussian model's own."""

import numpy as np
import pytest

from tests.evaluation.models import LinearGaussian, bits, digits_model, images
from tests.heads.test_discrete_heads import SIZE, bits_under
from tfvae import evaluation, priors
from tfvae.errors import UserError

QUIET = {"verbose": 0}


def best_gap(known, full):
    """The least KL(q || p(z|x)): 0 of a full q; of a diagonal one that of the precision's inverse.

    argmin over s of KL(N(m, diag(s^2)) || N(m, C)) has s_i^2 = 1 / (C^-1)_ii, which leaves
    1/2 (sum_i log (C^-1)_ii + log |C|).
    """
    precision = np.linalg.inv(known.C)
    log_det = np.linalg.slogdet(known.C)[1]
    return 0.0 if full else 0.5 * (np.log(np.diag(precision)).sum() + log_det)


@pytest.mark.parametrize("full", [False, True], ids=["diag", "tril"])
def test_the_two_gaps_of_a_linear_gaussian_model(full):
    known, x = LinearGaussian(full, shift=0.2, widen=1.3), images(8)
    result = evaluation.inference_gap(known.model, x, num_samples=2000, **QUIET)
    best, whole = best_gap(known, full), known.gap()
    assert whole > best + 1
    # The last steps of the optimiser leave 0.003 nats, 2,000 draws of log w a tenth of that; the
    # encoder's bound, its KL in closed form, is off by 0.05 for an example.
    np.testing.assert_allclose(result.approximation.per_example, best, atol=0.02)
    np.testing.assert_allclose(result.amortisation.mean, whole - best, atol=0.1)
    np.testing.assert_allclose(result.gap.mean, whole, atol=0.1)
    parts = result.approximation.per_example + result.amortisation.per_example
    np.testing.assert_allclose(parts, result.gap.per_example, atol=1e-9)
    exact = known.log_likelihood(x)
    np.testing.assert_allclose(result.likelihood.per_example, exact, atol=0.03)
    codes = (x.reshape(8, -1) - known.b) @ known.A.T
    error = (result.refined.codes - codes) / np.sqrt(np.diag(known.C))
    assert np.abs(error).max() < 0.2  # the start is off by 0.2 / 0.26 standard deviations and more
    assert np.sqrt(np.mean(error**2)) < 0.06


def test_a_likelihood_of_annealed_chains_takes_the_place_of_importance_sampling():
    known, x = LinearGaussian(full=True, latent_size=2, shift=0.2), images(4)
    annealed = evaluation.annealed_importance_sampling(known.model, x, 4, 20, **QUIET)
    options = {"num_samples": 50, "num_steps": 5, **QUIET}
    result = evaluation.inference_gap(known.model, x, annealed, **options)
    np.testing.assert_array_equal(
        result.approximation.per_example, annealed.per_example - result.refined.per_example
    )
    with pytest.raises(UserError, match="likelihood is of 4 examples and data has 3"):
        evaluation.inference_gap(known.model, x[:3], annealed, **options)


def test_an_example_is_refined_by_itself_whatever_its_batch():
    model, x = digits_model(2), bits(7)
    options = {"num_steps": 30, "num_samples": 20, **QUIET}
    result = evaluation.refine(model, x, **options)
    for other in (
        evaluation.refine(model, x, batch_size=3, **options),
        evaluation.refine(model, {"x": x[:5]}, **options),
    ):
        count = len(other.per_example)
        # Adam divides by the root of its second moment: rounding of 1e-7 grows in 30 steps.
        np.testing.assert_allclose(other.per_example, result.per_example[:count], atol=1e-3)
    assert result.mean > evaluation.elbo(model, x, 20).mean
    assert np.all(result.likelihood.per_example >= result.per_example - 1e-4)
    again = evaluation.refine(model, x, seed=1, **options)
    assert np.all(again.per_example != result.per_example)


def test_codes_of_bits_are_refused_by_name():
    model = bits_under(priors.BernoulliPrior(SIZE))
    with pytest.raises(UserError, match=r"refine\(\) moves z .* z is bits\. Use elbo\(\)"):
        evaluation.refine(model, np.ones((2, 2, 2, 1), "float32"), **QUIET)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"num_steps": 0}, "num_steps must be an integer of at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be a finite number above 0"),
        ({"step_samples": 0}, "step_samples must be an integer"),
        ({"num_samples": 0}, "num_samples must be an integer"),
    ],
)
def test_bad_arguments_are_refused(argument, message):
    with pytest.raises(UserError, match=message):
        evaluation.refine(digits_model(1), np.zeros((2, 8, 8, 1)), **argument)
