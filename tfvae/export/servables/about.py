"""The signature that every servable has: which set it is of."""

from typing import Any

import tensorflow as tf

from tfvae.export.servables.signatures import ServedSignature, Tensors, per_count
from tfvae.export.sets.manifest import Manifest


def about(manifest: Manifest) -> ServedSignature:
    """`about`: what was exported together answers alike.

    | inputs | outputs |
    | --- | --- |
    | `row [B]` int32, whatever | `name`, `weights` (SHA-256), `version` int64, each `[B]` |

    It has an input, with rows, because TensorFlow Serving's REST interface refuses a signature that
    has none, and its batching needs rows to split an answer by.
    """

    def answer(row: tf.Tensor) -> Tensors:
        rows = tf.shape(row)
        return {
            "name": tf.fill(rows, manifest.name),
            "version": tf.fill(rows, tf.constant(manifest.version, tf.int64)),
            "weights": tf.fill(rows, manifest.weights),
        }

    return ServedSignature(answer, per_count(row=tf.int32))


def served_signatures(servable: Any, manifest: Manifest) -> dict[str, ServedSignature]:
    """All signatures of a servable's file: its own, the default one and `about`."""
    signatures = {**servable.signatures(), "about": about(manifest)}
    return {**signatures, "serving_default": signatures[servable.default]}
