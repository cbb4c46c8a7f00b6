"""A file that drifts from the live model is not published."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.export.publishing import ExportError
from tfvae.export.tflite_files.runtime import LiteRTFile

# Both compute in float32; sums are taken in another order.
TOLERANCE = 1e-4


def check_sampler(vae: Any, file: LiteRTFile, name: str, variant: str) -> None:
    """Compares `sample_seeded` with `vae.sample`: z in every variant, images in float32."""
    for num_samples, seed in ((1, 7), (5, -(2**31))):
        got = file.run("sample_seeded", num_samples=num_samples, seed=seed)
        expected = sampled(vae, num_samples, seed)
        if variant != "float32":
            got, expected = {"z": got["z"]}, {"z": expected["z"]}
        same(f"{name}, sample_seeded", got, expected)


def sampled(vae: Any, num_samples: int, seed: int) -> dict[str, np.ndarray]:
    """What `sample_seeded` has to return."""
    with tf.device("CPU"):
        images = vae.sample(num_samples, seed=seed)
        return arrays({"z": vae.prior.sample(num_samples, seed, 1.0), "images": images})


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


def arrays(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The tensors as NumPy arrays."""
    return {name: np.asarray(value) for name, value in tensors.items()}
