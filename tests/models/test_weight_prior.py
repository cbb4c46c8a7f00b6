"""MAP of the decoder's weights against SciPy, and against a conjugate model's posterior."""

import keras
import numpy as np
import pytest
import scipy.stats

import tfvae
from tfvae import heads, networks
from tfvae.errors import UserError
from tfvae.models.weight_prior import WEIGHTS_NLL

SHAPE = (2, 2, 1)
N = 12
X = np.random.default_rng(0).normal(0.7, 0.5, size=(N, *SHAPE)).astype("float32")


def model(network, **options):
    keras.utils.set_random_seed(1)
    found = tfvae.VAE(
        tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(network, heads.IndependentNormal(SHAPE, scale=1.0)),
        seed=0,
        **options,
    )
    found.build((None, *SHAPE))
    return found


def test_the_loss_has_the_log_density_of_all_weights_once():
    """Whatever the batch: -log N(weights; 0, s^2) / N in the nats of an example, by SciPy."""
    with_prior = model(networks.MLP([3]), weight_scale=0.5)
    with_prior.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    for weight in with_prior.decoder.trainable_variables:
        weight.assign_add(0.3 * np.ones(weight.shape))
    logs = with_prior.fit(X, batch_size=5, verbose=0).history
    weights = np.concatenate([np.ravel(w) for w in with_prior.decoder.trainable_variables])
    expected = -scipy.stats.norm.logpdf(weights, 0, 0.5).sum() / N
    assert logs[WEIGHTS_NLL][0] == pytest.approx(expected, rel=1e-5)
    loss = logs["nll"][0] + logs["kl"][0] + logs[WEIGHTS_NLL][0]
    assert logs["loss"][0] == pytest.approx(loss, rel=1e-5)
    assert logs["elbo"][0] == pytest.approx(-logs["nll"][0] - logs["kl"][0], rel=1e-5)


def test_training_ends_at_the_posterior_mode_of_a_conjugate_model():
    """A decoder that does not see z: x ~ N(b, 1), b ~ N(0, s^2), so b -> sum x / (N + 1 / s^2)."""
    scale = 0.4
    found = model(keras.layers.Rescaling(0.0), weight_scale=scale)
    found.compile(keras.optimizers.SGD(0.3), jit_compile=False)
    found.fit(X, batch_size=N, epochs=60, verbose=0)
    mode = X.sum(axis=0) / (N + 1 / scale**2)
    np.testing.assert_allclose(found.decoder.head.bias, mode, atol=1e-4)
    assert np.abs(mode - X.mean(axis=0)).min() > 0.1  # a likelihood's optimum is elsewhere


def test_it_is_saved_and_rests_where_n_is_not_known(tmp_path):
    fresh = model(networks.MLP([3]), weight_scale=0.5)
    fresh.compile("sgd", jit_compile=False)
    assert fresh.evaluate(X, verbose=0, return_dict=True)[WEIGHTS_NLL] == 0
    fresh.fit(X, verbose=0)
    fresh.save(tmp_path / "model.keras")
    loaded = tfvae.load_model(tmp_path / "model.keras")
    loaded.compile("sgd", jit_compile=False)
    expected = fresh.evaluate(X, verbose=0, return_dict=True)[WEIGHTS_NLL]
    found = loaded.evaluate(X, verbose=0, return_dict=True)[WEIGHTS_NLL]
    assert found == pytest.approx(expected) != 0


def test_what_it_cannot_do_is_refused():
    import tensorflow as tf

    with pytest.raises(UserError, match="weight_scale must be a finite number above 0"):
        model(networks.MLP([3]), weight_scale=0.0)
    streamed = tf.data.Dataset.from_generator(
        lambda: iter([X]), output_signature=tf.TensorSpec((None, *SHAPE), tf.float32)
    )
    found = model(networks.MLP([3]), weight_scale=0.5)
    found.compile("sgd", jit_compile=False)
    with pytest.raises(UserError, match="weight_scale needs to know how many examples"):
        found.fit(streamed, verbose=0)
