"""Means of the likelihood at many codes, in constant memory."""

from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.training.programs import compiled
from tfvae.uses.aggregate import checked_size


def vector_of_free_codes(model: Any, what: str) -> int:
    """Returns D of a model whose codes alone, one vector of D real numbers, say what x is.

    Raises:
        UserError: for any other, in the name of what was asked for.
    """
    size = checked_size(model, what)
    if model.conditions():
        raise UserError(
            f"{what} walks in the codes of a model without conditions, and "
            f"{type(model).__name__} is given {', '.join(model.conditions())}. Change those in "
            "model.decode(z, conditions), or draw evaluation.pictures.samples_by_class(model)."
        )
    return size


def means_of(model: Any, codes: np.ndarray, batch_size: int) -> np.ndarray:
    """Returns E[x|z] of codes `[..., D]`, float32 `[..., *event]`.

    Args:
        model: Built; decodes.
        codes: At least one.
        batch_size: Codes that are decoded at once.
    """
    batch_size = positive_int("batch_size", batch_size)
    flat = codes.reshape(-1, codes.shape[-1]).astype(np.float32)
    run = compiled(model, _mean)
    parts = []
    for first in range(0, len(flat), batch_size):
        part = flat[first : first + batch_size]
        padded = np.resize(part, (batch_size, flat.shape[1]))  # one program for all sizes
        parts.append(run(tf.constant(padded)).numpy()[: len(part)])
    found = np.concatenate(parts)
    return found.reshape(*codes.shape[:-1], *found.shape[1:])


def _mean(model: Any, z: tf.Tensor) -> tf.Tensor:
    return tf.cast(model.decode(z, {}), tf.float32)
