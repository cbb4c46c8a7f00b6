"""The REST interface: TensorFlow Serving's documented examples, and its conventions."""

import base64
import gzip
import json

import numpy as np
import pytest
import requests
import tensorflow as tf

from tfvae.serving.server.server import DevelopmentServer


class HalfPlusThree(tf.Module):
    """The model of TensorFlow Serving's documentation, and signatures with several tensors."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def half_plus_three(self, x):
        return {"y": x / 2 + 3}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([None, 2], tf.int32)]
    )
    def two(self, a, b):
        return {"sum": a + tf.cast(tf.reduce_sum(b, 1), tf.float32), "b": b}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def text(self, text):
        return {"out_bytes": text, "length": tf.strings.length(text)}

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def scalar(self, x):
        return {"x": x + 1}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def uneven(self, x):
        return {"rows": x, "all": tf.concat([x, x], 0)}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    directory = tmp_path_factory.mktemp("models")
    model = HalfPlusThree()
    signatures = {name: getattr(model, name) for name in ("two", "text", "scalar", "uneven")}
    signatures["serving_default"] = model.half_plus_three
    tf.saved_model.save(model, str(directory / "half_plus_three" / "123"), signatures=signatures)
    with DevelopmentServer(directory, rest_port=0, grpc_port=None) as server:
        yield f"{server.rest_url}/v1/models/half_plus_three"


def predict(url, **document):
    return requests.post(f"{url}:predict", data=json.dumps(document), timeout=20)


B = [[1, 2], [3, 4]]
ROWS = [{"a": 0.5, "b": [1, 2]}, {"a": 1, "b": [3, 4]}]
SUMS = [{"sum": 3.5, "b": [1, 2]}, {"sum": 8.0, "b": [3, 4]}]
BYTES = {"b64": base64.b64encode(b"\x00\xff").decode()}
TEXTS = [{"out_bytes": BYTES, "length": 2}, {"out_bytes": {"b64": "YWI="}, "length": 2}]
ANSWERED = [
    ({"instances": [1.0, 2.0, 5.0]}, {"predictions": [3.5, 4.0, 5.5]}),  # the documented call
    (
        {"signature_name": "two", "inputs": {"a": [0.5, 1], "b": B}},
        {"outputs": {"sum": [3.5, 8.0], "b": B}},
    ),
    ({"signature_name": "two", "instances": ROWS}, {"predictions": SUMS}),
    ({"inputs": [1.0]}, {"outputs": [3.5]}),  # an only tensor needs no name
    ({"inputs": {"x": [1.0]}}, {"outputs": [3.5]}),
    ({"instances": [{"x": 1.0}]}, {"predictions": [3.5]}),
    ({"signature_name": "scalar", "inputs": 1.0}, {"outputs": 2.0}),
    ({"signature_name": "text", "instances": [BYTES, "ab"]}, {"predictions": TEXTS}),
]


ZIPPED = gzip.compress(b'{"inputs": [1]}', mtime=0)  # of no time: workers collect it alike


@pytest.mark.parametrize(("document", "answer"), ANSWERED)
def test_requests_are_answered_in_their_format(url, document, answer):
    reply = predict(url, **document)
    assert reply.json() == answer
    assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "answer"),
    [
        ("POST", ":predict", b'{"inputs": [NaN, Infinity]}', 200, '{"outputs":[NaN,Infinity]}'),
        ("POST", ":predict", b'{"inputs": [1], "inputs": [3]}', 200, '{"outputs":[4.5]}'),
        ("POST", ":predict", ZIPPED, 400, "JSON Parse error"),
        ("GET", "/../../../monitoring/prometheus/metrics", None, 404, "Not found"),
    ],
)
def test_json_is_read_as_documented(url, method, path, body, status, answer):
    """In docs/guide/serve.md, where it differs."""
    gzipped = {"Content-Encoding": "gzip"} if status == 400 else {}
    reply = requests.request(method, url + path, data=body, headers=gzipped, timeout=20)
    assert reply.status_code == status
    assert answer in reply.text


def test_the_documented_status(url):
    status = {"error_code": "OK", "error_message": ""}
    entry = {"version": "123", "state": "AVAILABLE", "status": status}
    expected = {"model_version_status": [entry]}
    assert requests.get(url, timeout=20).json() == expected
    assert requests.get(f"{url}/versions/123", timeout=20).json() == expected


def test_versions_and_case_in_the_path(url):
    for path in (f"{url}/versions/123", url.replace("/v1/models", "/V1/Models")):
        assert predict(path, instances=[1.0]).json() == {"predictions": [3.5]}


def test_the_documented_error(url):
    reply = predict(url.replace("half_plus_three", "half"), instances=[1.0, 5.0])
    assert reply.status_code == 404
    assert reply.json() == {"error": "Servable not found for request: Latest(half)"}


def test_metadata_has_the_signatures(url):
    reply = requests.get(f"{url}/metadata", timeout=20).json()
    spec = {"name": "half_plus_three", "signature_name": "", "version": "123"}
    assert reply["model_spec"] == spec
    signature = reply["metadata"]["signature_def"]["signature_def"]["two"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    shape = signature["inputs"]["b"]["tensor_shape"]
    assert [dim["size"] for dim in shape["dim"]] == ["-1", "2"]


REFUSED = [
    ({"instances": [1.0], "inputs": [1.0]}, "only one of them"),
    ({}, "one of the keys 'inputs' and 'instances'"),
    ({"instances": 1.0}, "to be a list/array"),
    ({"instances": []}, "with values in it"),
    ({"instances": [1.0, {"x": 1.0}]}, "element: 0"),
    ({"instances": [{"y": 1.0}]}, "keys must be equal to: x"),
    ({"instances": [[1.0], [1.0, 2.0]]}, "unequal lengths"),
    ({"inputs": {"y": [1.0]}}, "Missing named input: x"),
    ({"inputs": [["a"]]}, "not of the expected type"),
    ({"inputs": [[1.0]]}, "float32 of shape (None,), received float32 of shape (1, 1)"),
    ({"inputs": 1.0}, "received float32 of shape ()"),
    ({"signature_name": "two", "instances": [1.0]}, "expecting an object with the inputs a,b"),
    ({"signature_name": "two", "inputs": [1.0]}, "expecting an object"),
    ({"signature_name": "two", "inputs": {"a": [1.0] * 3, "b": [[1, 2]] * 2}}, "ncompatible"),
    ({"signature_name": "none", "inputs": [1.0]}, '"none" not found'),
    ({"signature_name": 1, "inputs": [1.0]}, "must be a string"),
    ({"signature_name": "uneven", "instances": [1.0]}, "inconsistent batch size"),
]


@pytest.mark.parametrize(("document", "message"), REFUSED)
def test_wrong_requests_get_an_error(url, document, message):
    reply = predict(url, **document)
    assert reply.status_code == 400
    assert reply.json().keys() == {"error"}
    assert message in reply.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *(("POST", path, 400) for path in (":classify", ":regress", ":explain", "")),
        *((method, ":predict", 400) for method in ("PUT", "OPTIONS", "GET")),
        *(("GET", f"/versions/{number}", 400) for number in ("x", "99999999999999999999")),
        *(("GET", path, 400) for path in ("/labels/x", "/labels/x/metadata", "/../../secret")),
        ("DELETE", "", 400),
        ("GET", "/versions/7", 404),
        ("GET", "x", 404),
        ("GET", "/../../../v2/models", 404),
    ],
)
def test_wrong_paths_and_methods_get_an_error(url, method, path, status):
    body = json.dumps({"instances": [1.0], "examples": [{"x": 1.0}]})
    reply = requests.request(method, url + path, data=body, timeout=20)
    assert (reply.status_code, reply.json().keys()) == (status, {"error"})


def test_rows_are_as_exact_as_columns(url):
    values = np.random.default_rng(0).normal(size=50).astype(np.float32).tolist()
    rows = predict(url, instances=values).json()["predictions"]
    assert rows == predict(url, inputs=values).json()["outputs"]
    np.testing.assert_array_equal(np.float32(rows), np.float32(values) / 2 + 3)
