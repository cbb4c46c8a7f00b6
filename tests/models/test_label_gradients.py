"""One drawn label in the place of the sum over all: its mean gradient against the exact one.

The exact model with another classifier has U(x) = log p(x) - KL(q(y|x) || p(y|x)), so the gradient
of -U by the logits of q(y|x) is q_k (log(q_k / p(k|x)) - KL), whoever estimates it.

`pytest -n 0 -s tests/models/test_label_gradients.py -k bias` prints what it finds.
"""

import itertools

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

import tfvae
from tests.models import linear_semi_supervised as exact
from tests.models.test_semi_supervised import CLASSES, DATA, patterns, semi_supervised
from tfvae import objectives
from tfvae.errors import UserError
from tfvae.inference.by_class import ByClass
from tfvae.inference.drawn_class import DrawnClass

UNLABELLED = exact.X[exact.LABEL < 0]
COPIES, BATCHES = 400, 60
DRAWN = ("score_function", "gumbel_softmax")
LOGITS = 0.6 * np.random.default_rng(9).normal(size=exact.CLASSES)


def with_another_classifier(**options):
    """The exact model, its q(y|x) the same for all x."""
    model = exact.exact_model(**options)
    head = model.classifier.head.projection
    head.kernel.assign(np.zeros(head.kernel.shape))
    head.bias.assign(LOGITS)
    return model


def exact_gradient():
    """Of the mean of -U over the rows without a label, by the bias and the kernel: `[1 + P, K]`."""
    q = scipy.special.softmax(LOGITS)
    log_ratio = np.log(q) - np.log(exact.POSTERIOR[exact.LABEL < 0])
    by_logits = q * (log_ratio - (log_ratio @ q)[:, None])
    inputs = np.concatenate([np.ones((len(UNLABELLED), 1)), UNLABELLED], axis=1)
    return inputs.T @ by_logits / len(UNLABELLED)


def estimated_gradients(model, copies=COPIES, batches=BATCHES):
    """The same by training's own loss, of many batches of many copies: `[batches, 1 + P, K]`."""
    x = tf.constant(np.repeat(UNLABELLED, copies, axis=0))
    head = model.classifier.head.projection

    @tf.function
    def compute():
        with tf.GradientTape() as tape:
            model({"x": x}, training=True)
            loss = tf.add_n(model.losses)
        by_bias, by_kernel = tape.gradient(loss, [head.bias.value, head.kernel.value])
        return tf.concat([by_bias[tf.newaxis], by_kernel], axis=0)

    return np.stack([compute().numpy() for _ in range(batches)]).astype("float64")


def mean_and_error(found):
    return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found))


@pytest.mark.parametrize(
    "objective",
    [
        objectives.ELBO(),
        objectives.ELBO(num_samples=2, analytic_kl=False),
        objectives.ImportanceWeighted(2),  # of the exact q(z|x, y) the same bound
    ],
)
def test_the_score_function_is_unbiased(objective):
    """4.5 standard errors, at each of 15 weights of the classifier."""
    model = with_another_classifier(label_gradient="score_function", objective=objective)
    mean, error = mean_and_error(estimated_gradients(model))
    expected = exact_gradient()
    assert np.all(np.abs(mean - expected) < 4.5 * error + 1e-5)
    assert np.sum(np.abs(expected) > 6 * error) > 10, "else the comparison would show nothing"


def test_the_sum_over_classes_has_that_gradient():
    model = with_another_classifier()
    mean, error = mean_and_error(estimated_gradients(model, batches=10))
    assert np.all(np.abs(mean - exact_gradient()) < 6 * error + 1e-5)


@pytest.mark.parametrize("silent", ["nll", "kl"])
def test_no_weight_that_is_0_loses_the_score(silent):
    """What the other terms of q weigh has the gradient of the sum over classes: 4.5 errors."""
    found = []
    for gradient in ("score_function", "enumerated"):
        model = with_another_classifier(
            label_gradient=gradient, objective=objectives.Hybrid(alpha=1.0)
        )
        model.objective.term_weights[silent].assign(0.0)
        found.append(mean_and_error(estimated_gradients(model, batches=30)))
    (mean, error), (expected, rounding) = found
    assert np.all(np.abs(mean - expected) < 4.5 * np.hypot(error, rounding) + 1e-5)
    assert np.sum(np.abs(expected) > 6 * error) > 5, "else the comparison would show nothing"


def test_what_the_prior_draws_has_no_score():
    """`Hybrid(alpha=0)` says nothing of q(y|x): a gradient of 0, and no noise instead."""
    model = with_another_classifier(
        label_gradient="score_function", objective=objectives.Hybrid(alpha=0.0)
    )
    assert not estimated_gradients(model, copies=20, batches=2).any()


