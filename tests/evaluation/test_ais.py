"""Annealed importance sampling against the exact log p(x)."""

import numpy as np
import pytest

from tests.evaluation.models import LinearGaussian, bits, digits_model, images
from tests.evaluation.test_quadrature import log_likelihood_by_quadrature
from tfvae import evaluation


@pytest.mark.parametrize("start", ["prior", "posterior"])
def test_linear_gaussian_model(start):
    """Within 4.5 Monte Carlo errors; a wrong direction or constant would be off by nats."""
    known, x = LinearGaussian(full=True, latent_size=2, shift=0.2, widen=1.2), images(4)
    result = evaluation.annealed_importance_sampling(
        known.model, x, num_chains=64, num_steps=100, step_size=0.6, start=start, verbose=0
    )
    exact = known.log_likelihood(x)
    error = np.sqrt(1 / result.effective_sample_size - 1 / 64)
    assert np.all(np.abs(result.per_example - exact) < 4.5 * error + 1e-2)
    np.testing.assert_allclose(result.mean, np.mean(exact), atol=0.15)
    assert np.all((result.acceptance_rate > 0.4) & (result.acceptance_rate <= 1))
    assert result.num_samples == 64


@pytest.mark.parametrize("num_steps", [3, 20])
def test_every_transition_leaves_its_own_density(num_steps):
    """Short steps are accepted however few temperatures there are, and weights keep their mean.

    With the density before in place of its own a transition is accepted by chance, and rarely
    where the densities are far apart.
    """
    known, x = LinearGaussian(full=True, latent_size=2, shift=0.2, widen=1.2), images(2)
    result = evaluation.annealed_importance_sampling(
        known.model, x, num_chains=4096, num_steps=num_steps, step_size=0.02, verbose=0
    )
    assert np.all(result.acceptance_rate > 0.95)
    error = np.sqrt(1 / result.effective_sample_size - 1 / 4096)
    assert np.all(np.abs(result.per_example - known.log_likelihood(x)) < 4.5 * error + 1e-3)


def test_a_bernoulli_decoder_and_seeds_and_a_data_set():
    import tensorflow as tf

    model = digits_model(1)
    for weight in model.decoder.trainable_variables:
        weight.assign(2 * weight)  # bent further: a posterior that is not Normal
    x = bits(3)
    options = {"num_chains": 64, "num_steps": 100, "step_size": 0.5, "batch_size": 2, "verbose": 0}
    result = evaluation.annealed_importance_sampling(model, x, **options)
    difference = np.abs(result.per_example - log_likelihood_by_quadrature(model, x))
    error = np.sqrt(1 / result.effective_sample_size - 1 / 64)
    assert np.all(difference < 4.5 * error + 1e-2)
    assert np.max(error) < 0.2
    data = tf.data.Dataset.from_tensor_slices(x).batch(3)
    again = evaluation.annealed_importance_sampling(model, data, **options)
    np.testing.assert_array_equal(result.per_example, again.per_example)
    other = evaluation.annealed_importance_sampling(model, x, seed=1, **options)
    assert np.all(result.per_example != other.per_example)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"start": "middle"}, "start must be one of"),
        ({"step_size": 0.0}, "step_size must be a finite number above 0"),
        ({"num_chains": 0}, "num_chains must be an integer"),
        ({"num_steps": -1}, "num_steps must be an integer"),
    ],
)
def test_bad_arguments_are_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        evaluation.annealed_importance_sampling(digits_model(1), np.zeros((2, 8, 8, 1)), **argument)
