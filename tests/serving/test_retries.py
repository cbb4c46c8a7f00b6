"""What is tried again, how often, and for how long: with calls and a server that keep count."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from tfvae.serving import (
    AccessError,
    Client,
    DeadlineExceededError,
    ReplyError,
    ResourceExhaustedError,
    ServerError,
    UnavailableError,
)
from tfvae.serving.client import errors, retries

Z = np.zeros((1, 3), np.float32)
GOOD = json.dumps({"outputs": {"logits": [[1.0]], "probs": [[0.5]]}})


@pytest.mark.parametrize(
    ("code", "times", "attempts", "answered"),
    [
        ("UNAVAILABLE", 2, 3, True),
        ("UNAVAILABLE", 9, 4, False),
        ("INVALID_ARGUMENT", 1, 1, False),
        ("DEADLINE_EXCEEDED", 1, 1, False),
        ("INTERNAL", 1, 1, False),
        ("NOT_FOUND", 1, 1, False),
    ],
)
def test_only_what_reached_no_model_is_retried(monkeypatch, code, times, attempts, answered):
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.001)
    made, error = [], errors.of_code(code, "no")

    def call(deadline):
        made.append(deadline.remaining())
        if len(made) <= times:
            raise error
        return "answer"

    if answered:
        assert retries.with_retries(call, timeout=30, retries=3) == "answer"
    else:
        with pytest.raises(type(error), match="no"):
            retries.with_retries(call, timeout=30, retries=3)
    assert len(made) == attempts
    assert made == sorted(made, reverse=True)  # one deadline for all attempts


def test_retries_end_with_the_timeout():
    def call(deadline):
        raise UnavailableError("busy")

    began = time.monotonic()
    with pytest.raises(UnavailableError):
        retries.with_retries(call, timeout=0.5, retries=10**6)
    assert time.monotonic() - began < 0.6


@pytest.fixture
def scripted():
    """A server that gives the scripted replies in turn, the last one for ever, and counts calls."""
    script, calls, headers = [], [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            status, body = script[min(len(calls), len(script) - 1)]
            headers.append(self.headers)
            calls.append(self.rfile.read(int(self.headers["Content-Length"])))
            if status is None:  # hangs up
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "/")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server, ThreadPoolExecutor(1) as thread:
        server.script, server.calls, server.headers = script, calls, headers
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread.submit(server.serve_forever, 0.01)
        yield server
        server.shutdown()


def error(message):
    return json.dumps({"error": message})


def test_503_and_a_lost_connection_are_retried_over_a_socket(scripted):
    scripted.script += [(503, error("full")), (None, ""), (200, GOOD)]
    with Client(scripted.url, headers={"Authorization": "Bearer abc"}) as client:
        np.testing.assert_array_equal(client.decode(Z)["probs"], [[0.5]])
    assert [sent["Authorization"] for sent in scripted.headers] == ["Bearer abc"] * 3


@pytest.mark.parametrize(
    ("status", "body", "expected", "message"),
    [
        (500, error("broken"), ServerError, "broken"),
        (502, "<html>bad gateway</html>", ServerError, "bad gateway"),
        (504, error("slow"), DeadlineExceededError, "slow"),
        (429, error("too much"), ResourceExhaustedError, "too much"),
        (401, error("who?"), AccessError, "who"),
        (302, "", ReplyError, "redirects"),
        (200, "<html>hello</html>", ReplyError, "not JSON"),
        (200, "[" * 100_000, ReplyError, "not JSON"),
        (200, "{}", ReplyError, "outputs"),
        (200, '{"outputs": {"logits": [[1], [1, 2]]}}', ReplyError, "no tensors"),
    ],
)
def test_other_replies_are_typed_and_not_retried(scripted, status, body, expected, message):
    scripted.script.append((status, body))
    with Client(scripted.url) as client, pytest.raises(expected, match=message):
        client.decode(Z)
    assert len(scripted.calls) == 1


def test_a_reply_beyond_the_limit_is_refused(scripted):
    scripted.script.append((200, GOOD + " " * 1000))
    with (
        Client(scripted.url, max_reply_bytes=500) as client,
        pytest.raises(ResourceExhaustedError, match="500 bytes"),
    ):
        client.decode(Z)


def test_samples_of_merged_requests_are_cut_to_the_clients_own(scripted):
    """A batching server answers all of its clients with as many samples as the greediest asked."""
    drawn, image = np.arange(5.0).reshape(1, 5, 1, 1, 1), np.zeros((1, 1, 1, 1), np.float32)
    for outputs, call, expected in (
        ({"x": drawn.tolist()}, lambda client: client.sample(2, seed=0), [0, 1]),
        (drawn.tolist(), lambda client: client.interpolate(image, image, 3), [0, 1, 2]),
        (drawn.tolist(), lambda client: client.sample_posterior(image, 2), [0, 1]),
    ):
        scripted.script[:] = [(200, json.dumps({"outputs": outputs}))]
        with Client(scripted.url) as client:
            np.testing.assert_array_equal(call(client).ravel(), expected)
