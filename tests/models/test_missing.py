"""Rows with holes, against probabilistic PCA, whose log p(x_seen) is known."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import tests.models.linear_missing as exact
import tfvae
from tfvae import heads, networks, objectives
from tfvae.errors import UserError, UserTypeError

SAME = {"x": exact.X, "seen": exact.SAME}
MIXED = {"x": exact.X, "seen": exact.MIXED}
HOLES = np.where(exact.MIXED > 0, exact.X, np.nan).astype("float32")


def small(**options):
    head = options.pop("head", None) or heads.IndependentNormal((5,))
    return tfvae.MissingDataVAE(
        tfvae.Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([8]), head),
        seed=5,
        **options,
    )


@pytest.fixture(scope="module")
def exact_model():
    return exact.exact_model()


@pytest.fixture(scope="module")
def model():
    made = small()
    made.build((None, 5))
    made.compile("adam", jit_compile=False)
    return made


def test_importance_weights_of_the_exact_posterior_are_log_p(exact_model):
    """Every weight is p(x_seen), so one draw does."""
    found = exact_model.log_likelihood(SAME, num_samples=3, verbose=0)
    np.testing.assert_allclose(found.per_example, exact.log_p(exact.X, exact.SAME), atol=2e-5)
    np.testing.assert_allclose(found.effective_sample_size, 3.0, rtol=1e-4)


def test_the_bound_of_the_exact_posterior_is_log_p(exact_model):
    found = tfvae.evaluation.elbo(exact_model, SAME, num_samples=2000, seed=1)
    # Of log p(x_o|z), with 4.5 standard errors of 2000 draws: its spread is about that of a
    # quadratic in z, whose factor is below |w_o|^2 v / (2 t^2) + 2 |w_o| sqrt(v) / t.
    np.testing.assert_allclose(found.per_example, exact.log_p(exact.X, exact.SAME), atol=0.25)


@pytest.mark.parametrize("objective", [objectives.ELBO(), objectives.ImportanceWeighted(4)])
def test_every_objective_is_of_what_is_seen(objective):
    """`elbo` of exact q is log p(x_seen) up to the draw; were all counted, it would be far off."""
    model = exact.exact_model(objective=objective)
    data = {name: np.repeat(values, 200, axis=0) for name, values in SAME.items()}
    model.compile("sgd", jit_compile=False)
    found = model.evaluate(data, batch_size=2400, verbose=0, return_dict=True)
    assert found["elbo"] == pytest.approx(exact.log_p(exact.X, exact.SAME).mean(), abs=0.05)


def test_rows_of_every_pattern_have_their_likelihood():
    """By draws from the prior; a standard error of log p is 1 / sqrt(ESS)."""
    model = exact.exact_model(pattern=None)
    found = model.log_likelihood(MIXED, num_samples=20_000, verbose=0)
    error = np.abs(found.per_example - exact.log_p(exact.X, exact.MIXED))
    assert np.all(error < 4.5 / np.sqrt(found.effective_sample_size))
    assert np.all(error < 0.2)


def test_what_holes_contain_is_not_read(model):
    other = np.where(exact.MIXED > 0, exact.X, 7.0).astype("float32")
    for use in (model.encode, model.reconstruct):
        np.testing.assert_array_equal(use(MIXED), use({**MIXED, "x": other}))
    first, second = (
        model.log_likelihood({**MIXED, "x": x}, num_samples=3, verbose=0).per_example
        for x in (exact.X, other)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("seen", [exact.MIXED > 0, exact.MIXED.astype("int32")])
def test_masks_may_be_booleans_and_whole_numbers(model, seen):
    np.testing.assert_array_equal(model.encode({**MIXED, "seen": seen}), model.encode(MIXED))
    dataset = tf.data.Dataset.from_tensor_slices({**MIXED, "seen": seen}).batch(4)
    assert model.evaluate(dataset, verbose=0, return_dict=True)["kl"] > 0


def test_nan_is_a_hole_where_it_is_asked_for():
    model, plain = small(nan_is_missing=True), small()
    for made in (model, plain):
        made.build((None, 5))
        made.compile("sgd", jit_compile=False)
    model.set_weights(plain.get_weights())
    np.testing.assert_array_equal(model.encode(HOLES), plain.encode(MIXED))
    np.testing.assert_array_equal(
        model.log_likelihood(HOLES, num_samples=3, verbose=0).per_example,
        plain.log_likelihood(MIXED, num_samples=3, verbose=0).per_example,
    )
    losses = [made.fit(d, shuffle=False, verbose=0).history["loss"] for made, d in
              ((model, HOLES), (plain, MIXED))]  # fmt: skip
    assert losses[0] == losses[1]
    dataset = tf.data.Dataset.from_tensor_slices(HOLES).batch(4)
    assert np.isfinite(model.evaluate(dataset, verbose=0, return_dict=True)["elbo"])
    both = {"x": HOLES, "seen": np.eye(5, dtype="float32")[np.zeros(12, int)]}
    only_first = {"x": exact.X, "seen": both["seen"]}
    np.testing.assert_array_equal(model.encode(both), plain.encode(only_first))


def test_the_mask_is_shown_where_it_is_asked_for():
    model = small(show_seen=True)
    model.build((None, 5))
    zeros = np.zeros_like(exact.X)
    first, second = (model.encode({"x": zeros, "seen": m}) for m in (exact.SAME, 1 - exact.SAME))
    assert np.any(first != second)


def without_any(row):
    mask = exact.MIXED.copy()
    mask[row] = 0
    return mask


@pytest.mark.parametrize("as_dataset", [False, True])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({**MIXED, "seen": without_any(3)}, "is 0 everywhere in example 3.*nothing is seen"),
        ({**MIXED, "seen": exact.MIXED / 2}, "expected ones and zeros.*A mask is 1"),
        ({**MIXED, "seen": 2 * exact.MIXED}, "expected ones and zeros.*A mask is 1"),
        ({**MIXED, "seen": -exact.MIXED}, "expected ones and zeros.*A mask is 1"),
        ({**MIXED, "x": HOLES}, "MissingDataVAE.*nan_is_missing=True"),
    ],
)
def test_masks_that_are_none_are_refused(model, data, message, as_dataset):
    if as_dataset:
        data = tf.data.Dataset.from_tensor_slices(data).batch(12)
    with pytest.raises((UserError, tf.errors.InvalidArgumentError), match=message):
        model.evaluate(data, verbose=0)


def test_rows_without_a_mask_are_refused_by_name(model):
    with pytest.raises(UserError, match="lacks the field 'seen'"):
        model.fit(exact.X, verbose=0)


@pytest.mark.parametrize("as_dataset", [False, True])
def test_a_row_of_nan_alone_is_refused(as_dataset):
    model = small(nan_is_missing=True)
    model.compile("sgd", jit_compile=False)
    data = HOLES.copy()
    data[2] = np.nan
    if as_dataset:
        data = tf.data.Dataset.from_tensor_slices(data).batch(12)
    with pytest.raises((UserError, tf.errors.InvalidArgumentError), match="NaN everywhere in ex"):
        model.evaluate(data, verbose=0)


def test_infinity_is_no_hole():
    model = small(nan_is_missing=True)
    model.build((None, 5))
    with pytest.raises(UserError, match="NaN or infinite"):
        model.encode(np.where(np.isnan(HOLES), np.inf, HOLES))


def test_entries_that_depend_on_each_other_are_refused_at_once():
    model = small(head=heads.Multinomial((5,)))
    with pytest.raises(UserError, match="Multinomial: The entries of a BagOfWords depend"):
        model.build((None, 5))


def test_parts_of_another_kind_are_refused():
    with pytest.raises(UserTypeError, match="encoder"):
        tfvae.MissingDataVAE(networks.MLP([8]), None)


def test_training_finds_how_entries_depend_on_each_other():
    """Of rows near a line, half of whose entries are missing: log p of whole, held-out rows."""
    rng = np.random.default_rng(1)
    w = np.array([1.0, -1.0, 1.5, 2.0, -1.0])
    x = rng.normal(size=(1200, 1)) * w + 0.5 * rng.normal(size=(1200, 5))
    seen = np.maximum(rng.random(x.shape) > 0.5, np.eye(5)[rng.integers(0, 5, 1200)])
    x, seen = x.astype("float32"), seen.astype("float32")
    keras.utils.set_random_seed(1)
    model = small(head=heads.IndependentNormal((5,), scale="learned"))
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    model.fit({"x": x[:1000], "seen": seen[:1000]}, batch_size=100, epochs=30, verbose=0)
    whole = {"x": x[1000:], "seen": np.ones_like(x[1000:])}
    found = model.log_likelihood(whole, num_samples=500, verbose=0).mean
    covariance = np.outer(w, w) + 0.25 * np.eye(5)
    of_all, of_each = (
        np.mean(scipy.stats.multivariate_normal.logpdf(x[1000:], np.zeros(5), c))
        for c in (covariance, np.diag(np.diag(covariance)))
    )
    # Entry by entry nothing better than the second is possible; the first is the truth.
    assert of_each + 0.5 * (of_all - of_each) < found < of_all + 0.2
