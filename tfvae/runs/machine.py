"""What a result depends on besides its settings: versions, and what it took."""

import platform

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

import tfvae

try:
    import resource
except ImportError:  # Windows
    resource = None


def library_versions() -> dict[str, str]:
    """Of what a result depends on."""
    return {
        "tfvae": tfvae.__version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "tensorflow_probability": tfp.__version__,
        "numpy": np.__version__,
    }


def peak_memory_mb() -> int | None:
    """The most memory that this process has held, or None where the system does not say."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if platform.system() == "Darwin" else 1 << 10))
