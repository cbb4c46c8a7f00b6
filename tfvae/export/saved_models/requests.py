"""Requests made up from a signature: random ones to compare with, plain ones to warm up."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tfvae.data.fields import Field
from tfvae.export.servables.signatures import COUNTS, ServedSignature, per_rows

# What stands for an interval without an end.
_WIDE = 3.0


def random_request(signature: ServedSignature, rows: int, seed: int) -> dict[str, np.ndarray]:
    """A valid request of `rows` random rows, which differ in everything."""
    generator = np.random.default_rng(seed)
    return {
        name: _random_input(name, spec, signature.fields.get(name), rows, generator)
        for name, spec in sorted(signature.inputs.items())
    }


def random_fields(fields: Mapping[str, Field], rows: int, seed: int) -> dict[str, np.ndarray]:
    """Valid random values of fields, `[rows, ...]` each."""
    return random_request(ServedSignature(None, per_rows(fields), fields), rows, seed)


def _random_input(
    name: str,
    spec: tf.TensorSpec,
    declared: Field | None,
    rows: int,
    generator: np.random.Generator,
) -> np.ndarray:
    shape = (rows, *spec.shape[1:])
    if name in COUNTS:
        return generator.integers(1, 4, shape, np.int32)
    if spec.dtype == tf.string:
        return np.array([_png(generator, declared.shape) for _ in range(rows)], object)
    if spec.dtype == tf.uint8:
        return generator.integers(0, 256, shape, np.uint8)
    if declared is not None and declared.parts:
        parts = [
            _random_input(name, tf.TensorSpec([None, *part.shape]), part, rows, generator)
            for part in declared.parts
        ]
        return np.concatenate(parts, axis=-1)
    low, high = _interval(declared)
    if spec.dtype == tf.int32:
        if name == "seed":
            low, high = -(2**31), 2**31 - 1
        return generator.integers(int(low), int(high) + 1, shape, np.int32)
    values = generator.uniform(low, high, shape)
    if declared is not None and declared.spacing is not None:
        values = low + np.rint((values - low) / declared.spacing) * declared.spacing
    if declared is not None and declared.nonempty:
        values.reshape(rows, -1)[:, 0] = high
    return values.astype(np.float32)


def plain_request(signature: ServedSignature, rows: int) -> dict[str, tensor_pb2.TensorProto]:
    """A valid request of `rows` equal rows, as small protocol buffers.

    A `TensorProto` that holds fewer values than its shape asks for repeats the last of them, so a
    request of 256 images takes a few dozen bytes.
    """
    request = {}
    for name, spec in sorted(signature.inputs.items()):
        declared = signature.fields.get(name)
        tensor = tensor_pb2.TensorProto(dtype=spec.dtype.as_datatype_enum)
        for size in (rows, *spec.shape[1:]):
            tensor.tensor_shape.dim.add(size=size)
        if spec.dtype == tf.string:
            tensor.string_val.append(_png(np.random.default_rng(0), declared.shape))
        elif spec.dtype == tf.float32:
            tensor.float_val.append(_plain(declared))
        else:
            tensor.int_val.append(2 if name in COUNTS else int(_interval(declared)[0]))
        request[name] = tensor
    return request


def _plain(declared: Field | None) -> float:
    """One value that all entries of a field may have."""
    if declared is not None and declared.nonempty:
        return 1.0
    fields = [part for _, part in declared.divided()] if declared else []
    if len(fields) > 1 or any(field.spacing for field in fields):
        return max((field.interval[0] for field in fields if field.interval), default=0.0)
    return float(np.mean(_interval(declared)))


def _interval(declared: Field | None) -> tuple[float, float]:
    """Ends of what an input may hold; those that it has none of are near 0."""
    if declared is None:
        return 0.0, 1.0
    if declared.interval is None and declared.dtype == "int32":
        return 0, 1  # codes: every codebook has two
    low, high = declared.interval or (-_WIDE, _WIDE)
    low = max(low, -_WIDE) if declared.dtype == "float32" else low
    return low, min(high, low + 2 * _WIDE) if declared.dtype == "float32" else high


def _png(generator: np.random.Generator, shape: tuple[int, ...]) -> bytes:
    return tf.io.encode_png(generator.integers(0, 256, shape, np.uint8)).numpy()
