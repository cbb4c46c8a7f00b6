"""What TFLite says: silence on success, one line on failure."""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silences the converter's notes, dumps of the graph and deprecation warnings of itself.

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


def reason(variant: str, error: Exception) -> str:
    """The converter's error as one sentence that says what to change."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    missing = [line for line in lines if line.startswith(("TF Select ops", "Custom ops"))]
    if missing:
        return (
            f"the {variant} variant needs operations that TFLite has not built in "
            f"({'; '.join(missing)}). Replace the layers that use them."
        )
    return f"TFLite's converter refused the {variant} variant: {lines[0] if lines else error!r}"
