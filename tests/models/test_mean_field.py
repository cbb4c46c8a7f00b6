"""Mean field of the decoder's weights, against a regression whose posterior and evidence are known.

The decoder sees no z: its features are c, so that with a = (c, 1) each entry of x is

    x_n ~ N(a^T w, 1),  w ~ N(0, s^2 I)   =>   w | X ~ N(m, P^-1),  P = N a a^T + I / s^2

The best q has means m and variances 1 / diag(P), and its bound is log p(X) less
(sum log diag(P) - log det P) / 2 for each entry of x.
"""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import tfvae
from tfvae import heads, networks
from tfvae.errors import UserError
from tfvae.models.mean_field import WEIGHTS_KL

SHAPE = (2, 2, 1)
N, SCALE = 12, 0.6
X = np.random.default_rng(0).normal(0.7, 0.5, size=(N, *SHAPE)).astype("float32")
FEATURES = [1.0, 0.5]
A = np.array([*FEATURES, 1.0])
PRECISION = N * np.outer(A, A) + np.eye(3) / SCALE**2
MEAN = np.linalg.solve(PRECISION, np.outer(A, X.sum(axis=0).ravel()))  # [3, 4]


def model(network=None, **options):
    keras.utils.set_random_seed(1)
    found = tfvae.VAE(
        tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(
            network or networks.MLP([3]),
            options.pop("head", None) or heads.IndependentNormal(SHAPE, scale=1.0),
        ),
        seed=0,
        **{"weight_scale": SCALE, "weight_posterior": "mean_field", **options},
    )
    found.build((None, *SHAPE))
    return found


def regression():
    """The model whose decoder is a regression on constant features."""
    return model(keras.layers.Rescaling(0.0, offset=FEATURES))


def assign(vae, means, scales):
    """Means and scales of w, `[3, 4]` each: two rows of the kernel, and the bias."""
    of_means, of_scales = vae.decoder.trainable_variables, vae.mean_field.log_scales
    for (bias, kernel), values in ((of_means, means), (of_scales, np.log(scales))):
        kernel.assign(values[:2])
        bias.assign(np.reshape(values[2], SHAPE))


def drawn(vae, count):
    """Of `count` steps: the nats of an example, and their gradients in means and log-scales."""
    vae.begin_training(N)
    of = [*vae.decoder.trainable_variables, *vae.mean_field.log_scales]
    of = [variable.value for variable in of]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            terms = vae.loss_terms({"x": tf.constant(X)}, training=True).terms
            nats = tf.reduce_mean(terms["nll"]) + terms[WEIGHTS_KL]
        bias, kernel, *of_scales = tape.gradient(nats, of)
        return nats, rows(bias, kernel), rows(*of_scales)

    return [np.array(values) for values in zip(*(step() for _ in range(count)), strict=True)]


def rows(bias, kernel):
    return tf.concat([kernel, tf.reshape(bias, [1, -1])], axis=0)


def assert_mean(values, expected):
    """4.5 standard errors of the draws."""
    error = values.std(axis=0) / np.sqrt(len(values))
    assert np.all(np.abs(values.mean(axis=0) - expected) < 4.5 * error + 1e-6)


def test_the_best_q_reaches_the_bound_of_the_evidence_and_rests():
    vae, best = regression(), np.sqrt(1.0 / np.diag(PRECISION))[:, np.newaxis] * np.ones((3, 4))
    assign(vae, MEAN, best)
    nats, in_means, in_scales = drawn(vae, 1000)
    covariance = np.eye(N) + SCALE**2 * (A @ A) * np.ones((N, N))
    columns = X.reshape(N, -1).T
    evidence = scipy.stats.multivariate_normal.logpdf(columns, np.zeros(N), covariance).sum()
    gap = 0.5 * (np.log(np.diag(PRECISION)).sum() - np.linalg.slogdet(PRECISION)[1])
    assert gap > 0.5
    assert_mean(nats, -(evidence - 4 * gap) / N)
    assert_mean(in_means, 0.0)
    assert_mean(in_scales, 0.0)


def test_elsewhere_the_gradients_are_those_of_the_bound():
    """d/d mu = P (mu - m) / N, d/d log s_i = (P_ii s_i^2 - 1) / N: towards the best q alone."""
    rng = np.random.default_rng(1)
    means, scales = MEAN + rng.normal(size=(3, 4)), rng.uniform(0.1, 0.8, size=(3, 4))
    vae = regression()
    assign(vae, means, scales)
    _, in_means, in_scales = drawn(vae, 1000)
    assert_mean(in_means, PRECISION @ (means - MEAN) / N)
    assert_mean(in_scales, (np.diag(PRECISION)[:, np.newaxis] * scales**2 - 1) / N)


