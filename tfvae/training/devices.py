"""What TensorFlow computes on."""

import tensorflow as tf


def accelerators() -> list[str]:
    """Returns the names of the GPUs that TensorFlow computes on; empty without one."""
    return [device.name for device in tf.config.list_logical_devices("GPU")]
