import gc
import json

import numpy as np
import pytest

from tfvae.serving import json_text
from tfvae.serving.json_tensors import from_json, to_json


@pytest.fixture(params=["orjson", "json"])
def text(request, monkeypatch):
    """An array as JSON text, by either library."""
    if request.param == "json":
        monkeypatch.setattr(json_text, "orjson", None)
    else:
        pytest.importorskip("orjson", reason="orjson, which is optional, is not installed")
    return lambda array: json_text.dumps({"x": to_json(array)}, [array])


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
def test_numbers_come_back_as_they_were(array, text):
    for loads in (json.loads, json_text.loads):
        np.testing.assert_array_equal(from_json(loads(text(array))["x"], array.dtype), array)


def test_float32_survives_decimal_digits(text):
    array = np.random.default_rng(0).normal(size=(50, 20)).astype(np.float32)
    for layout in (array, array.T, array[::2]):
        got = from_json(json_text.loads(text(layout))["x"], "f4")
        np.testing.assert_array_equal(got, layout)


def test_bytes_go_as_base64():
    array = np.array([b"\x00\xff", b""], object)
    assert to_json(array, as_bytes=True) == [{"b64": "AP8="}, {"b64": ""}]
    np.testing.assert_array_equal(from_json(to_json(array, as_bytes=True), object), array)


def test_text_is_utf8():
    assert list(from_json(["ü"], object)) == ["ü".encode()]
    assert to_json(np.array(["ü".encode()], object)) == ["ü"]


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        ([1, True], "f4", "True is not of expected type: float32"),
        (["1"], "f4", "'1' is not of expected type"),
        ([None], "f4", "None is not"),
        ([{}], "f4", "Object is not"),
        ([1.0], "i4", "1.0 is not of expected type: int32"),
        ([2**31], "i4", "out of range"),
        ([-1], "u1", "out of range"),
        ([1e39], "f4", "without loss"),
        ([10**400], "f4", "without loss"),
        ([1], "?", "1 is not of expected type: bool"),
        ([[1, 2], [3]], "f4", "unexpected size at level: 1"),
        ([[1], 2], "f4", "2 at level: 1 beside a list"),
        ([1, [2]], "f4", "list at unexpected level: 1"),
        ([1], object, "not a string or base64"),
        ([{"b64": "?"}], object, "base64 decode"),
        ([{"b64": 1}], object, "not a string or base64"),
        ([1], "c8", "not supported"),
    ],
)
def test_nothing_is_converted_quietly(value, dtype, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        from_json(value, dtype)


def test_depth_is_bounded():
    value = 1.0
    for _ in range(200):
        value = [value]
    with pytest.raises(ValueError, match="deeper than 32"):
        from_json(value, "f4")


def test_reading_leaves_the_garbage_collector_as_it_was():
    for _ in range(2):
        json_text.loads(b"[1]")
        with pytest.raises(ValueError, match="Expecting value"):
            json_text.loads(b"[")
    assert gc.isenabled()
    gc.disable()
    try:
        json_text.loads(b"[1]")
        assert not gc.isenabled()
    finally:
        gc.enable()
