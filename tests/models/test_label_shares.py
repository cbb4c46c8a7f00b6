"""Batches with more labelled rows than the data: what is minimised and logged stays what it was."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import linear_semi_supervised as exact
from tests.models.test_label_gradients import LOGITS, mean_and_error, with_another_classifier
from tfvae import objectives
from tfvae.data import load
from tfvae.errors import UserError

KNOWN = exact.LABEL >= 0


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Three batches of 4 rows with a label and 2 without, of 6 and 6: each row counts exactly."""
    path = tmp_path_factory.mktemp("data") / "linear.npz"
    np.savez(path, x_train=exact.X, y_train=exact.LABEL, x_test=exact.X, y_test=exact.LABEL)
    options = {"fields": ("x", "label"), "binarisation": "none"}
    return load(path, batch_size=6, labelled_per_batch=4, **options)[0]


def logged(train, **options):
    """The logs of an epoch that changes no weight, with S = 400 draws."""
    model = exact.exact_model(objective=objectives.ELBO(num_samples=400), alpha=0.7, **options)
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    history = model.fit(train, verbose=0).history
    return {name: values[0] for name, values in history.items()}


@pytest.mark.parametrize("share", [None, 0.8])
def test_the_loss_is_the_papers_whatever_batches_show(train, share):
    """Eq. 9 over N, where half of the rows have a label and two of three that are shown."""
    found = logged(train, bound_share=share)
    right = -np.log(exact.POSTERIOR[np.arange(exact.ROWS), exact.LABEL])[KNOWN].mean()
    labelled, others = exact.LOG_KNOWN[KNOWN].mean(), exact.LOG_KNOWN[~KNOWN].mean()
    assert abs(labelled - others) > 0.5
    part = 0.5 if share is None else share
    expected = 0.7 * right - part * labelled - (1 - part) * others
    assert found["loss"] == pytest.approx(expected, abs=0.1)


def test_rows_count_alike_before_fit_has_counted_them():
    model = exact.exact_model(bound_share=0.8)
    batch = {name: tf.constant(value) for name, value in exact.DATA.items()}
    assert not any(np.ptp(w) for w in model.loss_terms(batch, True).row_weights.values())


def test_what_is_logged_are_means_of_the_data(train):
    """Without draws in them: of the label, and of the KL in closed form."""
    found = logged(train, bound_share=0.8)
    model = exact.exact_model()
    model.compile("adam", jit_compile=False)
    expected = model.evaluate(exact.DATA, batch_size=12, verbose=0, return_dict=True)
    for name in ("kl", "class_kl", "classification_nll", "accuracy"):
        assert found[name] == pytest.approx(expected[name], rel=1e-4), name
    assert found["elbo"] == pytest.approx(exact.LOG_KNOWN.mean(), abs=0.1)


def test_the_score_of_drawn_labels_is_unbiased_beside_labelled_rows(train):
    """By the logits of q(y|x): of the classifier's loss exactly, of the bound 4.5 errors."""
    model = with_another_classifier(label_gradient="score_function", alpha=0.7)
    model.look_at(train.recipe.columns, train.recipe.labelled_share)
    head, batches = model.classifier.head.projection, list(train)
    assert [int(tf.reduce_sum(tf.cast(b["label"] >= 0, tf.int32))) for b in batches] == [4] * 3

    @tf.function
    def gradient(batch):
        with tf.GradientTape() as tape:
            model(batch, training=True)
            loss = tf.add_n(model.losses)
        return tape.gradient(loss, head.bias.value)

    many = [{name: tf.repeat(v, 300, axis=0) for name, v in batch.items()} for batch in batches]
    found = [np.mean([gradient(batch).numpy() for batch in many], axis=0) for _ in range(40)]
    mean, error = mean_and_error(np.stack(found).astype("float64"))
    q = np.exp(LOGITS) / np.exp(LOGITS).sum()
    ratio = np.log(q) - np.log(exact.POSTERIOR[~KNOWN])
    of_bound = (q * (ratio - (ratio @ q)[:, None])).mean(axis=0)
    of_labels = (q - np.eye(exact.CLASSES)[exact.LABEL[KNOWN]]).mean(axis=0)
    expected = 0.7 * of_labels + 0.5 * of_bound
    assert np.all(np.abs(mean - expected) < 4.5 * error + 1e-5)
    assert np.sum(np.abs(0.5 * of_bound) > 6 * error) > 1, "else the score is not seen"


@pytest.mark.parametrize("share", [0.0, 1.0, "a"])
def test_a_share_that_leaves_a_kind_out_is_refused(share):
    with pytest.raises(UserError, match="bound_share"):
        exact.exact_model(bound_share=share)
