"""Arrays from and to `TensorProto` messages."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tfvae.serving.server.refused import RefusedError, invalid

# Where TensorFlow Serving puts the values of a tensor, and clients look for them.
_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int32: "int_val",
    tf.int16: "int_val",
    tf.int8: "int_val",
    tf.uint8: "int_val",
    tf.int64: "int64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}


def from_proto(name: str, proto: tensor_pb2.TensorProto, most: int) -> np.ndarray:
    """The array in a client's message, which may claim anything.

    A message of some bytes can claim any shape, and a short list of values is repeated to fill it:
    so the shape is checked first.

    Args:
        name: the input's, for errors.
        proto: the message.
        most: elements that it may have.

    Raises:
        RefusedError: if it has more, or is no tensor.
    """
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
        raise invalid(f"input {name!r} has no definite shape")
    if math.prod(sizes) > most:
        raise RefusedError(
            "RESOURCE_EXHAUSTED",
            f"input {name!r} claims shape {sizes}; this server allows {most} elements",
        )
    try:
        return tf.make_ndarray(proto)
    except Exception as error:  # its checks are few: anything may come out of a wrong message
        raise invalid(f"input {name!r} holds no tensor: {error}") from error


def to_proto(array: np.ndarray) -> tensor_pb2.TensorProto:
    """The message of an array, with its values in the field of their type."""
    dtype = tf.dtypes.as_dtype(array.dtype) if array.dtype != object else tf.string
    if dtype not in _FIELDS:
        return tf.make_tensor_proto(array)
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    proto.tensor_shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
    getattr(proto, _FIELDS[dtype]).extend(array.ravel().tolist())
    return proto
