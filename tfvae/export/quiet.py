"""Silence on success: what TensorFlow and TFLite say of their files, an export has no use for."""

import contextlib
import io
import logging
import os
import sys
import warnings
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


@contextlib.contextmanager
def quiet_tflite() -> Iterator[None]:
    """Silences TFLite's notes, dumps of graphs and deprecation warnings of itself.

    They come from C++, so that the process's standard error itself is turned away meanwhile;
    errors reach Python as exceptions.
    """
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            for message in (r"\s*Warning: tf.lite.Interpreter is depr", "Statistics for quantized"):
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
