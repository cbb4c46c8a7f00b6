"""The semi-supervised VAE against exact log p(x), log p(x, y) and p(y|x), and what it refuses."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import tfvae
from tests.models import linear_semi_supervised as exact
from tests.models.tiny import IMAGES, SHAPE
from tfvae import Field, heads, networks, objectives, priors
from tfvae.errors import UserError, UserTypeError
from tfvae.export.saved_models.draws import check_draws
from tfvae.export.servables.encoder import EncoderServable
from tfvae.runs.measuring import measure_classification, without

CLASSES = 3
LABEL = np.where(np.arange(len(IMAGES)) < 6, np.arange(len(IMAGES)) % CLASSES, -1).astype("int32")
DATA = {"x": IMAGES, "label": LABEL}


def parts(classes=CLASSES, head=None, likelihood=None):
    return (
        tfvae.Encoder(networks.MLP([8]), head or heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([8]), likelihood or heads.IndependentBernoulli(SHAPE)),
        tfvae.Encoder(networks.MLP([8]), heads.LatentCategorical(classes, classes)),
    )


def semi_supervised(conditions=None, made=None, **options):
    conditions = {"label": Field.label(CLASSES)} if conditions is None else conditions
    return tfvae.SemiSupervisedVAE(*(made or parts()), conditions, seed=5, **options)


@pytest.fixture(scope="module")
def model():
    made = semi_supervised()
    made.build((None, *SHAPE))
    made.compile("adam", jit_compile=False)
    return made


@pytest.fixture(scope="module")
def exact_model():
    return exact.exact_model()


def test_the_classifier_is_bayes_rule(exact_model):
    found = exact_model.class_probabilities({"x": tf.constant(exact.X)})
    np.testing.assert_allclose(found, exact.POSTERIOR, atol=1e-5)


@pytest.mark.parametrize("labels", [True, False])
def test_importance_weights_of_the_exact_posterior_are_log_p(exact_model, labels):
    """Summed over classes every weight is p(x), or p(x, y) with a label: one draw does."""
    data = exact.DATA if labels else exact.X
    found = exact_model.log_likelihood(data, num_samples=3, verbose=0)
    expected = exact.LOG_KNOWN if labels else exact.LOG_P
    np.testing.assert_allclose(found.per_example, expected, atol=2e-4)
    np.testing.assert_allclose(found.effective_sample_size, 3.0, rtol=1e-3)


def test_the_bound_of_the_exact_posterior_is_log_p(exact_model):
    """The likelihood's share is estimated, from 500 draws: 4.5 standard errors."""
    found = tfvae.evaluation.elbo(exact_model, exact.DATA, num_samples=500, seed=1)
    spread = np.sqrt(exact.VARIANCE) * np.linalg.norm(exact.W) / exact.T
    np.testing.assert_allclose(found.per_example, exact.LOG_KNOWN, atol=13.5 * spread / 500**0.5)
    assert found.mean == pytest.approx(exact.LOG_KNOWN.mean(), abs=0.1)


def test_the_bound_of_a_wrong_classifier_is_lower_by_its_divergence():
    """U(x) = -log p(x) + KL(q(y|x) || p(y|x)) of the exact q(z|x, y); of a label, nothing."""
    model = exact.exact_model()
    head = model.classifier.head.projection
    head.kernel.assign(np.zeros(head.kernel.shape))
    head.bias.assign(np.zeros(exact.CLASSES))
    divergence = np.sum((np.log(1 / 3) - np.log(exact.POSTERIOR)) / 3, axis=1)
    expected = exact.LOG_KNOWN - np.where(exact.LABEL >= 0, 0.0, divergence)
    found = tfvae.evaluation.elbo(model, exact.DATA, num_samples=2000, seed=1)
    spread = np.sqrt(exact.VARIANCE) * np.linalg.norm(exact.W) / exact.T
    np.testing.assert_allclose(found.per_example, expected, atol=13.5 * spread / 2000**0.5)
    assert divergence[exact.LABEL < 0].min() > 0.1
    # The weights, summed over classes, do not depend on q(y|x).
    exactly = model.log_likelihood(exact.DATA, num_samples=2, verbose=0)
    np.testing.assert_allclose(exactly.per_example, exact.LOG_KNOWN, atol=2e-4)


