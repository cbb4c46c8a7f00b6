"""Loading TensorFlow without its start-up notes."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

# Written before its log level counts, or about a GPU that is not there.
_NOISE = re.compile(
    r"^(I\d{4} .*|WARNING: All log messages before absl.*|To enable the following instructions.*"
    r"|E\d{4} .*(cuInit|cuda_platform|cuda_diagnostics).*|W\d{4} .*(TF-TRT|cuda).*)$"
)


def load_tensorflow() -> None:
    """Imports TensorFlow and what is built on it, and finds the devices.

    What is not known to be a start-up note still reaches standard error.
    """
    with _without_noise():
        import tensorflow as tf

        tf.config.list_logical_devices()
        import keras  # noqa: F401
        import tensorflow_probability  # noqa: F401


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """Catches standard error, C++'s included, and passes on what is not a start-up note."""
    sys.stderr.flush()
    try:
        original = os.dup(2)
    except OSError:  # closed
        yield
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            caught.seek(0)
            for line in caught.read().decode(errors="replace").splitlines():
                if line and not _NOISE.match(line):
                    print(line, file=sys.stderr)
