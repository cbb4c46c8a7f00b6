"""VQ-VAE: the bound and its parts, what is tracked, restarts on disk, refusals."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from sklearn.datasets import load_digits

import tfvae
from tfvae import Decoder, heads, networks, quantisers
from tfvae.errors import UserError, UserTypeError
from tfvae.models.capabilities import Decodes, Emits, Encodes, Generates, Scores, can, lack
from tfvae.models.trackers import CodePerplexity
from tfvae.noise import Noise

SHAPE, K, BATCH = (8, 8, 1), 6, 32
X = (load_digits().data[:80].reshape(-1, *SHAPE) > 8.0).astype("float32")


def vq_vae(quantiser=None, activation="relu", **options):
    narrow = {"num_blocks": 1, "activation": activation}
    return tfvae.VQVAE(
        networks.ResidualConv([4, 6], **narrow),
        quantiser or quantisers.VectorQuantised(K, 3),
        Decoder(
            networks.ResidualConvTranspose([6, 4], SHAPE[:2], **narrow),
            heads.IndependentBernoulli(SHAPE),
        ),
        seed=5,
        **options,
    )


@pytest.fixture(scope="module")
def trained():
    """A model, what was logged of two epochs of three batches, the last of them smaller."""
    keras.utils.set_random_seed(0)
    model = vq_vae()
    model.compile("adam")
    return model, model.fit(X, batch_size=BATCH, epochs=2, verbose=0).history


def test_the_bound_is_that_of_the_codes_under_a_uniform_prior(trained):
    model, _ = trained
    logged = model.evaluate(X, batch_size=BATCH, verbose=0, return_dict=True)
    codes = model.encode(X)
    assert codes.shape == (80, 2, 2)
    assert codes.dtype == np.int32
    probabilities = model.decode(codes).numpy().astype("float64")
    nll = -stats.bernoulli.logpmf(X, probabilities).sum(axis=(1, 2, 3))
    assert logged["nll"] == pytest.approx(nll.mean(), rel=1e-5)
    assert logged["kl"] == pytest.approx(4 * math.log(K), rel=1e-6)
    assert logged["elbo"] == pytest.approx(-logged["nll"] - logged["kl"], rel=1e-6)
    assert logged["loss"] == pytest.approx(logged["nll"] + 0.25 * logged["commitment"], rel=1e-5)


def test_the_bound_is_below_log_p_of_x_summed_over_all_codes():
    """With two codes at four places, p(x) is a sum of sixteen terms."""
    keras.utils.set_random_seed(0)
    model = vq_vae(quantisers.VectorQuantised(2, 3))
    model(X, training=True)  # k-means
    every = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), -1).reshape(-1, 2, 2)
    likelihood = model.decoder(model.decoder_inputs(every.astype("int32")))
    joint = likelihood.log_prob(X[:20, None]).numpy() - 4 * math.log(2.0)
    exact = np.logaddexp.reduce(joint.astype("float64"), axis=1)
    terms = model.loss_terms({"x": tf.constant(X[:20])}, training=False)
    bound = terms.watched["elbo"].numpy()
    assert np.all(bound <= exact + 1e-4)
    assert np.all(bound > exact - 4 * math.log(2.0) - 1.0), "else it says little"


def test_perplexity_is_that_of_all_codes_of_an_epoch(trained):
    model, _ = trained
    logged = model.evaluate(X, batch_size=BATCH, verbose=0, return_dict=True)
    counts = np.bincount(model.encode(X).ravel(), minlength=K)
    assert logged["perplexity"] == pytest.approx(np.exp(stats.entropy(counts)), rel=1e-5)


def test_perplexity_is_not_the_mean_of_the_batches():
    metric = CodePerplexity(4)
    assert np.isnan(float(metric.result()))
    for counts in ([2.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 4.0, 0]):
        metric.update_state(counts)
    assert float(metric.result()) == pytest.approx(np.exp(stats.entropy([2, 2, 4])))
    metric.reset_state()
    metric.update_state([1.0, 1.0, 1.0, 1.0])
    assert float(metric.result()) == pytest.approx(4.0)


def test_counts_and_codes_go_on_bit_for_bit_after_a_reload(trained, tmp_path):
    model, _ = trained
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    states = []
    for one in (model, loaded):
        one.fit(X, batch_size=BATCH, verbose=0)
        states.append([w.numpy() for w in one.quantiser.weights])
    for mine, theirs in zip(*states, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(model.encode(X), loaded.encode(X))


@pytest.mark.parametrize(
    "quantiser",
    [
        quantisers.FiniteScalar((5, 4)),
        quantisers.GumbelCodes(K, 3),
        quantisers.VectorQuantised(K, 3, update="codebook_loss"),
    ],
    ids=lambda quantiser: type(quantiser).__name__,
)
def test_other_quantisers_are_trained_and_saved(quantiser, tmp_path):
    """Of the moving average the conformance tests see to that."""
    keras.utils.set_random_seed(0)
    model = vq_vae(quantiser, activation="elu")  # of relu all may be dead at the start
    model.build((None, *SHAPE))
    model.compile("adam")
    before = [weight.numpy() for weight in model.trainable_weights]
    logged = model.fit(X, batch_size=40, verbose=0).history
    assert set(logged) == {"loss", "elbo", "nll", "kl", "perplexity", *quantiser.term_factors}
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.encode(X), model.encode(X))
    assert len(np.unique(model.encode(X))) > 1, "else every code is right"
    assert loaded.fit(X, batch_size=40, verbose=0).history == (
        model.fit(X, batch_size=40, verbose=0).history
    )


def test_samples_are_of_uniform_codes_and_of_the_noise_alone(trained):
    model, _ = trained
    codes = model.generate(Noise(3, row=tf.range(3000)), {})
    assert codes.shape == (3000, 2, 2)
    assert codes.dtype == tf.int32
    for place in codes.numpy().reshape(-1, 4).T:
        assert stats.chisquare(np.bincount(place, minlength=K)).pvalue > 1e-3
    np.testing.assert_array_equal(model.generate(Noise(3, row=tf.range(7)), {}), codes[:7])
    many, few = model.sample(6, seed=3), model.sample(2, seed=3)
    np.testing.assert_allclose(many[:2], few, atol=1e-6)
    np.testing.assert_allclose(few, model.decode(codes[:2]), atol=1e-6)
    with pytest.raises(UserError, match="the temperature must be 1"):
        model.sample(2, seed=3, temperature=0.5)


def test_codes_may_have_any_leading_axes(trained):
    model, _ = trained
    codes = model.encode(X[:6])
    folded = model.decode(codes.reshape(2, 3, 2, 2))
    np.testing.assert_allclose(folded, tf.reshape(model.decode(codes), [2, 3, *SHAPE]), atol=1e-6)
    drawn = model.emit(Noise(1, row=tf.range(6)), codes)
    assert set(np.unique(drawn)) <= {0.0, 1.0}
    assert drawn.shape == (6, *SHAPE)


@pytest.mark.parametrize(
    ("codes", "error", "said"),
    [
        (np.full((1, 2, 2), K), UserError, f"from 0 to {K - 1}; received values between 6 and 6"),
        (np.full((1, 2, 2), -1), UserError, "received values between -1 and -1"),
        (np.zeros((1, 3, 2), int), UserError, r"shape \[\.\.\., 2, 2\]; received \(1, 3, 2\)"),
        (np.zeros((1, 2, 2)), UserTypeError, "whole numbers .int32.; received float64"),
    ],
)
def test_codes_that_are_none_are_refused_in_one_line(trained, codes, error, said):
    with pytest.raises(error, match=said):
        trained[0].decode(codes)


def test_what_it_can_do(trained):
    assert can(trained[0], Encodes, Decodes, Generates, Emits)
    assert "evaluate() reports a bound" in lack(trained[0], "score()", Scores)


def test_the_weight_of_the_commitment_is_the_quantisers_and_changes_over_time():
    model = vq_vae(quantisers.VectorQuantised(K, 3, commitment_weight=0.5))
    assert float(model.term_weight("commitment")) == 0.5
    model.term_weight("commitment").assign(2.0)
    model(X)
    terms = model.loss_terms({"x": tf.constant(X)}, training=False).terms
    expected = np.mean(terms["nll"]) + 2.0 * np.mean(terms["commitment"])
    np.testing.assert_allclose(sum(model.losses), expected, rtol=1e-5)


def test_gumbel_codes_draw_while_training_and_rest_otherwise():
    keras.utils.set_random_seed(0)
    model, batch = vq_vae(quantisers.GumbelCodes(K, 3)), {"x": tf.constant(X)}
    model.build((None, *SHAPE))
    first, second = (model.quantised(batch, training=True).indices for _ in range(2))
    assert np.mean(first != second) > 0.5
    np.testing.assert_array_equal(model.encode(X), model.quantised(batch).indices)


def test_features_without_places_and_other_shapes_are_refused():
    parts = (quantisers.VectorQuantised(K, 3), Decoder(networks.MLP([4]), heads.Poisson((5,))))
    with pytest.raises(UserError, match=r"returns shape \(1,\); expected features \[B, \.\.\., F"):
        tfvae.VQVAE(keras.layers.Lambda(lambda x: x[:, 0]), *parts).build((None, 5))
    with pytest.raises(UserError, match="the decoder's head makes"):
        vq_vae().build((None, 8, 8, 3))
    with pytest.raises(UserTypeError, match=r"quantiser must be .*see tfvae\.quantisers"):
        tfvae.VQVAE(networks.MLP([4]), networks.MLP([4]), parts[1])


def test_a_first_batch_of_too_few_vectors_is_refused_in_fit():
    model = vq_vae(quantisers.VectorQuantised(64, 3))
    model.compile("adam")
    with pytest.raises(UserError, match="first batch, which has 32 vectors"):
        model.fit(X, batch_size=8, verbose=0)
    data = tf.data.Dataset.from_tensor_slices(X)
    for batches in (data.batch(8), data.batch(8, drop_remainder=True), data.take(8).batch(64)):
        with pytest.raises(UserError, match="first batch, which has 32 vectors"):
            model.fit(batches, verbose=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"first batch, which has .*32"):
        model.fit((batch for batch in data.batch(8)), steps_per_epoch=2, verbose=0)
    model.fit(data.batch(64), verbose=0)  # and 16, of 64 vectors
    model.fit(data.take(70).batch(64), verbose=0)  # and 6, of 24
    model.fit(X, batch_size=8, verbose=0)  # it has begun
