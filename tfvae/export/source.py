"""What a set is of: the model that is exported, in a few words and a hash."""

import hashlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tfvae.export.sets.manifest import Metrics
from tfvae.export.sets.publication import Source


def source_of(
    model: Any, data: Mapping[str, str] | None = None, metrics: Metrics | None = None
) -> Source:
    """What a manifest says of a built model."""
    return Source(
        model=type(model).__name__,
        weights=weights_digest(model),
        tensorflow=tf.__version__,
        data=data or {},
        metrics=metrics or {},
    )


def weights_digest(model: Any) -> str:
    """SHA-256 of a built model's weights, in its own order: shapes, types and numbers.

    Names are left out: Keras counts the layers of a process in them.
    """
    digest = hashlib.sha256()
    for weight in model.weights:
        array = weight.numpy()
        digest.update(f"{array.dtype.name} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
