"""A file that drifts from the live model is not published."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.export.publishing import ExportError
from tfvae.export.saved_models.requests import random_fields
from tfvae.export.servables.signatures import named_codes
from tfvae.export.tflite_files.runtime import LiteRTFile
from tfvae.noise import Noise

# Both compute in float32; sums are taken in another order.
TOLERANCE = 1e-4


def check_sampler(model: Any, file: LiteRTFile, name: str, variant: str) -> None:
    """Compares `sample_seeded` with `model.sample`: z in every variant, x in float32."""
    for num_samples, seed in ((1, 7), (5, -(2**31))):
        given = random_conditions(model, num_samples)
        got = file.run("sample_seeded", num_samples=num_samples, seed=seed, **given)
        expected = sampled(model, num_samples, seed, given)
        if variant != "float32":
            expected.pop(next(iter(model.fields())))
        same(f"{name}, sample_seeded", got, expected)


def random_conditions(model: Any, rows: int) -> dict[str, np.ndarray]:
    """A valid value of each condition for each row."""
    return random_fields(model.conditions(), rows, seed=1)


def sampled(
    model: Any, num_samples: int, seed: int, given: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What `sample_seeded` has to return."""
    with tf.device("CPU"):
        x = model.sample(num_samples, seed=seed, **given)
        conditions = {name: tf.constant(values) for name, values in given.items()}
        z = model.generate(Noise(seed, row=tf.range(num_samples)), conditions)
        return as_arrays({next(iter(model.fields())): x, **named_codes(z)})


def same(name: str, got: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
    """Raises `ExportError` if |got - expected| / (1 + |expected|) is above `TOLERANCE`."""
    for key, values in expected.items():
        same_shape = got[key].shape == values.shape
        drift = np.max(np.abs(got[key] - values) / (1 + np.abs(values))) if same_shape else np.inf
        if not drift <= TOLERANCE:
            raise ExportError(
                f"{name}: {key} differs from the live model by {drift:.2g}; at most {TOLERANCE:g} "
                "is allowed. Nothing was published."
            )


def as_arrays(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The tensors as NumPy arrays."""
    return {name: np.asarray(value) for name, value in tensors.items()}
