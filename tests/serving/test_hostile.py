"""Hostile requests: each gets an error of TensorFlow Serving's shape, and the server goes on."""

import json
import re
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from tests.serving.conftest import LIMITS, until
from tests.serving.malformed import protobufs, rest_requests
from tfvae.serving import Client, InvalidRequestError, ResourceExhaustedError
from tfvae.serving.server.models import Models
from tfvae.serving.server.refusals import Limits
from tfvae.serving.server.server import DevelopmentServer

REST_REQUESTS = 1_200
GRPC_REQUESTS = 600
PREDICT = "/tensorflow.serving.PredictionService/Predict"


@pytest.fixture
def alive(server):
    """After whatever the test did, both interfaces answer, and correctly."""
    with Client(server.rest_url) as client:
        before = client.sample(2, seed=3)
    yield
    for url in (server.rest_url, server.grpc_url):
        with Client(url) as client:
            np.testing.assert_allclose(client.sample(2, seed=3), before, atol=1e-6)


@pytest.fixture
def raw(server):
    """Calls Predict over gRPC with bytes: returns the answer's bytes, or raises the status."""
    with grpc.insecure_channel(server.grpc_url.removeprefix("grpc://")) as channel:
        yield lambda body, method=PREDICT: channel.unary_unary(method)(body, timeout=20)


def address(server):
    return "127.0.0.1", int(server.rest_url.rpartition(":")[2])


def connections(server, count, data=b""):
    opened = [socket.create_connection(address(server), timeout=20) for _ in range(count)]
    for connection in opened:
        connection.sendall(data)
    return opened


def answered(connection):
    """Everything that comes back until the server hangs up."""
    with connection, connection.makefile("rb") as stream:
        return stream.read()


def spoken(server, data):
    return answered(*connections(server, 1, data))


def status_and_error(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    assert json.loads(body).keys() == {"error"}
    return int(head.split()[1])


def test_malformed_json_requests_get_errors(server, alive):
    outcomes = Counter()
    with requests.Session() as session:
        for kind, model, body in rest_requests(REST_REQUESTS, seed=0):
            url = f"{server.rest_url}/v1/models/{model}:predict"
            reply = session.post(url, data=body, timeout=20)
            assert 400 <= reply.status_code < 500, (kind, model, body[:500], reply.text)
            assert reply.json().keys() == {"error"}
            assert 0 < len(str.strip(reply.json()["error"])) <= 1000
            outcomes[kind, reply.status_code] += 1
    print(f"\n{REST_REQUESTS} malformed REST requests:", dict(sorted(outcomes.items())))
    assert sum(outcomes.values()) == REST_REQUESTS


def test_malformed_protobufs_get_errors_or_answers(server, raw, alive):
    outcomes = Counter()
    for body in protobufs(GRPC_REQUESTS, seed=0, valid=request()):
        try:
            predict_pb2.PredictResponse.FromString(raw(body))
            outcomes["answered"] += 1  # the change hit a number, or a field that is ignored
        except grpc.RpcError as error:
            ours = error.details() == "internal error"  # which would be a bug
            outcomes["bug" if ours else error.code().name] += 1
    print(f"\n{GRPC_REQUESTS} malformed gRPC messages:", dict(outcomes))
    allowed = {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"}
    # INTERNAL is gRPC's own word for bytes that are no message.
    assert set(outcomes) <= {*allowed, "INTERNAL", "answered"}
    assert outcomes["answered"] < GRPC_REQUESTS / 10


def request(**fields):
    message = predict_pb2.PredictRequest(**fields)
    message.model_spec.name = "decoder"
    message.model_spec.signature_name = "decode"
    message.inputs["z"].CopyFrom(tf.make_tensor_proto(np.zeros((2, 3), np.float32)))
    return message


def tensor(array, *sizes, **changes):
    """The message of an array that claims other sizes, or another type."""
    proto = tf.make_tensor_proto(array)
    if sizes:
        del proto.tensor_shape.dim[:]
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    for name, value in changes.items():
        setattr(proto, name, value)
    return proto


ROWS = np.zeros((2, 3), np.float32)


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (tensor(np.int32(ROWS)), "'z' expects float32"),
        (tensor(np.zeros((2, 3, 1), np.float32)), "'z' expects"),
        (tensor([["a", "b", "c"]]), "'z' expects"),
        (tensor(ROWS, 2**40, 3), "claims"),
        (tensor(ROWS, 2**62, 2**62), "claims"),
        (tensor(ROWS, -5, 3), "no definite shape"),
        (tensor(ROWS, 7, 3), "holds no tensor"),
        (tensor(ROWS, *[1] * 80), "holds no tensor"),
        *((tensor(ROWS, dtype=dtype), "'z'") for dtype in (0, 20, 21, 107, 999, -1)),
    ],
)
def test_wrong_tensors_are_refused_over_grpc(raw, alive, z, message):
    wrong = request()
    wrong.inputs["z"].CopyFrom(z)
    with pytest.raises(grpc.RpcError, match=rf"INVALID_ARGUMENT(.|\n)*{message}"):
        raw(wrong.SerializeToString())