def test_draws_of_the_prior_estimate_the_same(exact_model):
    found = tfvae.evaluation.naive_log_likelihood(exact_model, exact.DATA, 40_000, verbose=0)
    near = found.effective_sample_size > 300
    assert near.sum() >= 4
    np.testing.assert_allclose(found.per_example[near], exact.LOG_KNOWN[near], atol=0.3)


def test_the_loss_is_the_papers():
    """Of one batch, with S = 400 draws: eq. 9 over N, its parts logged without weights."""
    model = exact.exact_model(objective=objectives.ELBO(num_samples=400), alpha=0.7)
    model.labelled_share.assign(0.5)  # as fit finds it
    model.compile("adam", jit_compile=False)
    found = model.evaluate(exact.DATA, batch_size=exact.ROWS, verbose=0, return_dict=True)
    known = exact.LABEL >= 0
    right = -np.log(exact.POSTERIOR[np.arange(exact.ROWS), exact.LABEL])[known]
    assert found["classification_nll"] == pytest.approx(right.mean(), rel=1e-4)
    assert found["elbo"] == pytest.approx(exact.LOG_KNOWN.mean(), abs=0.2)
    assert found["loss"] == pytest.approx(0.7 * right.mean() - found["elbo"], rel=1e-4)
    hits = exact.POSTERIOR.argmax(axis=1) == exact.LABEL
    assert found["accuracy"] == pytest.approx(hits[known].mean())
    kl = np.sum(exact.POSTERIOR * np.log(exact.POSTERIOR / exact.PRIOR), axis=1)[~known]
    assert found["class_kl"] == pytest.approx(kl.mean(), rel=1e-4)


def test_of_rows_without_a_label_no_accuracy_is_logged(exact_model):
    """And of rows that all have one no KL of classes; whatever there is, batches agree on it."""
    exact_model.compile("adam", jit_compile=False)
    known = exact.LABEL >= 0
    for chosen, missing in ((~known, {"accuracy", "classification_nll"}), (known, {"class_kl"})):
        data = {name: value[chosen] for name, value in exact.DATA.items()}
        found = exact_model.evaluate(data, batch_size=4, verbose=0, return_dict=True)
        assert {name for name, value in found.items() if np.isnan(value)} == missing
    # Six rows with a label, then six without: batches of the second kind count for nothing.
    found = exact_model.evaluate(exact.DATA, batch_size=6, verbose=0, return_dict=True)
    hits = exact.POSTERIOR.argmax(axis=1) == exact.LABEL
    assert found["accuracy"] == pytest.approx(hits[known].mean())


def test_samples_have_the_mean_of_their_class_or_of_all(exact_model):
    """4.5 standard errors of 4000 draws, of a class or of the mixture."""
    count = 4000
    for label in (*range(exact.CLASSES), None):
        given = {} if label is None else {"label": label}
        drawn = exact_model.sample(count, seed=2, **given).numpy()
        shares = exact.PRIOR if label is None else np.eye(exact.CLASSES)[label]
        mean = shares @ exact.U + exact.B
        spread = np.sqrt(exact.W**2 + shares @ (exact.U**2) - (shares @ exact.U) ** 2)
        assert np.all(np.abs(drawn.mean(axis=0) - mean) < 4.5 * spread / count**0.5), label
    np.testing.assert_array_equal(
        exact_model.sample(5, seed=1), exact_model.sample(5, seed=1, label=-1)
    )


