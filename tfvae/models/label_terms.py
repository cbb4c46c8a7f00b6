"""What a semi-supervised model logs of its labels beside its objective."""

from dataclasses import replace

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
