"""A prior of several maps of codes: exact, triangular, drawn from the top down."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.conformance.test_training import assert_equal_bits, values
from tests.flows.made import moved
from tests.models.level_codes import prior
from tfvae import evaluation, networks
from tfvae.distributions.draws import NoTemperatureError
from tfvae.errors import UserError, UserTypeError
from tfvae.models.capabilities import ScoresExactly, ScoresLevels, can
from tfvae.networks.pixel_draws import level_at
from tfvae.noise import Noise

TOP = (1, 2)  # and a bottom of 2 x 4: ten codes, of two 1,024 rows
COUNT = 10
ROWS = np.array(list(itertools.product(range(2), repeat=COUNT)), "int32")
LABEL = np.arange(40, dtype="int32") % 3
CODES = np.random.default_rng(0).integers(0, 2, (40, COUNT)).astype("int32")
MAKES = pytest.mark.parametrize("make", [networks.GatedPixelCNN, networks.PixelSNAIL])


@pytest.fixture(scope="module")
def sharp():
    """A model far from uniform."""
    return moved(prior(COUNT, TOP, networks.PixelSNAIL), by=0.3)


def test_probabilities_of_all_codes_sum_to_one(sharp):
    found = sharp.log_prob({"x": tf.constant(ROWS)}).numpy().astype("float64")
    assert np.exp(found).sum() == pytest.approx(1.0, abs=1e-5)
    assert np.ptp(found) > 3


def test_each_level_sums_to_one_given_those_above(sharp):
    levels = sharp.log_prob_by_level({"x": tf.constant(ROWS)})
    assert list(levels) == ["z2", "z1"]
    top = np.exp(levels["z2"].numpy().astype("float64").reshape(4, 256))
    np.testing.assert_allclose(top, np.repeat(top[:, :1], 256, axis=1), rtol=1e-5)
    assert top[:, 0].sum() == pytest.approx(1.0, abs=1e-5)
    bottom = np.exp(levels["z1"].numpy().astype("float64").reshape(4, 256))
    np.testing.assert_allclose(bottom.sum(axis=1), 1.0, atol=1e-5)
    assert np.abs(bottom[0] - bottom[3]).max() > 1e-3, "the top says nothing"


def test_three_levels_sum_to_one():
    """Of 1 x 1, 2 x 2 and 4 x 4 codes of two: 2^21 rows; of each top and middle some bottoms."""
    model = moved(prior(21, (1, 1)), by=0.2)
    first = np.array(list(itertools.product(range(2), repeat=5)), "int32")
    rows = np.concatenate([first, np.zeros((32, 16), "int32")], axis=1)
    levels = model.log_prob_by_level({"x": tf.constant(rows)})
    above = np.exp((levels["z3"] + levels["z2"]).numpy().astype("float64"))
    assert above.sum() == pytest.approx(1.0, abs=1e-5)
    changed = rows.copy()
    changed[:, 0] = 1 - changed[:, 0]
    other = model.log_prob_by_level({"x": tf.constant(changed)})["z1"]
    assert np.abs(other - levels["z1"]).max() > 1e-4, "the bottom does not see the top"


@MAKES
def test_logits_depend_on_what_comes_before_alone(make):
    """d logits_i / d e_j of all codes in a row is 0 unless j < i: within each level, and across."""
    model = moved(prior(COUNT, TOP, make), by=0.3)
    base = np.zeros(COUNT, "int32")
    flipped = np.stack([np.where(np.arange(COUNT) == j, 1, base) for j in range(COUNT)])
    plain = in_order(model, base[np.newaxis])[0]
    moved_by = np.abs(in_order(model, flipped) - plain).max(axis=-1)  # [j, i]
    np.testing.assert_allclose(moved_by[np.tril_indices(COUNT)], 0.0, atol=1e-5)  # i <= j
    bottom_of_top = moved_by[:2, 2:]
    assert np.all(bottom_of_top.max(axis=0) > 1e-3), "a place of the bottom is blind to the top"


def in_order(model, rows):
    logits = model.logits({"x": tf.constant(rows)})
    return np.concatenate([of.numpy().reshape(len(rows), -1, 2) for of in logits.values()], axis=1)


@MAKES
def test_draws_are_those_of_the_naive_loop(make):
    model = moved(prior(COUNT, TOP, make, conditions={"label": tfvae.Field.label(3)}), by=0.3)
    label = tf.constant([2, 0, 1, 1])
    noise = Noise(7, row=tf.range(4))
    uniform, rows = noise.uniform(COUNT), np.zeros((4, COUNT), "int32")
    for i in range(COUNT):
        logits = np.stack([in_order_given(model, rows, label)[:, i]])
        rows[:, i] = level_at(tf.constant(logits[0]), uniform[:, i])
    np.testing.assert_array_equal(model.generate(noise, {"label": label}), rows)
    assert 0 < rows.mean() < 1


def in_order_given(model, rows, label):
    logits = model.logits({"x": tf.constant(rows), "label": label})
    return np.concatenate([of.numpy().reshape(len(rows), -1, 2) for of in logits.values()], axis=1)


def test_draws_are_from_these_probabilities(sharp):
    """Pearson's statistic of 20,000 draws over 1,024 rows."""
    count = 20_000
    x = sharp.sample(count, seed=1).numpy()
    found = np.bincount(x @ 2 ** np.arange(COUNT)[::-1], minlength=len(ROWS))
    expected = count * np.exp(sharp.log_prob({"x": tf.constant(ROWS)}).numpy())
    likely = expected > 1  # what is rarer has no such statistic of its own
    rest = found[~likely].sum() - expected[~likely].sum()
    assert abs(rest) < 5 * np.sqrt(expected[~likely].sum()) + 1
    statistic = np.sum((found - expected)[likely] ** 2 / expected[likely])
    assert statistic < likely.sum() + 5 * np.sqrt(2 * likely.sum())


