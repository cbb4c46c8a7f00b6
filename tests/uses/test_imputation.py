"""Holes are filled as probabilistic PCA fills them, whose answers are exact."""

import numpy as np
import pytest
import tensorflow as tf

import tests.models.linear_missing as exact
import tfvae
from tests.models.test_missing import HOLES, MIXED, SAME, small
from tfvae import heads, networks, priors
from tfvae.errors import UserError
from tfvae.uses import impute

RIGHT = exact.expected(exact.X, exact.MIXED)
HOLE = exact.MIXED == 0


@pytest.fixture(scope="module")
def model():
    """q is the prior: the weights have to do everything."""
    return exact.exact_model(pattern=None)


@pytest.fixture(scope="module")
def several(model):
    return impute(model, MIXED, num_samples=2000, multiple=400, seed=2)


def test_expectations_are_those_of_the_posterior(model):
    found = impute(model, MIXED, num_samples=20_000, seed=1)
    size = model.log_likelihood(MIXED, num_samples=20_000, verbose=0).effective_sample_size
    spread = np.sqrt(exact.posterior(exact.X, exact.MIXED)[1])[:, None] * np.abs(exact.W)
    assert np.all(np.abs(found - RIGHT)[HOLE] < (5 * spread / np.sqrt(size)[:, None])[HOLE])
    np.testing.assert_array_equal(found[~HOLE], exact.X[~HOLE])


def test_with_the_exact_posterior_a_few_draws_do():
    """All weights are alike, so that the error is that of a mean of 4000 draws."""
    found = impute(exact.exact_model(), SAME, num_samples=4000)
    spread = np.sqrt(exact.posterior(exact.X, exact.SAME)[1])[:, None] * np.abs(exact.W)
    right = exact.expected(exact.X, exact.SAME)
    assert np.all(np.abs(found - right) <= 4.5 * spread / np.sqrt(4000))


def test_several_fillings_have_the_mean_and_the_spread_of_the_posterior(several):
    """400 draws of a Normal: 4.5 standard errors of the mean, and of the variance."""
    assert several.shape == (400, *exact.X.shape)
    variance = exact.posterior(exact.X, exact.MIXED)[1][:, None] * exact.W**2 + exact.T**2
    error = np.abs(several.mean(axis=0) - RIGHT)
    assert np.all(error[HOLE] < (4.5 * np.sqrt(variance / 400) + 0.05)[HOLE])
    ratio = several.var(axis=0, ddof=1) / variance
    assert np.all(np.abs(ratio[HOLE] - 1) < 4.5 * np.sqrt(2 / 399) + 0.1)
    np.testing.assert_array_equal(several[:, ~HOLE], np.tile(exact.X[~HOLE], (400, 1)))


def test_the_choice_of_a_draw_does_not_follow_from_the_draw():
    """q = p(z) has two parts, each with a part of the noise: x_1 = z_2, uniform on [0, 1].

    With the second part's noise for the choice as well the largest of the 50 draws is chosen.
    """
    model = tfvae.MissingDataVAE(
        tfvae.Encoder(networks.SideBySide(), heads.NormalAndPiecewise(2)),
        tfvae.Decoder(networks.SideBySide(), heads.IndependentNormal((2,), scale=1e-3)),
        prior=priors.NormalAndPiecewisePrior(2),
        seed=1,
    )
    model.build((None, 2))
    for weight in (*model.encoder.trainable_variables, *model.decoder.trainable_variables):
        weight.assign(tf.zeros_like(weight))
    model.decoder.head.projection.kernel.assign([[0.0, 0.0], [0.0, 1.0]])
    rows = {"x": np.zeros((200, 2), "float32"), "seen": np.tile([1.0, 0.0], (200, 1))}
    filled = impute(model, {n: v.astype("float32") for n, v in rows.items()}, 50, multiple=1)
    assert abs(filled[0, :, 1].mean() - 0.5) < 5 * np.sqrt(1 / 12 / 200)


def test_holes_of_a_row_vary_together(several):
    """Through z: the draws of a row's holes have the covariance w_i w_j v."""
    row = int(np.argmax(HOLE.sum(axis=1)))
    first, second = np.flatnonzero(HOLE[row])[:2]
    v = exact.posterior(exact.X, exact.MIXED)[1][row]
    sizes = exact.W**2 * v + exact.T**2
    right = exact.W[first] * exact.W[second] * v / np.sqrt(sizes[first] * sizes[second])
    found = np.corrcoef(several[:, row, first], several[:, row, second])[0, 1]
    assert abs(found - right) < 4.5 * (1 - right**2) / 20 + 0.05


def test_the_seed_and_the_place_decide_and_the_batch_size_does_not(model):
    options = {"num_samples": 300, "multiple": 2}
    first = impute(model, MIXED, batch_size=12, **options)
    np.testing.assert_allclose(impute(model, MIXED, batch_size=5, **options), first, atol=1e-5)
    assert np.any(impute(model, MIXED, seed=1, **options) != first)


def test_draws_in_chunks_are_the_same_draws(model, monkeypatch):
    whole = impute(exact.exact_model(None), MIXED, num_samples=50, multiple=2)
    monkeypatch.setattr("tfvae.evaluation.importance.NUMBERS_AT_ONCE", 12 * 5 * 2 * 7)
    parts = impute(exact.exact_model(None), MIXED, num_samples=50, multiple=2)
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_nan_is_filled():
    model = small(nan_is_missing=True)
    model.build((None, 5))
    found = impute(model, HOLES, num_samples=20)
    assert np.all(np.isfinite(found))
    np.testing.assert_array_equal(found[~HOLE], exact.X[~HOLE])


def test_nan_and_a_mask_that_hide_a_row_together_are_refused():
    model = small(nan_is_missing=True)
    model.build((None, 5))
    data = {"x": HOLES, "seen": exact.MIXED.copy()}
    data["seen"][9] = np.isnan(HOLES[9])
    with pytest.raises(UserError, match="Nothing is seen of example 9"):
        impute(model, data, 2, batch_size=4)


def test_models_without_holes_are_refused():
    model = tfvae.presets.model("digits", latent_size=2, units=(8,))
    with pytest.raises(UserError, match=r"rows that are partly seen.*received a VAE"):
        impute(model, np.zeros((2, 8, 8, 1), "float32"))


@pytest.mark.parametrize("bad", [{"num_samples": 0}, {"multiple": 0}, {"seed": 0.5}])
def test_arguments_out_of_range_are_refused(model, bad):
    with pytest.raises(UserError, match=next(iter(bad))):
        impute(model, MIXED, **bad)
