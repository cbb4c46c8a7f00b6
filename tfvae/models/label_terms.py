"""What a semi-supervised model logs of its labels beside its objective."""

from dataclasses import replace
from typing import NamedTuple

import tensorflow as tf

from tfvae.inference.classes import ClassPosterior
from tfvae.objectives import Nats

CLASS_KL, CLASSIFICATION, ACCURACY = "class_kl", "classification_nll", "accuracy"


def with_labels(nats: Nats, classes: ClassPosterior, log_classes: tf.Tensor) -> Nats:
    """Returns the nats with those of q(y|x), each over the rows that it is of.

    Args:
        nats: of an objective.
        classes: q(y|x).
        log_classes: log p(y), `[K]`.
    """
    labels, logits = classes.labels, classes.logits
    right = tf.reduce_sum(labels.one_hot * tf.nn.log_softmax(logits), axis=-1)
    hit = tf.gather(labels.one_hot, tf.argmax(logits, axis=-1), batch_dims=1)
    known = labels.known
    return replace(
        nats,
        terms={**nats.terms, CLASSIFICATION: -right},
        watched={**nats.watched, CLASS_KL: classes.kl(log_classes), ACCURACY: hit},
        counts={CLASS_KL: 1.0 - known, ACCURACY: known, CLASSIFICATION: known},
    )


class Shares(NamedTuple):
    """Which share of rows has a label, each a scalar.

    Attributes:
        data: of the training data.
        shown: of the rows that batches show.
        bound: in the mean bound that is trained on.
    """

    data: tf.Tensor
    shown: tf.Tensor
    bound: tf.Tensor

    def weights(self, known: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
        """What rows count for, so that those with a label have a share as if so many were shown.

        All alike where each has a label, and before `fit` has counted those that have.
        """
        others = tf.math.divide_no_nan(1.0 - wanted, 1.0 - self.shown)
        weights = known * wanted / self.shown + (1.0 - known) * others
        return tf.where(self.shown < 1.0, weights, tf.ones_like(known))


def weighted(nats: Nats, known: tf.Tensor, shares: Shares) -> Nats:
    """Returns the nats of a batch of training, whose rows count as the data and the loss say.

    Args:
        nats: of `with_labels`.
        known: 1 where a row has a label, else 0, `[B]`.
        shares: of rows with a label.
    """
    of_data, of_bound = (shares.weights(known, wanted) for wanted in (shares.data, shares.bound))
    by_row = [n for n, value in {**nats.terms, **nats.watched}.items() if value.shape.rank]
    counts = {name: nats.counts.get(name, 1.0) * of_data for name in by_row}
    weights = {n: of_data if n == CLASSIFICATION else of_bound for n in nats.terms if n in by_row}
    return replace(nats, counts=counts, row_weights=weights)
