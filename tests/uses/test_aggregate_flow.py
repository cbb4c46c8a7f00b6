"""A flow fitted to codes, against a density of two dimensions that is known.

z_0 ~ N(1, 3^2),  z_1 | z_0 ~ N(2 + (z_0 - 1)^2 / 4, 0.5^2): its entropy is log(2 pi e 3 / 2).
"""

import math

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tests.evaluation.models import bits, bits_as_codes, digits_model
from tests.uses.test_aggregate import MODELS, check_exported_draws
from tfvae import Autoencoder, Decoder, Encoder, heads, networks, priors, uses
from tfvae.errors import UserError, UserTypeError

SHORT = {"epochs": 2, "num_draws": 2}


def bent(count, seed):
    rng = np.random.default_rng(seed)
    first = 1.0 + 3.0 * rng.normal(size=count)
    second = 2.0 + (first - 1.0) ** 2 / 4.0 + 0.5 * rng.normal(size=count)
    return np.stack([first, second], axis=-1).astype("float32")


def log_density(z):
    first, second = z.T.astype("float64")
    normal = scipy.stats.norm.logpdf
    return normal(first, 1.0, 3.0) + normal(second, 2.0 + (first - 1.0) ** 2 / 4.0, 0.5)


def identity():
    """A model whose codes are its examples."""
    model = Autoencoder(
        Encoder(keras.layers.Identity(), heads.PointCode(2)),
        Decoder(networks.MLP([4]), heads.IndependentNormal((2,))),
    )
    model.build((None, 2))
    model.encoder.head.projection.kernel.assign(np.eye(2))
    return model


def test_the_held_out_log_density_is_that_of_the_true_one_and_no_gaussian_is():
    train, test = bent(6000, seed=0), bent(4000, seed=1)
    entropy = math.log(2 * math.pi * math.e * 3.0 * 0.5)
    assert -log_density(test).mean() == pytest.approx(entropy, abs=0.07)  # 4.5 standard errors
    keras.utils.set_random_seed(9)
    prior = uses.fit_aggregate_flow(
        identity(), train, priors.RealNVPPrior(2, num_steps=4, units=[32]), learning_rate=3e-3,
        epochs=40,
    )  # fmt: skip
    divergence = (log_density(test) - prior().log_prob(test).numpy()).mean()
    assert -0.01 < divergence < 0.05
    gaussian = scipy.stats.multivariate_normal(train.mean(axis=0), np.cov(train.T))
    assert (log_density(test) - gaussian.logpdf(test)).mean() > 0.5


def test_a_fresh_flow_starts_at_means_and_deviations():
    """Up to the small first weights, which move an entry by hundredths of what others are."""
    prior = priors.RealNVPPrior(5, num_steps=4, units=[8])
    prior.build()
    mean, stddev = np.array([3.0, -1.0, 0.0, 5.0, 2.0]), np.array([0.1, 9.0, 1.0, 20.0, 0.5])
    prior.start_at(mean, stddev)
    for step in prior.steps:
        step.network.kernels[-1].assign(tf.zeros_like(step.network.kernels[-1]))
    z = prior.sample(20_000, seed=1).numpy()
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=0.7)
    np.testing.assert_allclose((z.mean(axis=0) - mean) / stddev, 0.0, atol=0.04)
    np.testing.assert_allclose(z.std(axis=0), stddev, rtol=0.03)


@pytest.fixture(params=MODELS)
def model(request):
    """A model that has a prior, and one that has none."""
    return MODELS[request.param]()


def test_any_model_takes_it_and_exported_files_draw_what_python_draws(model, tmp_path):
    prior = uses.fit_aggregate_flow(model, bits(64), **SHORT)
    found = model.with_prior(prior)
    drawn = found.sample(4, seed=11).numpy()
    np.testing.assert_allclose(drawn, model.decode(prior.sample(4, seed=11)), rtol=1e-5)
    check_exported_draws(found, tmp_path)


def test_it_follows_from_its_seed_and_leaves_that_of_others_alone():
    model = digits_model(2)

    def weights(seed):
        found = uses.fit_aggregate_flow(model, bits(40), seed=seed, **SHORT)
        return np.concatenate([np.ravel(w) for w in found.weights])

    keras.utils.set_random_seed(4)
    first = weights(1)
    after = keras.random.uniform([2])
    keras.utils.set_random_seed(4)
    np.testing.assert_array_equal(keras.random.uniform([2]), after)
    np.testing.assert_array_equal(weights(1), first)
    assert np.any(weights(2) != first)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: uses.fit_aggregate_flow(digits_model(2), bits(9)), UserError, "9 examples; exp"),
        (
            lambda: uses.fit_aggregate_flow(digits_model(1), bits(20)),
            UserError,
            "needs at least 2 latent dimensions",
        ),
        (
            lambda: uses.fit_aggregate_flow(digits_model(2), bits(20), priors.RealNVPPrior(3)),
            UserError,
            "codes have 2 dimensions, and the prior 3",
        ),
        (
            lambda: uses.fit_aggregate_flow(digits_model(2), bits(20), priors.StandardNormal(2)),
            UserTypeError,
            "prior must be a tfvae FlowPrior",
        ),
        (
            lambda: uses.fit_aggregate_flow(bits_as_codes(), bits(20)),
            UserError,
            r"are bits, and fit_aggregate_flow\(\) is for one vector",
        ),
        (
            lambda: uses.fit_aggregate_flow(digits_model(2), bits(20), num_draws=0),
            UserError,
            "num_draws must be an integer of at least 1",
        ),
        (
            lambda: uses.fit_aggregate_flow(digits_model(2), bits(20), epochs=0),
            UserError,
            "epochs must be an integer of at least 1",
        ),
    ],
)
def test_bad_input_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
