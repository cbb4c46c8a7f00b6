"""A conditional model whose likelihood is of what is not given, by exact sums over the rest."""

import itertools

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import tfvae
from tfvae import Field, heads, networks, presets
from tfvae.errors import UserError

SHAPE = (2, 2, 1)
RNG = np.random.default_rng(3)


def small(**options):
    return tfvae.ConditionalVAE(
        tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(1)),
        tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli(SHAPE)),
        {"visible": Field(SHAPE)},
        seed=5,
        **{"counted": "counted", **options},
    )


@pytest.fixture(scope="module")
def model():
    made = small()
    made.build((None, *SHAPE))
    made.compile("adam", jit_compile=False)
    # q(z|x, c) wider than the prior: importance weights are bounded, whatever the weights are.
    kernel, bias = made.encoder.head.trainable_variables
    kernel.assign(tf.zeros_like(kernel))
    bias.assign([0.0, 1.5])
    return made


def batch(bits, seen):
    x = np.asarray(bits, "float32").reshape(-1, *SHAPE)
    seen = np.broadcast_to(np.reshape(seen, SHAPE), x.shape).astype("float32")
    return {"x": x, "visible": np.where(seen > 0, x, 0.5).astype("float32"), "counted": 1 - seen}


def test_probabilities_of_what_is_not_seen_sum_to_one(model):
    """Over all bits of the unseen pixels, the seen ones fixed: by Gauss-Hermite quadrature in z."""
    seen = [1, 0, 0, 0]
    every = [(1, *rest) for rest in itertools.product((0, 1), repeat=3)]
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    log_weights = np.log(weights) - 0.5 * np.log(2 * np.pi)
    given = {name: tf.constant(value) for name, value in batch(every, seen).items()}
    z = tf.constant(np.tile(nodes[:, None, None], (1, len(every), 1)), tf.float32)
    log_p = model.infer(given).joint(z).log_likelihood.numpy().astype("float64")
    exact = np.log(np.sum(np.exp(log_p + log_weights[:, None]), axis=0))
    assert np.exp(exact).sum() == pytest.approx(1.0, abs=1e-4)
    found = model.log_likelihood(batch(every, seen), num_samples=20_000, verbose=0)
    np.testing.assert_allclose(found.per_example, exact, atol=0.05)
    assert found.num_discrete is None


def test_the_likelihood_of_a_draw_is_scipys_of_the_unseen_pixels(model):
    given = batch(RNG.random((6, 4)) > 0.5, [1, 1, 0, 0])
    tensors = {name: tf.constant(value) for name, value in given.items()}
    z = tf.constant(RNG.normal(size=(3, 6, 1)), tf.float32)
    probs = model.decode(z, {"visible": tensors["visible"]}).numpy()
    expected = given["counted"] * scipy.stats.bernoulli.logpmf(given["x"], probs)
    found = model.infer(tensors).joint(z).log_likelihood
    np.testing.assert_allclose(found, expected.sum(axis=(2, 3, 4)), rtol=1e-4, atol=1e-5)


def test_the_mask_is_no_condition_and_is_not_needed_to_draw(model):
    assert set(model.conditions()) == {"visible"}
    assert model.sample(3, seed=1, visible=np.full(SHAPE, 0.5)).shape == (3, *SHAPE)


def test_a_run_trains_on_the_unseen_part_alone():
    settings = presets.get("digits-quadrants", latent_size=2, **{"network.units": (8,)})
    from tfvae.runs.datasets import model_and_data

    made, (train, _) = model_and_data(settings)
    assert set(made.fields()) == {"x", "visible", "counted"}
    assert set(made.conditions()) == {"visible"}
    made.compile("adam", jit_compile=False)
    history = made.fit(train.take(2), verbose=0).history
    # 48 pixels of 64 in bits, where an untrained decoder gives about log 2 for each.
    assert history["nll"][0] == pytest.approx(48 * np.log(2), rel=0.1)


def test_the_field_of_conditions_that_counts_is_none():
    fields = {"visible": Field(SHAPE), "counted": Field.mask(SHAPE)}
    made = tfvae.ConditionalVAE(
        tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(1)),
        tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli(SHAPE)),
        fields,
        counted="counted",
    )
    assert set(made.conditions()) == {"visible"}


@pytest.mark.parametrize("counted", ["x", "visible", 3])
def test_a_name_that_is_taken_is_refused(counted):
    fields = {"visible": Field(SHAPE), "label": Field.label(3)}
    with pytest.raises(UserError, match="counted is"):
        small(counted=counted) if counted != "visible" else tfvae.ConditionalVAE(
            tfvae.Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(1)),
            tfvae.Decoder(networks.MLP([4]), heads.IndependentBernoulli(SHAPE)),
            fields,
            counted="z",
        )


def test_a_batch_without_the_mask_is_refused(model):
    data = batch([[0, 1, 1, 0]], [1, 0, 0, 0])
    del data["counted"]
    with pytest.raises(UserError, match="lacks the field 'counted'"):
        model.log_likelihood(data, num_samples=2, verbose=0)
