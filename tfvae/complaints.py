"""Whose an error is that comes out of a layer or a constructor which somebody brings.

Keras says of an argument or of the shape of an input that it does not fit: that is the user's to
mend, and one line will do. An exception that the layer's own code raises is a bug of that code,
which only its traceback helps to find.
"""

import contextlib
import sys
import traceback
from collections.abc import Iterator

from tfvae.errors import UserError

_COMPLAINING = ("keras", "tensorflow")


@contextlib.contextmanager
def whole_tracebacks() -> Iterator[None]:
    """Has Keras leave its own frames in tracebacks, by which `is_users` tells who raised."""
    import keras  # seconds, which a help page does not have

    filtering = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()
    try:
        yield
    finally:
        if filtering:
            keras.config.enable_traceback_filtering()


def is_users(error: Exception) -> bool:
    """Whether an error is a `UserError`, or was raised in the code of Keras or TensorFlow.

    Args:
        error: Caught where `whole_tracebacks` holds.
    """
    if isinstance(error, UserError):
        return True
    frames = traceback.walk_tb(error.__traceback__)
    packages = [frame.f_globals.get("__name__", "").split(".")[0] for frame, _ in frames]
    raised_in = [package for package in packages if package not in sys.stdlib_module_names]
    return bool(raised_in) and raised_in[-1] in _COMPLAINING