def test_evaluation_reports_the_exact_likelihood(sharp):
    exact = sharp.log_prob({"x": tf.constant(CODES)})
    estimate = evaluation.log_likelihood(sharp, CODES, num_samples=3, verbose=0)
    np.testing.assert_allclose(estimate.per_example, exact, rtol=1e-5)
    assert can(sharp, ScoresExactly, ScoresLevels)


@pytest.fixture(scope="module")
def fitted():
    """A model given labels, what it was before, and what was logged."""
    keras.utils.set_random_seed(3)
    model = prior(20, (2, 2), conditions={"label": tfvae.Field.label(3)})  # of rows above each
    model.compile(keras.optimizers.Adam(1e-2))
    before = [weight.numpy() for weight in model.trainable_weights]
    return model, before, model.fit(inputs(), batch_size=10, verbose=0).history


def inputs():
    return {"x": np.concatenate([CODES, 1 - CODES], axis=1), "label": LABEL}


def test_every_weight_is_trained_and_levels_add_up(fitted):
    model, before, history = fitted
    assert set(history) == {"loss", "nll", "nll_1", "nll_2"}
    assert history["nll_1"][0] + history["nll_2"][0] == pytest.approx(history["nll"][0], rel=1e-5)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path


def test_it_is_saved_and_goes_on_bit_for_bit(fitted, tmp_path):
    model, *_ = fitted
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert_equal_bits(values(loaded), values(model))
    histories = [one.fit(inputs(), batch_size=10, verbose=0).history for one in (model, loaded)]
    assert histories[0] == histories[1]
    assert_equal_bits(values(loaded), values(model))
    assert loaded.fields() == model.fields()
    np.testing.assert_array_equal(
        loaded.sample(3, seed=1, label=2), model.sample(3, seed=1, label=2)
    )


def test_networks_of_levels_may_differ():
    top = networks.PixelSNAIL(2, filters=8, num_layers=2, first_kernel_size=3)
    below = networks.GatedPixelCNN(2, filters=4, num_layers=1, first_kernel_size=3)
    model = tfvae.LevelsPixelCNN(top, (COUNT,), TOP, [below])
    model.build(None)
    assert model.sample(2, seed=1).shape == (2, COUNT)
    assert not any("attention" in weight.path for weight in model.below[0].weights)


def test_mixed_bfloat16_is_near_float32():
    keras.utils.set_random_seed(3)
    plain, mixed = (prior(COUNT, TOP, dtype=policy) for policy in ("float32", "mixed_bfloat16"))
    mixed.set_weights(plain.get_weights())
    batch = {"x": tf.constant(CODES)}
    found = mixed.log_prob(batch)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, plain.log_prob(batch), rtol=0.03)
    assert mixed.sample(2, seed=1).dtype == tf.int32


def test_a_temperature_is_refused(sharp):
    with pytest.raises(NoTemperatureError, match="the temperature must be 1"):
        sharp.sample(2, temperature=0.5)


def gated(codes=2):
    return networks.GatedPixelCNN(codes, filters=4, num_layers=1, first_kernel_size=3)


@pytest.mark.parametrize(
    ("shape", "top", "below", "said"),
    [
        ((11,), TOP, None, "11 codes are not those of a top map of 1x2 .* two levels have 10"),
        ((2,), TOP, None, "2 codes are not those of .* for codes of one map, use a PixelCNN"),
        ((5, 2), TOP, None, r"event_shape is \(5, 2\); expected \(P,\)"),
        ((10,), (2,), None, r"top_shape must be \(height, width\)"),
        ((10,), TOP, [gated(3)], "network of below has 3 levels, and that of the top has 2"),
        ((10,), TOP, [gated(), gated()], "below has 2 networks, and there are 1 maps"),
        ((10,), TOP, gated(), "below must be a list of networks, from the second map down"),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_made(shape, top, below, said):
    with pytest.raises((UserError, UserTypeError), match=said):
        tfvae.LevelsPixelCNN(gated(), shape, top, below)
