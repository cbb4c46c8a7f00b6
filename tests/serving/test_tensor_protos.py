"""Arrays in gRPC messages."""

import numpy as np
import pytest
import tensorflow as tf

from tfvae.serving.server.grpc_server import to_proto


@pytest.mark.parametrize("dtype", ["float16", "uint16", "uint32", "float32", "int8", "bool"])
def test_messages_hold_arrays_of_every_type(dtype):
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    again = tf.make_ndarray(to_proto(array))
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)
