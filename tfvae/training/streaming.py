"""Data that do not stay on the device."""

import tensorflow as tf

from tfvae.training.devices import accelerators

_AHEAD = 2  # batches on their way to an accelerator


def ahead(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns a data set whose batches are on the accelerator before a step asks for them.

    Without an accelerator it is returned as it is. TensorFlow wants this to be the last step of a
    pipeline and forgets how many batches there are.
    """
    devices = accelerators()
    if not devices:
        return dataset
    moved = dataset.apply(tf.data.experimental.prefetch_to_device(devices[0], _AHEAD))
    moved.cardinality = dataset.cardinality
    return moved
