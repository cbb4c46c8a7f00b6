"""TensorFlow's notes on its own files, which an export has no use for."""

import contextlib
import logging
from collections.abc import Iterator

import tensorflow as tf


@contextlib.contextmanager
def quiet_notes() -> Iterator[None]:
    """Holds back "Assets written to" and the like, of temporary folders; warnings still show."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
