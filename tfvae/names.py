"""Names that several parts know, and the nearest of them to a wrong one. Imports nothing heavy."""

import difflib
from collections.abc import Iterable
from pathlib import Path

# Of a TFLite file; see `tfvae.export.tflite`.
VARIANTS = ("float32", "float16", "dynamic", "int8")
# Inputs of the exported signatures that say how much work a request is.
COUNTS = ("num_samples", "steps")
# Where TensorFlow Serving looks for the requests that it replays before it serves a version.
WARMUP_FILE = Path("assets.extra", "tf_serving_warmup_requests")


def nearest(word: str, known: Iterable[str]) -> str:
    """ " Did you mean 'mnist'?", or nothing where no known word resembles this one."""
    word = str(word).lower()
    for candidate in (word, word.replace("_", "-"), word.replace("-", "_")):
        close = difflib.get_close_matches(candidate, list(known), n=1, cutoff=0.5)
        if close:
            return f" Did you mean {close[0]!r}?"
    return ""
