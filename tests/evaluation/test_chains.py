"""Draws of p(z|x) against a linear-Gaussian model's posterior N(A (x - b), C)."""

import numpy as np
import pytest

from tests.evaluation.models import LinearGaussian, images
from tests.heads.test_discrete_heads import SIZE, bits_under
from tfvae import evaluation, priors
from tfvae.errors import UserError


@pytest.mark.parametrize("method", ["hmc", "nuts"])
def test_moments_are_those_of_the_exact_posterior(method):
    """The encoder's q is shifted, too wide, and knows no correlations: the chains don't mind."""
    known, x = LinearGaussian(full=False, latent_size=3, shift=0.3, widen=1.5), images(3)
    found = evaluation.posterior_samples(
        known.model, x, method, num_samples=600, num_chains=4, burn_in=200, batch_size=2, verbose=0
    )
    assert found.z.shape == (600, 4, 3, 3)
    assert np.all(found.r_hat < 1.05)
    size = found.effective_sample_size
    assert np.all((size > 400) & (size < 4 * 2400))  # of 2,400; antithetic chains have more
    assert np.all((found.acceptance_rate > 0.5) & (found.acceptance_rate < 0.98))
    deviation = np.sqrt(np.diag(known.C))
    mean = (x.reshape(3, -1) - known.b) @ known.A.T
    z = found.z.reshape(-1, 3, 3).astype("float64")
    error = np.abs(z.mean(axis=0) - mean) / deviation
    assert np.all(error < 5 / np.sqrt(np.minimum(size, 2400)))
    for example in range(3):
        off = (np.cov(z[:, example].T) - known.C) / np.outer(deviation, deviation)
        assert np.abs(off).max() < 5 * np.sqrt(2 / 400)
    assert f"R-hat up to {found.r_hat.max():.3f}" in repr(found)


def test_chains_that_have_not_met_have_a_large_r_hat(caplog):
    """One step of burn-in, from starts ten deviations apart, with steps that are far too small."""
    known, x = LinearGaussian(full=True, latent_size=2, widen=10.0), images(1)
    options = {"num_samples": 4, "burn_in": 1, "leapfrog_steps": 1, "verbose": 0}
    found = evaluation.posterior_samples(known.model, x, num_chains=8, **options)
    assert found.r_hat.max() > 1.2
    assert not caplog.records, "TensorFlow's casts are no business of the user's"
    again = evaluation.posterior_samples(known.model, x, num_chains=8, **options)
    np.testing.assert_array_equal(found.z, again.z)
    other = evaluation.posterior_samples(known.model, x, num_chains=8, seed=1, **options)
    assert np.all(other.z[-1] != found.z[-1])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"method": "gibbs"}, "method must be one of"),
        ({"num_samples": 3}, "num_samples must be an integer of at least 4"),
        ({"num_chains": 0}, "num_chains must be an integer"),
        ({"burn_in": 0}, "burn_in must be an integer"),
        ({"leapfrog_steps": 0}, "leapfrog_steps must be an integer"),
        ({}, r"posterior_samples\(\) moves z .* z is bits\. Use posterior_draws\(\)"),
    ],
)
def test_what_is_refused(argument, message):
    model = bits_under(priors.BernoulliPrior(SIZE))
    with pytest.raises(UserError, match=message):
        evaluation.posterior_samples(model, np.ones((2, 2, 2, 1), "float32"), **argument)