def test_draws_of_classes_are_as_frequent_as_the_prior_says(exact_model):
    y = exact_model.generate(tfvae.Noise(3, row=tf.range(3000)))["y"].numpy()
    assert scipy.stats.chisquare(y.sum(axis=0), 3000 * exact.PRIOR).pvalue > 1e-4


def test_what_is_served_is_drawn_from_the_densities(exact_model):
    assert check_draws(exact_model) == []


def test_the_served_classifier_is_bayes_rule(exact_model):
    signature = EncoderServable(exact_model).signatures()["classify"]
    found = signature.concrete()(x=tf.constant(exact.X))
    np.testing.assert_allclose(found["probabilities"], exact.POSTERIOR, atol=1e-5)
    np.testing.assert_array_equal(found["label"], exact.POSTERIOR.argmax(axis=1))


def test_a_run_measures_the_rows_with_a_label(exact_model):
    known, right = exact.LABEL >= 0, exact.POSTERIOR.argmax(axis=1) == exact.LABEL
    found = measure_classification(exact_model, exact.DATA)
    assert found["num_labels"] == known.sum()
    assert found["error"] == pytest.approx(1 - right[known].mean())
    assert set(without(exact.DATA, "label")) == {"x"}


def test_a_given_label_takes_the_place_of_the_code_s(exact_model):
    codes = exact_model.encode({"x": tf.constant(exact.X)})
    moved = exact_model.decode(codes, {"label": tf.fill([exact.ROWS], 1)})
    y = tf.one_hot(tf.fill([exact.ROWS], 1), exact.CLASSES)
    np.testing.assert_array_equal(moved, exact_model.decode({**codes, "y": y}))
    kept = exact_model.decode(codes, {"label": tf.fill([exact.ROWS], -1)})
    np.testing.assert_array_equal(kept, exact_model.decode(codes))


def test_an_mlp_s_share_of_x_is_made_once_and_the_posteriors_are_the_same(model):
    x, each = tf.constant(IMAGES), tf.eye(CLASSES)
    found = model.encoder.parameters_of_each({"x": x}, {"label": each})
    expected = model.encoder.parameters({"x": x, "label": each[:, tf.newaxis]})
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5, err_msg=name)
        assert np.abs(value[0] - value[1]).max() > 1e-3, name


def patterns(rows=96, labelled=6, seed=0):
    """Three noisy patterns, of which few have labels."""
    rng = np.random.default_rng(seed)
    pattern = rng.random((CLASSES, *SHAPE)) > 0.5
    label = (np.arange(rows) % CLASSES).astype("int32")
    x = (pattern[label] ^ (rng.random((rows, *SHAPE)) < 0.25)).astype("float32")
    return x, label, np.where(np.arange(rows) < labelled, label, -1).astype("int32")


def test_training_finds_classes_that_few_labels_name():
    x, label, few = patterns()
    keras.utils.set_random_seed(1)
    model = semi_supervised(alpha=1.0)
    model.compile(keras.optimizers.Adam(2e-2), jit_compile=False)
    model.fit({"x": x, "label": few}, batch_size=32, epochs=25, verbose=0)
    found = model.class_probabilities({"x": tf.constant(x)}).numpy().argmax(axis=1)
    assert np.mean(found[6:] == label[6:]) > 0.95
    assert float(model.labelled_share) == pytest.approx(6 / 96)


