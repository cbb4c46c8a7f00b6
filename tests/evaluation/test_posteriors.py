"""Means, deviations and draws of q(z|x) over a data set, against the encoder's distribution."""

import numpy as np
import pytest
import tensorflow as tf

from tests.evaluation.models import bits, digits_model
from tests.evaluation.test_latents import spread_out
from tfvae import evaluation


@pytest.fixture(scope="module", params=[False, True], ids=["diag", "tril"])
def model(request):
    return spread_out(digits_model(3, request.param))


def as_data_set(x):
    return tf.data.Dataset.from_tensor_slices({"x": x}).batch(7)


@pytest.mark.parametrize("given", [np.asarray, lambda x: {"x": x}, as_data_set])
def test_statistics_are_the_encoders(model, given):
    x = bits(50)
    mean, stddev = evaluation.posterior_statistics(model, given(x), batch_size=16)
    posterior = model.encoder(x)
    np.testing.assert_allclose(mean, posterior.mean(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(stddev, posterior.stddev(), rtol=1e-4, atol=1e-5)


def test_draws_have_the_posteriors_mean_and_covariance(model):
    x, draws = bits(6), 20_000
    z = evaluation.posterior_draws(model, x, draws, seed=2, batch_size=4)
    posterior = model.encoder(x)
    for example in range(6):
        covariance = posterior.covariance()[example].numpy()
        deviation = np.sqrt(np.diag(covariance))
        # Six standard errors: of a mean s / sqrt(S), of a covariance at most sqrt(2 / S) s_i s_j.
        error = np.abs(z[:, example].mean(0) - posterior.mean()[example])
        assert np.all(error < 6 * deviation / np.sqrt(draws))
        error = np.abs(np.cov(z[:, example].T) - covariance)
        assert np.all(error < 6 * np.sqrt(2 / draws) * np.outer(deviation, deviation))


def test_draws_depend_neither_on_batches_nor_on_their_number(model):
    x = bits(50)
    z = evaluation.posterior_draws(model, x, 4, seed=7)
    for batch_size, given in ((16, x), (50, as_data_set(x))):
        again = evaluation.posterior_draws(model, given, 4, seed=7, batch_size=batch_size)
        np.testing.assert_allclose(again, z, atol=1e-5)
    np.testing.assert_allclose(evaluation.posterior_draws(model, x, 2, 7), z[:2], atol=1e-5)
