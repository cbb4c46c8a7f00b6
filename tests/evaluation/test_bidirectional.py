"""Bounds from both sides against the exact log p(x) of a linear-Gaussian model."""

import numpy as np
import pytest

from tests.evaluation.models import SHAPE, LinearGaussian, digits_model
from tests.heads.test_discrete_heads import SIZE, bits_under
from tfvae import evaluation, priors
from tfvae.errors import UserError, UserRuntimeError


@pytest.mark.parametrize("start", ["prior", "posterior"])
def test_the_exact_likelihood_lies_between_and_the_gap_shrinks(start):
    known = LinearGaussian(full=True, latent_size=2, shift=0.5, widen=1.5)
    gaps = []
    for num_steps in (2, 300):
        found = evaluation.bidirectional(
            known.model, 40, 8, num_steps, step_size=0.6, start=start, batch_size=16
        )
        x = found.data["x"]
        assert x.shape == (40, *SHAPE)
        exact = known.log_likelihood(x)
        below, above = exact - found.lower.per_example, found.upper.per_example - exact
        for off in (below, above):  # above 0 in expectation: 3.5 standard errors over examples
            assert off.mean() > -3.5 * off.std() / np.sqrt(40)
        np.testing.assert_allclose(found.gap.per_example, above + below, atol=1e-9)
        gaps.append(found.gap.mean)
    assert gaps[0] > 0.2  # so that the two differ, and bound something
    assert abs(gaps[1]) < 0.1 * gaps[0]  # its noise is 0.02
    assert np.abs(below).mean() < 0.25
    assert np.abs(above).mean() < 0.25
    assert np.all(found.upper.acceptance_rate <= 1)
    assert found.lower.acceptance_rate.mean() > 0.5


def test_the_data_are_the_models_own():
    """x ~ N(b, W W^T + s^2 I), and a function of the seed, whatever the number of examples."""
    known = LinearGaussian(full=False, latent_size=2)
    options = {"num_chains": 1, "num_steps": 1, "batch_size": 500}
    x = evaluation.bidirectional(known.model, 2000, **options).data["x"].reshape(2000, -1)
    covariance = known.W @ known.W.T + 0.3**2 * np.eye(len(known.b))
    deviation = np.sqrt(np.diag(covariance))
    assert np.abs((x.mean(0) - known.b) / deviation).max() < 4.5 / np.sqrt(2000)
    error = np.abs(np.cov(x.T) - covariance) / np.outer(deviation, deviation)
    assert error.max() < 5.5 * np.sqrt(2 / 2000)
    fewer, other = (
        evaluation.bidirectional(known.model, 500, seed=seed, **options).data["x"].reshape(500, -1)
        for seed in (0, 1)
    )
    np.testing.assert_allclose(fewer, x[:500], atol=1e-5)
    assert np.all(other != fewer)


def test_bits_have_bits_per_dimension_and_only_bits():
    found = evaluation.bidirectional(digits_model(2), 3, 2, 5)
    assert set(np.unique(found.data["x"])) <= {0.0, 1.0}
    assert found.lower.bits_per_dimension > 0
    with pytest.raises(UserError, match="Bits per dimension are of discrete data"):
        _ = evaluation.bidirectional(
            LinearGaussian(full=False).model, 3, 2, 5
        ).upper.bits_per_dimension


def test_what_it_cannot_do_is_refused():
    model = bits_under(priors.BernoulliPrior(SIZE))
    with pytest.raises(UserError, match=r"bidirectional\(\) moves z .* z is bits"):
        evaluation.bidirectional(model, 2)
    with pytest.raises(UserError, match="num_examples must be an integer"):
        evaluation.bidirectional(digits_model(1), 0)
    with pytest.raises(UserError, match=r"bidirectional\(\) was given 'label'"):
        evaluation.bidirectional(digits_model(1), 2, conditions={"label": 1})
    known = LinearGaussian(full=False).model
    known.built = False
    with pytest.raises(UserRuntimeError, match="not built"):
        evaluation.bidirectional(known, 2)
