"""From tensor functions to `.tflite` bytes, with operations that TFLite has built in."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.export.graphs import Specs, save, traced
from tfvae.export.publishing import ExportError
from tfvae.export.quiet import quiet_tflite

ROWS_OF_A_STEP = 16  # rows of one calibration step

Endpoint = tuple[Callable[..., Mapping[str, tf.Tensor]], Specs]


def convert(
    endpoints: Mapping[str, Endpoint], variant: str, representative: Mapping[str, np.ndarray]
) -> bytes:
    """Converts tensor functions to one file with a signature for each.

    They go through a SavedModel: straight from concrete functions the converter left out the
    weights.
    """
    graphs = {name: traced(*endpoint) for name, endpoint in endpoints.items()}
    with tempfile.TemporaryDirectory() as folder, quiet_tflite():
        save(graphs, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(endpoints))
        _configure(converter, variant, next(iter(endpoints)), representative)
        try:
            return converter.convert()
        except Exception as error:  # the converter raises its own, and bare RuntimeErrors
            raise ExportError(_reason(variant, error)) from error


def _configure(
    converter: Any, variant: str, signature: str, representative: Mapping[str, np.ndarray]
) -> None:
    builtins = tf.lite.OpsSet.TFLITE_BUILTINS
    converter.target_spec.supported_ops = [builtins]
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, builtins]
        converter.representative_dataset = lambda: _batches(signature, representative)


def _batches(
    signature: str, arrays: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    rows = min(len(values) for values in arrays.values())
    if len(arrays) > 1 and rows > ROWS_OF_A_STEP:
        # The calibrator resizes one input after the other: a smaller last step of several would
        # meet a concatenation of unequal rows.
        rows -= rows % ROWS_OF_A_STEP
    for start in range(0, rows, ROWS_OF_A_STEP):
        batch = {name: values[start : start + ROWS_OF_A_STEP] for name, values in arrays.items()}
        yield signature, batch


def _reason(variant: str, error: Exception) -> str:
    """The converter's error as one sentence that says what to change."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    missing = [line for line in lines if line.startswith(("TF Select ops", "Custom ops"))]
    if missing:
        return (
            f"the {variant} variant needs operations that TFLite has not built in "
            f"({'; '.join(missing)}). Replace the layers that use them."
        )
    return f"TFLite's converter refused the {variant} variant: {lines[0] if lines else error!r}"
