"""Requests made up from a signature: random ones to compare with, plain ones to warm up."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tfvae.export.servables.signatures import COUNTS


def random_request(
    inputs: Mapping[str, tf.TensorSpec], rows: int, image_shape: tuple[int, ...], seed: int
) -> dict[str, np.ndarray]:
    """A valid request of `rows` random rows, which differ in everything."""
    generator = np.random.default_rng(seed)
    return {
        name: _random_input(name, spec, rows, image_shape, generator)
        for name, spec in sorted(inputs.items())
    }


def _random_input(
    name: str,
    spec: tf.TensorSpec,
    rows: int,
    image_shape: tuple[int, ...],
    generator: np.random.Generator,
) -> np.ndarray:
    shape = (rows, *spec.shape[1:])
    if name in COUNTS:  # all others take any number between 0 and 1, or any byte
        return generator.integers(1, 4, shape, np.int32)
    if spec.dtype == tf.int32:
        return generator.integers(-(2**31), 2**31, shape, np.int32)
    if spec.dtype == tf.string:
        return np.array([_png(generator, image_shape) for _ in range(rows)], object)
    if spec.dtype == tf.uint8:
        return generator.integers(0, 256, shape, np.uint8)
    return generator.random(shape, np.float32)


def plain_request(
    inputs: Mapping[str, tf.TensorSpec], rows: int, image_shape: tuple[int, ...]
) -> dict[str, tensor_pb2.TensorProto]:
    """A valid request of `rows` equal rows, as small protocol buffers.

    A `TensorProto` that holds fewer values than its shape asks for repeats the last of them, so a
    request of 256 images takes a few dozen bytes.
    """
    request = {}
    for name, spec in sorted(inputs.items()):
        tensor = tensor_pb2.TensorProto(dtype=spec.dtype.as_datatype_enum)
        for size in (rows, *spec.shape[1:]):
            tensor.tensor_shape.dim.add(size=size)
        if spec.dtype == tf.string:
            tensor.string_val.append(_png(np.random.default_rng(0), image_shape))
        elif spec.dtype == tf.float32:
            tensor.float_val.append(0.5)
        else:
            tensor.int_val.append(2)
        request[name] = tensor
    return request


def _png(generator: np.random.Generator, image_shape: tuple[int, ...]) -> bytes:
    pixels = generator.integers(0, 256, image_shape, np.uint8)
    return tf.io.encode_png(pixels).numpy()