@pytest.mark.parametrize("wanted", [["probs", "probs"], ["absent"]])
def test_outputs_are_wanted_once_and_there(raw, alive, wanted):
    with pytest.raises(grpc.RpcError, match="output tensor alias"):
        raw(request(output_filter=wanted).SerializeToString())


@pytest.mark.parametrize("scheme", ["rest", "grpc"])
def test_too_much_is_refused_before_it_is_computed(server, alive, scheme):
    """By the graph, with the words and the code that TensorFlow Serving answers, too."""
    image, column = np.zeros((1, 5, 4, 1), np.float32), np.int32
    began = time.monotonic()
    with Client(getattr(server, f"{scheme}_url")) as client:
        score = {"x": image, "num_samples": column([8193]), "seed": column([0])}
        refuse(client, "vae", "score", score, "from 1 to 8192")
        draw = {"num_samples": column([2**31 - 1]), "first": column([0]), "seed": column([0])}
        draw["temperature"] = np.ones(1, np.float32)
        refuse(client, "decoder", "sample", draw, "from 1 to 64")
        ends = {"start_x": image, "end_x": image, "steps": column([4000])}
        refuse(client, "vae", "interpolate", ends, "from 1 to 64")
        refuse(client, "encoder", "encode", {"x": np.repeat(image, 257, 0)}, "at most 256 rows")
    assert time.monotonic() - began < 10


def refuse(client, model, signature, inputs, message):
    with pytest.raises(InvalidRequestError, match=message):
        client.predict(model, signature, inputs)


