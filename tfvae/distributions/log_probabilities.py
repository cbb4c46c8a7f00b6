"""Logarithms of probabilities from logits, for tensors of any number of axes."""

import tensorflow as tf


def log_probabilities(logits: tf.Tensor) -> tf.Tensor:
    """Returns log softmax over the last axis.

    TensorFlow's own softmax refuses more than five axes on a CPU with oneDNN, and draws of batches
    of images with K numbers for each channel have six.
    """
    return logits - tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
