"""`log_likelihood` of trained, non-linear models against numerical integration over z.

`python -m pytest tests/evaluation/test_quadrature.py -s` prints the numbers.
"""

import keras
import numpy as np
import pytest
import scipy.special

import tfvae
from tests.evaluation.models import digits_model

IMAGES = 200


def log_likelihood_by_quadrature(model, x):
    """The trapezoid rule on [-8, 8]^D, beyond which the prior has no mass that counts.

    The integrands are smooth and vanish at the ends, where the rule converges faster than any
    power: half as many points give the same to 1e-5.
    """
    points = np.linspace(-8, 8, 2001 if model.latent_size == 1 else 161)
    grid = np.stack(np.meshgrid(*[points] * model.latent_size), -1).reshape(-1, model.latent_size)
    log_prior = -0.5 * np.sum(grid**2, axis=1) - 0.5 * grid.shape[1] * np.log(2 * np.pi)
    logits = model.decoder.parameters(grid.astype("float32"))["logits"].numpy()
    logits = logits.astype("float64").reshape(len(grid), -1)
    x = x.astype("float64").reshape(len(x), -1)
    log_joint = x @ logits.T - np.sum(np.logaddexp(0, logits), axis=1) + log_prior
    volume = grid.shape[1] * np.log(points[1] - points[0])
    return scipy.special.logsumexp(log_joint, axis=1) + volume


@pytest.mark.parametrize("latent_size", [1, 2])
def test_five_thousand_samples_are_within_a_hundredth_of_a_nat(latent_size):
    train, test = tfvae.data.load("digits", batch_size=64)
    x = np.concatenate(list(test.as_numpy_iterator()))[:IMAGES]
    model = digits_model(latent_size)
    model.compile(keras.optimizers.Adam(5e-3))
    model.fit(train, epochs=20, verbose=0)
    exact = log_likelihood_by_quadrature(model, x)
    result = model.log_likelihood(x, num_samples=5000, verbose=0)
    error = result.per_example - exact
    print(
        f"\n{latent_size}-D latent, {IMAGES} digits, K = 5000: quadrature {exact.mean():.4f}, "
        f"log_likelihood {result.mean:.4f}, difference {result.mean - exact.mean():+.4f} nats; "
        f"of one image "
        f"{np.median(np.abs(error)):.4f} (median), {np.abs(error).max():.4f} (largest); "
        f"ELBO {tfvae.evaluation.elbo(model, x, 100).mean:.4f}"
    )
    assert abs(result.mean - exact.mean()) < 0.01
    # 5,000 draws are off by 0.01 where 3,500 of them are effective; where an image is rare and the
    # encoder wrong about it, few are, and it is off by more.
    assert np.median(np.abs(error)) < 0.01
    assert np.ptp(exact) > 5  # the images differ: the integrals are no constant