def test_training_ends_there_whatever_the_batch():
    vae = regression()
    vae.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.05, 1800)))
    vae.fit(X, batch_size=4, epochs=600, verbose=0)
    means = rows(*map(tf.convert_to_tensor, vae.decoder.trainable_variables))
    scales = np.exp(rows(*map(tf.convert_to_tensor, vae.mean_field.log_scales)))
    best = np.sqrt(1.0 / np.diag(PRECISION))
    np.testing.assert_allclose(scales.mean(axis=1), best, rtol=0.05)
    np.testing.assert_allclose(A @ means.numpy(), A @ MEAN, atol=0.05)


def test_the_loss_has_the_kl_of_all_weights_once_by_tfp():
    import tensorflow_probability as tfp

    vae = model()
    vae.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    logs = vae.fit(X, batch_size=5, verbose=0).history
    pairs = zip(vae.decoder.trainable_variables, vae.mean_field.log_scales, strict=True)
    normal = tfp.distributions.Normal
    total = sum(
        np.sum(normal(np.array(mu), np.exp(s)).kl_divergence(normal(0.0, SCALE))) for mu, s in pairs
    )
    assert logs[WEIGHTS_KL][0] == pytest.approx(total / N, rel=1e-5)
    loss = logs["nll"][0] + logs["kl"][0] + logs[WEIGHTS_KL][0]
    assert logs["loss"][0] == pytest.approx(loss, rel=1e-5)


def test_only_training_draws_and_all_else_takes_the_means():
    vae, alike = model(), model(weight_posterior="mode")
    alike.decoder.set_weights(vae.decoder.get_weights())
    alike.encoder.set_weights(vae.encoder.get_weights())
    np.testing.assert_array_equal(vae.reconstruct(X), alike.reconstruct(X))
    np.testing.assert_array_equal(vae.sample(3, seed=1), alike.sample(3, seed=1))
    np.testing.assert_array_equal(
        vae.log_likelihood(X, num_samples=5, seed=1, verbose=0).per_example,
        alike.log_likelihood(X, num_samples=5, seed=1, verbose=0).per_example,
    )
    batch = {"x": tf.constant(X)}
    resting, again = (vae.infer(batch).joint(tf.zeros([1, N, 2])) for _ in range(2))
    np.testing.assert_array_equal(resting.log_likelihood, again.log_likelihood)
    inference = vae.infer(batch, training=True)
    one, same = (inference.joint(tf.zeros([1, N, 2])).log_likelihood for _ in range(2))
    np.testing.assert_array_equal(one, same)  # a step's objective may ask twice
    other = vae.infer(batch, training=True).joint(tf.zeros([1, N, 2])).log_likelihood
    assert np.all(np.abs(one - other) > 1e-6)


def test_what_layers_note_and_charge_in_training_is_kept():
    network = keras.Sequential(
        [
            keras.layers.Dense(3, activity_regularizer="l2", name="dense"),
            keras.layers.BatchNormalization(name="normalisation"),
        ]
    )
    vae = model(network, head=heads.IndependentNormal(SHAPE, scale="optimal"))
    vae.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    before = [np.array(w) for w in vae.decoder.non_trainable_variables]
    logs = vae.fit(X, batch_size=N, epochs=2, verbose=0).history
    assert len(before) == 4
    for old, new in zip(before, vae.decoder.non_trainable_variables, strict=True):
        assert np.any(old != np.array(new)), new.path
    assert vae.decoder.head.num_batches == 2
    terms = logs["nll"][0] + logs["kl"][0] + logs[WEIGHTS_KL][0]
    assert logs["loss"][0] > terms + 1e-4


def test_frozen_weights_have_no_posterior_saved_and_loaded(tmp_path):
    vae = model()
    vae.decoder.network.trainable = False
    vae.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    vae.fit(X, verbose=0)
    assert len(vae.trainable_variables) == 4 + 2 + 2  # of the encoder; means and scales
    trained = [np.array(w) for w in vae.decoder.head.trainable_variables]
    count = sum(w.size for w in trained)
    squares = sum(np.sum(np.square(w)) for w in trained) / SCALE**2
    logs = [np.array(s) - np.log(SCALE) for s in vae.mean_field.log_scales[2:]]
    squares += sum(np.exp(2 * s).sum() for s in logs)
    expected = 0.5 * (squares - count) - sum(s.sum() for s in logs)
    vae.save(tmp_path / "model.keras")
    loaded = tfvae.load_model(tmp_path / "model.keras")
    for found in (vae, loaded):
        logs = found.evaluate(X, verbose=0, return_dict=True)
        assert logs[WEIGHTS_KL] == pytest.approx(expected / N, rel=1e-5)
    assert vae.fit(X, verbose=0).history == loaded.fit(X, verbose=0).history


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight_scale": None}, 'weight_posterior="mean_field" is of weights that have a prior'),
        ({"weight_posterior": "full"}, 'weight_posterior must be "mode" or "mean_field", received'),
        ({"weight_scale": -1.0}, "weight_scale must be a finite number above 0"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        model(**options)
