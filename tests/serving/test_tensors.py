"""Arrays in JSON, and in gRPC messages."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tfvae.errors import UserError
from tfvae.serving.json_tensors import dumps, from_json, loads, to_json
from tfvae.serving.server.grpc_server import to_proto


def text(array):
    return dumps({"x": to_json(array)}, [array])


@pytest.mark.parametrize(
    "array",
    [
        np.float32([[1.5, -0.1], [np.nan, np.inf]]),
        np.int32([[1], [-2]]),
        np.uint8([0, 255]),
        np.array([True, False]),
        np.float32(3),
        np.zeros((2, 0, 3), np.float32)[:, :, 0],
    ],
)
def test_numbers_come_back_as_they_were(array):
    for read in (json.loads, loads):
        np.testing.assert_array_equal(from_json(read(text(array))["x"], array.dtype), array)


def test_float32_survives_decimal_digits():
    array = np.random.default_rng(0).normal(size=(50, 20)).astype(np.float32)
    for layout in (array, array.T, array[::2]):
        got = from_json(loads(text(layout))["x"], "f4")
        np.testing.assert_array_equal(got, layout)


def test_bytes_go_as_base64_and_text_as_utf8():
    array = np.array([b"\x00\xff", b""], object)
    assert to_json(array, as_bytes=True) == [{"b64": "AP8="}, {"b64": ""}]
    np.testing.assert_array_equal(from_json(to_json(array, as_bytes=True), object), array)
    assert list(from_json(["ü"], object)) == ["ü".encode()]
    assert to_json(np.array(["ü".encode()], object)) == ["ü"]


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        ([1, True], "f4", "True is not of the expected type float32"),
        (["1"], "f4", "'1' is not of the expected type"),
        ([None], "f4", "None is not"),
        ([{}], "f4", "is not of the expected type"),
        ([1.0], "i4", "1.0 is not of the expected type int32"),
        ([2**31], "i4", "out of range"),
        ([-1], "u1", "out of range"),
        ([1e39], "f4", "out of range"),
        ([10**400], "f4", "out of range"),
        ([0.5, 2**24 + 1], "f4", "out of range"),  # as TensorFlow Serving has it
        ([-(2**24) - 1], "f4", "out of range"),
        ([1], "?", "1 is not of the expected type bool"),
        ([[1, 2], [3]], "f4", "unequal lengths"),
        ([[1], 2], "f4", "values beside lists"),
        ([1, [2]], "f4", "values beside lists"),
        ([1], object, "not a string or base64"),
        ([{"b64": "?"}], object, "base64 decode"),
        ([{"b64": 1}], object, "not a string or base64"),
        ([1], "c8", "1 is not of the expected type complex64"),
    ],
)
def test_nothing_is_converted_quietly(value, dtype, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        from_json(value, dtype)


@pytest.mark.parametrize("depth", [100, 5_000, 100_000])
def test_depth_is_bounded(depth):
    with pytest.raises(UserError, match="nested too deeply"):
        from_json(loads(b"[" * depth + b"1" + b"]" * depth), "f4")


@pytest.mark.parametrize("text", [b"", b"[", b"\xff", b"9" * 5000, b"{}x"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(UserError):
        loads(text)


@pytest.mark.parametrize("dtype", ["float16", "uint16", "uint32", "float32", "int8", "bool"])
def test_messages_hold_arrays_of_every_type(dtype):
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    again = tf.make_ndarray(to_proto(array))
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)
