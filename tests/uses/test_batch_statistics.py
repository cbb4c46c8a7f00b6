"""Statistics of batch normalisation, read anew, by NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tfvae import heads, networks, uses
from tfvae.errors import UserError
from tfvae.noise import Noise

RNG = np.random.default_rng(4)
X = (RNG.random((11, 4, 4, 1)) > 0.5).astype("float32")
SIZES = [4, 4, 3]  # of batches of four


@pytest.fixture
def model():
    keras.utils.set_random_seed(2)

    def network():
        return networks.MLP([6, 5], "tanh", batch_normalisation=True)

    made = tfvae.VAE(
        tfvae.Encoder(network(), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(network(), heads.IndependentBernoulli((4, 4, 1))),
        seed=1,
    )
    made.build((None, 4, 4, 1))
    for layer in normalisations(made.encoder) + normalisations(made.decoder):
        layer.gamma.assign(RNG.uniform(0.5, 2.0, layer.gamma.shape))
        layer.beta.assign(RNG.normal(size=layer.beta.shape))
    return made


def normalisations(part):
    return part.network.normalisations


def kernels(part):
    return [layer.kernel.numpy().astype("float64") for layer in part.network.hidden]


def by_numpy(part, inputs):
    """Mean and variance before each normalisation, each batch normalised by itself."""
    found, batches = [], np.split(inputs.astype("float64"), np.cumsum(SIZES)[:-1])
    for kernel, normalisation in zip(kernels(part), normalisations(part), strict=True):
        batches = [batch @ kernel for batch in batches]
        means = np.array([b.mean(axis=0) for b in batches])
        squares = np.array([(b**2).mean(axis=0) for b in batches])
        mean = np.average(means, axis=0, weights=SIZES)
        found.append((mean, np.average(squares, axis=0, weights=SIZES) - mean**2))
        epsilon, gamma, beta = normalisation.epsilon, normalisation.gamma, normalisation.beta
        batches = [
            np.tanh(
                (b - b.mean(axis=0)) / np.sqrt(b.var(axis=0) + epsilon) * gamma.numpy()
                + beta.numpy()
            )
            for b in batches
        ]
    return found


def assert_statistics(part, expected):
    for layer, (mean, variance) in zip(normalisations(part), expected, strict=True):
        np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-4, atol=1e-5)


def test_of_data_they_are_those_of_all_rows(model):
    """Of the first layer exactly, whatever the batches."""
    seed, momentum = model.seed_state.numpy(), normalisations(model.encoder)[0].momentum
    read = uses.reread_statistics(model, X, batch_size=4)
    assert len(read) == 4
    expected = by_numpy(model.encoder, X.reshape(11, 16))
    assert_statistics(model.encoder, expected)
    inputs = X.reshape(11, 16) @ kernels(model.encoder)[0]
    np.testing.assert_allclose(expected[0][1], inputs.var(axis=0))
    assert all(np.abs(lr.moving_mean).max() > 0 for lr in normalisations(model.decoder))
    np.testing.assert_array_equal(model.seed_state, seed)
    assert [lr.momentum for lr in normalisations(model.encoder)] == [momentum] * 2
    assert momentum > 0.5


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_of_samples_they_are_those_of_draws_of_the_prior(model, temperature):
    before = [lr.moving_mean.numpy() for lr in normalisations(model.encoder)]
    read = uses.reread_statistics(model, X, temperature=temperature, batch_size=4, seed=7)
    z = temperature * model.generate(Noise(7, row=tf.range(11)), {}).numpy()
    assert_statistics(model.decoder, by_numpy(model.decoder, z))
    assert sorted(read) == sorted(lr.path for lr in normalisations(model.decoder))
    for layer, old in zip(normalisations(model.encoder), before, strict=True):
        np.testing.assert_array_equal(layer.moving_mean, old)


def test_they_are_saved_and_used(model, tmp_path):
    before = model.reconstruct(X)
    uses.reread_statistics(model, X)
    after = model.reconstruct(X)
    assert not np.allclose(before, after)
    model.save(tmp_path / "a.keras")
    np.testing.assert_array_equal(tfvae.load_model(tmp_path / "a.keras").reconstruct(X), after)


def test_frozen_layers_keep_theirs(model):
    first, second = normalisations(model.encoder)
    first.trainable = False
    read = uses.reread_statistics(model, X)
    assert first.path not in read
    assert second.path in read
    np.testing.assert_array_equal(first.moving_mean, 0.0)


def test_data_that_break_off_leave_the_noise_where_it_was(model):
    seed, broken = model.seed_state.numpy(), X.copy()
    broken[9] = np.nan
    data = tf.data.Dataset.from_tensor_slices(broken).map(
        lambda x: tf.debugging.check_numerics(x, "no number")
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="no number"):
        uses.reread_statistics(model, data.batch(4), batch_size=4)
    np.testing.assert_array_equal(model.seed_state, seed)


def test_a_model_without_any_is_refused():
    plain = tfvae.VAE(
        tfvae.Encoder(networks.MLP([3]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([3]), heads.IndependentBernoulli((4, 4, 1))),
    )
    plain.build((None, 4, 4, 1))
    with pytest.raises(UserError, match="no batch normalisation that trains"):
        uses.reread_statistics(plain, X)