def test_the_bias_of_a_relaxed_label_shrinks_with_its_temperature():
    """It halves as the temperature does; each is above 4.5 standard errors of its estimate."""
    expected, biases = exact_gradient(), []
    for temperature in (2.0, 1.0, 0.5, 0.25):
        model = with_another_classifier(label_gradient="gumbel_softmax", temperature=temperature)
        mean, error = mean_and_error(estimated_gradients(model, copies=1500))
        biases.append(np.linalg.norm(mean - expected))
        assert biases[-1] > 4.5 * np.linalg.norm(error)
        print(f"t = {temperature}: bias {biases[-1]:.3f} of {np.linalg.norm(expected):.3f}")
    assert all(b < 0.65 * a for a, b in itertools.pairwise(biases))
    assert biases[-1] < 0.08 * np.linalg.norm(expected)


def test_the_baseline_learns_the_bound_and_lowers_the_variance():
    model = with_another_classifier(label_gradient="score_function")
    bare = estimated_gradients(model, copies=50, batches=3)  # moves the running mean
    model = with_another_classifier(label_gradient="score_function")
    model.label_baseline.decay = 1.0  # which then rests at 0
    without = estimated_gradients(model, copies=50, batches=40).var(axis=0).sum()
    model.label_baseline.center.assign(exact.LOG_P[exact.LABEL < 0].mean())
    assert estimated_gradients(model, copies=50, batches=40).var(axis=0).sum() < 0.7 * without
    assert np.isfinite(bare).all()


def test_one_class_of_each_example_is_drawn_while_training_and_all_else_sums():
    for gradient in DRAWN:
        model = semi_supervised(label_gradient=gradient)
        model.build((None, 8, 8, 1))
        batch = {name: tf.constant(value) for name, value in DATA.items()}
        drawn, summed = model.infer(batch, training=True), model.infer(batch)
        assert isinstance(drawn.proposal, DrawnClass)
        assert isinstance(summed.proposal, ByClass)
        z = drawn.proposal.draw(tfvae.Noise(1, row=tf.range(20)[tf.newaxis])).z
        assert z["y"].shape == (1, 20, CLASSES)
        np.testing.assert_array_equal(z["y"][0, :6], tf.one_hot(DATA["label"][:6], CLASSES))
        np.testing.assert_allclose(tf.reduce_sum(z["y"], axis=-1), 1.0, atol=1e-5)
        hard = np.all(np.isin(z["y"], (0.0, 1.0)))
        assert hard == (gradient == "score_function")


def test_classes_are_drawn_as_often_as_the_classifier_says():
    """4.5 standard errors; a relaxed label rounds to a class with the same probabilities."""
    rows, shares = 4000, scipy.special.softmax(LOGITS)
    x = {"x": tf.constant(np.repeat(UNLABELLED[:1], rows, axis=0))}
    for gradient in DRAWN:
        model = with_another_classifier(label_gradient=gradient)
        y = model.infer(x, training=True).proposal.y.numpy()
        found = np.bincount(y.argmax(axis=1), minlength=exact.CLASSES) / rows
        error = np.sqrt(shares * (1 - shares) / rows)
        assert np.all(np.abs(found - shares) < 4.5 * error), gradient


@pytest.mark.parametrize(("gradient", "epochs"), [("score_function", 60), ("gumbel_softmax", 25)])
def test_training_finds_classes_that_few_labels_name(gradient, epochs):
    x, label, few = patterns()
    keras.utils.set_random_seed(1)
    model = semi_supervised(alpha=1.0, label_gradient=gradient)
    model.compile(keras.optimizers.Adam(2e-2), jit_compile=False)
    model.fit({"x": x, "label": few}, batch_size=32, epochs=epochs, verbose=0)
    found = model.class_probabilities({"x": tf.constant(x)}).numpy().argmax(axis=1)
    assert np.mean(found[6:] == label[6:]) > 0.95


def test_a_run_chooses_it_by_a_setting():
    changes = {"label_gradient": "gumbel_softmax", "temperature": 0.25, "units": (8,)}
    model = tfvae.presets.model("digits-semi-supervised", **changes)
    assert (model.label_gradient, model.temperature) == ("gumbel_softmax", 0.25)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_gradient": "reinforce"}, r"label_gradient must be one of \('enumerated'"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": "low"}, "temperature"),
        (
            {
                "label_gradient": "score_function",
                "objective": objectives.ELBO(gradient="score_function"),
            },
            "one class of each example",
        ),
    ],
)
def test_what_is_no_estimator_is_refused(options, message):
    with pytest.raises((UserError, TypeError), match=message):
        semi_supervised(**options)
