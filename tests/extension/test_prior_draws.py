"""Objectives draw from any prior by `inference.draw_prior`: one with weights, one over levels."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tests.extension.cases import BATCH, IMAGES, decoder, encoder, vae
from tests.extension.members.discrepancy import Discrepancy
from tests.extension.members.levels import TwoLevels
from tests.extension.members.prior import Laplace
from tfvae.errors import UserError
from tfvae.inference.inference import Inference
from tfvae.objectives import ELBO
from tfvae.priors import MixtureOfGaussians, StandardNormal

LOC, SCALE = 3.0, 0.5


def shifted(**parts):
    """A model whose prior is far from N(0, 1)."""
    model = vae(prior=Laplace(1), **parts)
    model.build((None, *IMAGES.shape[1:]))
    model.prior.loc.assign([LOC])
    model.prior.log_scale.assign([np.log(SCALE)])
    return model


def levels():
    model = TwoLevels(encoder(), decoder(), StandardNormal(1), ELBO(), seed=5)
    model.build((None, *IMAGES.shape[1:]))
    return model


def seen(model):
    """What an objective sees of a step."""
    batch = {"x": tf.constant(IMAGES[:BATCH])}
    return model.with_noise(model.infer(batch), batch)


def test_draws_of_the_prior_are_the_priors():
    z = seen(shifted()).draw_prior(200).numpy()
    assert z.shape == (200, BATCH, 1)
    law = scipy.stats.laplace(LOC, SCALE)
    assert scipy.stats.kstest(z.reshape(-1), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("make", [lambda: vae(prior=MixtureOfGaussians(1)), vae, levels])
def test_they_are_of_other_noise_than_those_of_q(make):
    """Of a Normal's: the same noise would be correlated by 1, other noise by 0."""
    model = make()
    model.build((None, *IMAGES.shape[1:]))
    inference = seen(model)
    q, p = inference.draw(400).z, inference.draw_prior(400)
    for ours, theirs in zip(tf.nest.flatten(q), tf.nest.flatten(p), strict=True):
        ours = (ours - tf.reduce_mean(ours, axis=0)).numpy().reshape(-1)
        found = np.corrcoef(ours, theirs.numpy().reshape(-1))[0, 1]
        assert abs(found) < 4.5 / np.sqrt(len(ours))


def test_a_step_draws_anew():
    model = vae()
    model.build((None, *IMAGES.shape[1:]))
    first, second = (seen(model).draw_prior(1).numpy() for _ in range(2))
    assert not np.any(first == second)


def test_the_discrepancy_is_the_integral():
    """E k of q against p: the trapezoid rule over both densities, of the batch's own examples."""
    model = shifted(objective=Discrepancy())
    x = tf.constant(IMAGES[:BATCH])
    grid = np.linspace(-12.0, 12.0, 1201)
    each = np.exp(model.encoder(x).log_prob(grid.reshape(-1, 1, 1).astype("float32")).numpy().T)
    p = scipy.stats.laplace.pdf(grid, LOC, SCALE)
    k = np.exp(-np.square(grid[:, None] - grid)) * (grid[1] - grid[0]) ** 2
    pairs = each @ k @ each.T
    different = (pairs.sum() - np.trace(pairs)) / (BATCH * (BATCH - 1))
    expected = different + p @ k @ p - 2 * each.mean(axis=0) @ k @ p
    estimate = tf.function(lambda: model.loss_terms({"x": x}, True).terms["mmd"])
    found = [float(estimate()) for _ in range(400)]
    assert expected > 0.3, "else this tests nothing"
    assert abs(np.mean(found) - expected) < 4.5 * np.std(found) / 20 + 1e-3


def test_it_trains_with_a_prior_that_learns():
    model = vae(prior=Laplace(1), objective=Discrepancy(10.0))
    model.compile("adam", jit_compile=False)
    logs = model.fit(IMAGES, batch_size=BATCH, epochs=20, verbose=0).history
    assert logs["loss"][-1] < logs["loss"][0]
    assert model.prior.loc.numpy() != 0


def test_a_model_that_does_not_generate_is_refused():
    with pytest.raises(UserError, match="draws from the prior, and this model can't"):
        Inference(None, None, noise=None).draw_prior(1)
