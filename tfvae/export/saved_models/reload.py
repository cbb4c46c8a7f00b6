"""Run by `verify` beside it in a fresh process, as `python -c`: plain TensorFlow only.

Loads SavedModels, replays requests and prints the largest difference per signature as JSON:

    |got - expected| / (1 + |expected|)        infinite where shape, type or finiteness differ

stdin: JSON, {servable: {"path": ..., "requests": [{"signature", "inputs", "outputs"}]}}, the latter
two naming `.npz` files.
"""

import json
import sys
from typing import Any

import numpy as np

HIDDEN = ("tfvae", "tensorflow_probability", "keras", "tf_keras")


class _Hiding:
    """A finder that can't see the libraries which an artefact must not need."""

    def __init__(self, finder: Any) -> None:
        self.finder = finder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        hidden = name.split(".")[0] in HIDDEN
        return None if hidden else self.finder.find_spec(name, path, target)


def _difference(got: np.ndarray, expected: np.ndarray) -> float:
    if expected.dtype.kind == "S":  # strings, which NumPy stores no other way without pickle
        return 0.0 if np.array_equal(got.astype("S"), expected) else float("inf")
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return float("inf")
    if expected.dtype.kind == "b":
        return 0.0 if np.array_equal(got, expected) else float("inf")
    if not np.all(np.isfinite(got)) or not np.all(np.isfinite(expected)):
        return 0.0 if np.array_equal(got, expected, equal_nan=True) else float("inf")
    return float(np.max(np.abs(got - expected) / (1.0 + np.abs(expected)), initial=0.0))


def _main() -> None:
    sys.meta_path[:] = [_Hiding(finder) for finder in sys.meta_path]
    import tensorflow as tf

    differences: dict[str, float] = {}
    for servable, job in json.load(sys.stdin).items():
        loaded = tf.saved_model.load(job["path"])
        for request in job["requests"]:
            signature = loaded.signatures[request["signature"]]
            with np.load(request["inputs"]) as inputs, np.load(request["outputs"]) as expected:
                got = signature(**{name: tf.constant(inputs[name]) for name in inputs.files})
                name = f"{servable}/{request['signature']}"
                worst = differences.get(name, 0.0)
                if set(got) != set(expected.files):
                    worst = float("inf")
                for output in expected.files:
                    worst = max(worst, _difference(got[output].numpy(), expected[output]))
            differences[name] = worst
    print(json.dumps(differences))


if __name__ == "__main__":
    _main()
