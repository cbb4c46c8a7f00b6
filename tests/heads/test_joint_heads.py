"""Posteriors beside one another: what each part is alone, and sums."""

import re

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import tfvae
from tests.models.tiny import SHAPE
from tfvae import heads, networks, objectives, priors
from tfvae.distributions.divergences import closed_form, kl_per_dimension
from tfvae.distributions.quantiles import coordinate_quantiles
from tfvae.errors import UserError, UserTypeError
from tfvae.noise import training_noise

ROWS, WIDTH = 3, 6
FEATURES = np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype("float32")


@pytest.fixture(scope="module")
def head():
    made = heads.NormalAndPiecewise(5, num_pieces=4)
    made.build((None, WIDTH))
    for number, part in enumerate(made.parts):
        kernel = part.projection.kernel
        kernel.assign(np.random.default_rng(number).normal(size=kernel.shape))
    return made


def test_it_is_its_parts_behind_one_another(head):
    normal, piecewise = (part(FEATURES) for part in head.parts)
    q, prior = head(FEATURES), priors.NormalAndPiecewisePrior(5, num_pieces=3)
    z = np.random.default_rng(3).random((ROWS, 5)).astype("float32")
    parts = normal.log_prob(z[:, :3]) + piecewise.log_prob(z[:, 3:])
    np.testing.assert_allclose(q.log_prob(z), parts, rtol=1e-5)
    expected = scipy.stats.norm.logpdf(z[:, :3], normal.mean(), normal.stddev()).sum(axis=1)
    np.testing.assert_allclose(normal.log_prob(z[:, :3]), expected, rtol=1e-4)
    p = prior()
    kl = [closed_form(normal, prior.parts[0]()), closed_form(piecewise, prior.parts[1]())]
    np.testing.assert_allclose(closed_form(q, p), kl[0] + kl[1], rtol=1e-5)
    split = kl_per_dimension(q, p)
    assert split.shape == (ROWS, 5)
    np.testing.assert_allclose(tf.reduce_sum(split[:, :3], axis=1), kl[0], rtol=1e-5)
    np.testing.assert_allclose(tf.reduce_sum(split[:, 3:], axis=1), kl[1], rtol=1e-5)


def test_draws_codes_and_outputs_are_those_of_the_parts(head):
    q, noise = head(FEATURES), training_noise(tf.constant([1, 2]), 2, ROWS)
    z, log_prob = head.draw(q, noise)
    assert z.shape == (2, ROWS, 5)
    np.testing.assert_allclose(log_prob, q.log_prob(z), rtol=1e-4, atol=1e-4)
    for number, (part, block) in enumerate(zip(head.parts, q.distributions, strict=True)):
        own = part.draw(block, noise.part(number)).z
        np.testing.assert_array_equal(z[..., :3] if number == 0 else z[..., 3:], own)
    held, of = head.draw_held(q, noise)
    np.testing.assert_array_equal(held, z)
    np.testing.assert_allclose(of(held), log_prob, rtol=1e-4, atol=1e-4)
    outputs = head.outputs(head.parameters(FEATURES))
    np.testing.assert_allclose(outputs["mean"], head.code(q), rtol=1e-6)
    assert {"normal_loc", "normal_scale_diag", "piecewise_logits", "stddev"} <= set(outputs)
    again = head.from_outputs(outputs)
    np.testing.assert_allclose(again.log_prob(z), q.log_prob(z), rtol=1e-6)


def test_the_prior_draws_and_has_quantiles_by_its_parts():
    prior = priors.NormalAndPiecewisePrior(3, num_pieces=2)
    z = prior.sample(3000, seed=1).numpy()
    for d, law in enumerate(("norm", "norm", "uniform")):
        assert scipy.stats.kstest(z[:, d], law).pvalue > 0.01
    levels = tf.constant([[0.1, 0.5, 0.9]])
    expected = [[*scipy.stats.norm.ppf([0.1, 0.5]), 0.9]]
    np.testing.assert_allclose(prior.quantiles(levels), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        coordinate_quantiles(prior(), levels), expected, rtol=1e-4, atol=1e-6
    )


def test_a_relaxation_beside_others_is_embedded():
    head = heads.JointPosterior(
        {"bits": heads.RelaxedBernoulli(1), "normal": heads.MultivariateNormalDiag(1)}
    )
    np.testing.assert_allclose(head.embedded(tf.constant([[0.0, 3.0]])), [[0.5, 3.0]])
    assert head.smooth
    assert head.space == priors.StandardNormal.space


def vae(prior, objective=None):
    return tfvae.VAE(
        tfvae.Encoder(networks.MLP([4]), heads.NormalAndPiecewise(3)),
        tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli(SHAPE)),
        prior=prior,
        objective=objective,
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: heads.NormalAndPiecewise(1), UserError, "latent_size must be an integer of at"),
        (lambda: heads.NormalAndPiecewise(4, 1), UserError, "num_pieces must be an integer of at"),
        (lambda: heads.JointPosterior({}), UserTypeError, "posteriors is {}; expected a dict"),
        (lambda: priors.JointPrior([]), UserTypeError, "priors is []; expected a dict"),
        (
            lambda: heads.JointPosterior({"a": heads.GaussianMixture(2)}),
            UserError,
            "posteriors['a'] is a GaussianMixture: a mixture, a point or no posterior",
        ),
        (
            lambda: heads.JointPosterior({"a": heads.IndependentNormal((2,), scale=1.0)}),
            UserError,
            "posteriors['a'] is a IndependentNormal: a mixture, a point or no posterior",
        ),
        (
            lambda: priors.JointPrior({"a": priors.ConditionalNormal(2, [3])}),
            UserError,
            "priors['a'] is a ConditionalNormal, which depends on condition",
        ),
        (
            lambda: vae(priors.StandardNormal(3)).build((None, *SHAPE)),
            UserError,
            "is over 2 real numbers, then 1 numbers in [0, 1], and the prior StandardNormal",
        ),
        (
            lambda: vae(priors.NormalAndPiecewisePrior(3), objectives.ImportanceWeighted(2)),
            UserError,
            "the density of NormalAndPiecewise jumps",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()


def test_an_estimated_kl_with_a_jump_is_refused_where_a_part_has_no_closed_form():
    posteriors = {"flow": heads.RadialFlow(2), "piecewise": heads.LatentPiecewise(1)}
    parts = {"normal": priors.StandardNormal(2), "piecewise": priors.PiecewisePrior(1)}
    model = tfvae.VAE(
        tfvae.Encoder(networks.MLP([4]), heads.JointPosterior(posteriors)),
        tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli(SHAPE)),
        prior=priors.JointPrior(parts),
    )
    with pytest.raises(UserError, match="A KL that is estimated from draws follows"):
        model.build((None, *SHAPE))