def test_a_file_keeps_the_label_and_the_share(tmp_path, model):
    model.labelled_share.assign(0.25)
    model.save(tmp_path / "model.keras")
    loaded = tfvae.load_model(tmp_path / "model.keras")
    assert loaded.conditions() == model.conditions()
    assert float(loaded.labelled_share) == 0.25
    model.labelled_share.assign(1.0)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (LABEL + 3, r"values from 2 to 5; expected whole numbers from 0 to 2, or -1 for unknown"),
        (LABEL - 1, "values from -2"),
        (LABEL + 0.5, "dtype float64; expected whole numbers.*, if no value is a fraction"),
        (np.eye(CLASSES)[LABEL], r"rank 2.* no one-hot rows: x.argmax\(axis=1\)"),
        (LABEL[:-1], "different lengths"),
    ],
)
def test_labels_that_do_not_fit_are_refused(model, label, message):
    data = {"x": IMAGES, "label": label}
    for use in (model.fit, model.evaluate, model.log_likelihood):
        with pytest.raises((ValueError, TypeError), match=message):
            use(data, verbose=0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (IMAGES, "have no field 'label'.*train a tfvae.VAE"),
        ({"x": IMAGES, "label": np.full_like(LABEL, -1)}, "All .* are -1, unknown"),
        ({"x": IMAGES, "label": np.where(LABEL == 1, -1, LABEL)}, "No training example of class 1"),
        (tf.data.Dataset.from_tensor_slices(DATA).batch(4), "does not say"),
    ],
)
def test_training_data_without_the_labels_it_needs_are_refused(model, data, message):
    with pytest.raises(UserError, match=message):
        model.fit(data, verbose=0)


def test_a_hole_is_refused_where_labels_are_all_needed():
    holes = {"label": Field.label(CLASSES, holes=True)}
    encoder, decoder, _ = parts()
    with pytest.raises(UserError, match=r"unknown labels.*--model semi_supervised"):
        tfvae.ConditionalVAE(encoder, decoder, holes)
    model = tfvae.ConditionalVAE(encoder, decoder, {"label": Field.label(CLASSES)})
    model.compile("adam", jit_compile=False)
    with pytest.raises(UserError, match=r"values from -1 .*-1 is an unknown label"):
        model.fit(DATA, verbose=0)


@pytest.mark.parametrize(
    ("conditions", "error", "message"),
    [
        ({}, UserError, "one condition, its label; received none.*--fields x,label"),
        (3, UserTypeError, "expected the label"),
        ({"x": Field.label(3)}, UserError, "has the name 'x'"),
        ({"y": Field.label(3)}, UserError, "has the name 'y'"),
        ({"label": Field.label(1)}, UserError, "K at least 2"),
        ({"label": Field((2,))}, UserError, "expected a label.*argmax"),
        ({"label": Field((), interval=None)}, UserError, "expected a label.*Save whole numbers"),
        ({"label": Field((), "int32", None)}, UserError, "all are -1, unknown"),
        ({"label": Field((), "int32", (1, 3))}, UserError, "expected a label"),
        ({"label": Field.label(4)}, UserError, "label has 4 classes; expected Encoder"),
        ({"a": Field.label(3), "b": Field.label(3)}, UserError, "one condition"),
    ],
)
def test_conditions_that_are_no_label_are_refused(conditions, error, message):
    with pytest.raises(error, match=message):
        semi_supervised(conditions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -1.0}, "alpha"),
        ({"class_prior": [0.5, 0.5]}, "expected 3 numbers above 0"),
        ({"class_prior": [0.5, 0.5, 0.5]}, "add up to 1"),
        ({"prior": priors.ConditionalNormal(2)}, "depends on condition"),
        ({"prior": priors.StandardNormal(3)}, "same latent_size"),
        ({"objective": objectives.ELBO(gradient="score_function")}, "one class of each example"),
        ({"made": parts(head=heads.LatentBernoulli(2))}, "drawn differentiably"),
        ({"made": parts(head=heads.PointCode(2))}, "drawn differentiably"),
        ({"made": parts(head=heads.GaussianMixture(2))}, "from one distribution"),
        (
            {"made": parts(likelihood=heads.IndependentNormal(SHAPE, scale="optimal"))},
            "once for every class",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        semi_supervised(**options)


@pytest.mark.parametrize(
    "objective",
    [objectives.ImportanceWeighted(2), objectives.Hybrid(0.5), objectives.ELBO(analytic_kl=False)],
)
def test_other_objectives_train_it(objective):
    model = semi_supervised(objective=objective)
    model.compile("adam", jit_compile=False)
    history = model.fit(DATA, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
