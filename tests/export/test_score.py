"""The score signature against importance sampling by hand and an exactly known likelihood."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

import tfvae
from tests.export.conftest import IMAGE_SHAPE, LATENT_SIZE
from tests.export.test_signatures import call
from tests.posterior import set_posterior
from tfvae.export.servables import score
from tfvae.export.servables.vae import VAEServable


def ints(*values):
    return np.array(values, "int32")


def test_scores_are_the_importance_weights_of_the_encoder_samples(vae, signatures, images):
    count, seed = ints(6, 1, 3, 6), ints(5, 6, 7, -8)
    inputs = {"x": images, "num_samples": count, "seed": seed}
    got = call(signatures["vae"]["score"], **inputs)
    z = call(signatures["encoder"]["sample"], **inputs, first=ints(0, 0, 0, 0))["z"]
    for b in range(4):
        draws = z[b, : count[b]]
        posterior = vae.encoder(images[b : b + 1])
        log_prior = vae.prior.distribution().log_prob(draws).numpy()
        log_posterior = posterior.log_prob(draws[:, None])[:, 0].numpy()
        logits = vae.decoder(draws).distribution.logits.numpy()
        per_pixel = images[b] * logits - np.logaddexp(0, logits)
        log_likelihood = per_pixel.reshape(len(draws), -1).sum(-1)
        log_weights = log_likelihood + log_prior - log_posterior
        expected = {
            "log_likelihood": scipy.special.logsumexp(log_weights) - np.log(count[b]),
            "nll": -log_likelihood.mean(),
            "kl": (log_posterior - log_prior).mean(),  # a mixture has no closed form
        }
        expected["elbo"] = -expected["nll"] - expected["kl"]
        for name, value in expected.items():
            np.testing.assert_allclose(got[name][b], value, rtol=1e-5, atol=1e-5, err_msg=name)


def test_chunks_do_not_change_the_result(vae, images, monkeypatch):
    inputs = {"x": images, "num_samples": ints(9, 2, 7, 5), "seed": ints(1, 2, 3, 4)}
    inputs = {name: tf.constant(value) for name, value in inputs.items()}
    expected = VAEServable(vae).score(**inputs)
    monkeypatch.setattr(score, "DRAWS_AT_ONCE", 8)  # two draws a row, five chunks
    got = VAEServable(vae).signatures()["score"].concrete()(**inputs)
    for name, value in expected.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-5, err_msg=name)


def linear_gaussian():
    """x = W z + b + s eps, and an encoder that holds the exact posterior; log p(x) is known."""
    generator = np.random.default_rng(0)
    size = int(np.prod(IMAGE_SHAPE))
    weights, bias = generator.normal(size=(size, LATENT_SIZE)), generator.random(size)
    scale = 0.7
    precision = np.eye(LATENT_SIZE) + weights.T @ weights / scale**2
    covariance = np.linalg.inv(precision)
    gain = covariance @ weights.T / scale**2
    vae = tfvae.VAE(
        tfvae.Encoder(tfvae.networks.MLP([size], activation="linear"),
                      tfvae.heads.MultivariateNormalTriL(LATENT_SIZE)),
        tfvae.Decoder(tfvae.networks.MLP([LATENT_SIZE], activation="linear"),
                      tfvae.heads.IndependentNormal(IMAGE_SHAPE, scale=scale)),
    )  # fmt: skip
    vae.build((None, *IMAGE_SHAPE))
    for network, width in ((vae.encoder.network, size), (vae.decoder.network, LATENT_SIZE)):
        kernel, offset = network.weights
        kernel.assign(np.eye(width))
        offset.assign(np.zeros(width))
    set_posterior(vae.encoder.head, gain, -gain @ bias, np.linalg.cholesky(covariance))
    vae.decoder.head.projection.kernel.assign(weights.T)
    vae.decoder.head.bias.assign(bias.reshape(IMAGE_SHAPE))
    marginal = scipy.stats.multivariate_normal(bias, weights @ weights.T + scale**2 * np.eye(size))
    return vae, marginal


@pytest.mark.parametrize("count", [1, 64])
def test_an_exact_posterior_scores_the_exact_likelihood(images, count):
    # Every importance weight is p(x) then, whatever z was drawn.
    vae, marginal = linear_gaussian()
    exact = marginal.logpdf(images.reshape(len(images), -1))
    signature = VAEServable(vae).signatures()["score"].concrete()
    got = call(signature, x=images, num_samples=ints(*[count] * 4), seed=ints(0, 1, 2, 3))
    np.testing.assert_allclose(got["log_likelihood"], exact, atol=1e-3)  # float32, |log p| ~ 30
    np.testing.assert_allclose(got["elbo"], -got["nll"] - got["kl"], rtol=1e-6)
    closed_form = tfp.distributions.kl_divergence(vae.encoder(images), vae.prior.distribution())
    np.testing.assert_allclose(got["kl"], closed_form, rtol=1e-5)