def megabytes():
    """Of the server's process, which is this one."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("scheme", ["rest", "grpc"])
def test_many_rows_take_no_memory_that_stays(server, alive, scheme):
    """Four requests at once, of 80,000 rows, and again: what the first ones took is enough."""
    inputs = {"z": np.zeros((80_000, 3), np.int32 if scheme == "rest" else np.float32)}
    after = [megabytes()]
    with Client(getattr(server, f"{scheme}_url")) as client, ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            calls = [pool.submit(client.predict, "decoder", "decode", inputs) for _ in range(4)]
            for call in calls:
                assert isinstance(call.exception(), InvalidRequestError)
                assert "at most 256 rows" in str(call.exception())
            after.append(megabytes())
    print(f"\n{scheme}: MB before, and after each four: {np.round(after)}")
    assert after[-1] - after[2] < 60


CHUNK = b"%x\r\n" % 2**16 + b"[" * 2**16 + b"\r\n"


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: %d\r\n\r\n" % (LIMITS.body_bytes + 1),  # refused for that alone
        b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK * 20,
    ],
)
def test_bodies_are_cut_off_at_a_limit(server, alive, rest):
    head = b"POST /v1/models/vae:predict HTTP/1.1\r\nHost: x\r\n"
    assert status_and_error(spoken(server, head + rest)) == 413


def test_the_client_reads_why_its_request_was_too_large(server, alive):
    with Client(server.rest_url) as client, pytest.raises(ResourceExhaustedError) as error:
        client.predict("decoder", "decode", {"z": np.zeros((200_000, 3), np.float32)})
    assert (error.value.status, error.value.message) == (413, "the body exceeds 1048576 bytes")


@pytest.mark.parametrize(
    ("method", "size", "code"),
    [
        (PREDICT, LIMITS.body_bytes + 1, "RESOURCE_EXHAUSTED"),
        (PREDICT.replace("Predict", "Classify"), 0, "UNIMPLEMENTED"),
        ("/grpc.health.v1.Health/Check", 0, "UNIMPLEMENTED"),  # docs/guide/serve.md lists these
    ],
)
def test_an_oversized_message_and_other_calls_are_refused_over_grpc(raw, method, size, code):
    with pytest.raises(grpc.RpcError, match=code):
        raw(b"\x00" * size, method)


SMUGGLED = b"GET /v1/models/decoder HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS to a plain port
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nA B: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nContent-Length: abc\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 6000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        # One length says that a second request follows, the other that it is part of the first.
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        + SMUGGLED,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n"
        % (len(SMUGGLED) + 5)
        + SMUGGLED,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST /v1/models/decoder:predict HTTP/1.1\r\nConnection: close\r\nContent-Length: 23"
        b'\r\n\r\n{"instances": [[0, 0, 0]]}',
    ],
)
def test_what_is_no_http_gets_one_answer_and_is_hung_up_on(server, alive, data):
    answer = spoken(server, data)
    assert int(answer.split()[1]) == 400
    assert answer.count(b"HTTP/1.") == 1
    assert b"model_version_status" not in answer


@pytest.fixture(scope="module")
def impatient(export_dir):
    """The same models with other limits."""
    limits = Limits(request_seconds=2.0, elements=2**10)
    options = {"rest_port": 0, "grpc_port": None, "limits": limits}
    with DevelopmentServer(export_dir, **options) as other:
        yield other


def test_an_answer_that_is_too_large_is_not_sent(impatient):
    with Client(impatient.rest_url) as client, pytest.raises(ResourceExhaustedError, match="1150"):
        client.sample(50)


@pytest.mark.parametrize("part", ["", "POST /v1/models/vae:pre", "POST / HTTP/1.1\r\nA: b\r\n"])
def test_idle_clients_and_slow_headers_hold_nobody_back(impatient, part):
    slow = connections(impatient, 300, part.encode())
    with Client(impatient.rest_url, timeout=10) as client:
        began = time.monotonic()
        assert client.status() == {1: "AVAILABLE"}
        assert client.sample(1).shape == (1, 5, 4, 1)
        assert time.monotonic() - began < 1.5  # before the idle ones are hung up on
    assert [answered(connection) for connection in slow] == [b""] * 300  # hung up on


def test_slow_bodies_are_given_up_and_hold_nobody_back(impatient):
    head = b"POST /v1/models/vae:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    slow = connections(impatient, 20, head + b"[")
    with Client(impatient.rest_url, timeout=10) as client:  # more of them than threads
        assert client.sample(1).shape == (1, 5, 4, 1)
    assert [status_and_error(answered(connection)) for connection in slow] == [408] * 20


def test_clients_that_hang_up_are_forgotten(server, alive):
    body = json.dumps({"inputs": {"z": [[0.0] * 3] * 300}}).encode()
    head = b"POST /v1/models/decoder:predict HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    for sent in (b"", head, head + body[:100], head + body):
        for gone in connections(server, 10, sent):
            gone.close()


def test_too_many_requests_at_once_are_told_to_come_back(export_dir):
    limits = Limits(calls=2, request_seconds=5.0)
    head = b"POST /v1/models/vae:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    with DevelopmentServer(export_dir, rest_port=0, grpc_port=None, limits=limits) as server:
        first, second = connections(server, 2, head)
        with first, second:
            url = f"{server.rest_url}/v1/models/vae"
            until(lambda: requests.get(url, timeout=20).status_code == 503)
            assert "more than 2 requests" in requests.get(url, timeout=20).json()["error"]
        with Client(server.rest_url) as client:
            assert client.sample(1).shape == (1, 5, 4, 1)


def test_our_own_bugs_are_answered_too(server, alive, monkeypatch, raw):
    def broken(*_):
        raise KeyError("a bug")

    monkeypatch.setattr(Models, "find", broken)
    url = f"{server.rest_url}/v1/models/decoder:predict"
    reply = requests.post(url, data='{"inputs": 1}', timeout=20)
    assert (reply.status_code, reply.json()) == (500, {"error": "internal error"})
    with pytest.raises(grpc.RpcError, match="internal error"):
        raw(request().SerializeToString())
    monkeypatch.undo()
