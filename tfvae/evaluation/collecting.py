"""A function of a model over a whole data set, batch by batch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.evaluation.batches import PaddedBatch, batches


def collected(
    model: Any,
    data: Any,
    function: Callable[[PaddedBatch], Any],
    batch_size: int,
    verbose: int,
    axis: int = 0,
) -> Any:
    """Returns what a function makes of all examples: arrays, or a nest of such.

    Args:
        model: A built model.
        data: What `fit` takes.
        function: Of a batch, to tensors whose `axis` counts its examples.
        batch_size: Examples of a batch; memory for activations grows with it, and not with N.
        verbose: 1 shows a progress bar.
        axis: Where the examples are.
    """
    parts = []
    for batch in batches(model, data, batch_size, verbose):
        own = (slice(None),) * axis + (slice(batch.count),)
        found = function(batch)
        parts.append(tf.nest.map_structure(lambda value, own=own: value.numpy()[own], found))
    return tf.nest.map_structure(lambda *part: np.concatenate(part, axis), *parts)
