"""What is tried again, how often, and for how long: with a clock and a server that keep count."""

import json
import threading
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
    ServingError,
    UnavailableError,
)
from tfvae.serving.client import errors, retries

Z = np.zeros((1, 3), np.float32)
GOOD = json.dumps({"outputs": {"logits": [[1.0]], "probs": [[0.5]]}})


class Clock:
    """Stands in for `time`: sleeping takes no time, and is written down."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(retries, "time", clock)
    return clock


def failing(times, error):
    attempts = []

    def call(deadline):
        attempts.append(deadline.remaining())
        if len(attempts) <= times:
            raise error
        return "answer"

    return call, attempts


def test_unavailable_is_retried_until_it_answers(clock):
    call, attempts = failing(2, UnavailableError("busy"))
    assert retries.with_retries(call, timeout=30, retries=3) == "answer"
    assert len(attempts) == 3
    assert len(clock.slept) == 2


def test_the_last_error_is_raised_after_the_last_retry(clock):
    call, attempts = failing(9, UnavailableError("busy"))
    with pytest.raises(UnavailableError, match="busy"):
        retries.with_retries(call, timeout=30, retries=3)
    assert len(attempts) == 4


def test_waits_grow_up_to_a_bound(clock, monkeypatch):
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: high)
    call, _ = failing(9, UnavailableError("busy"))
    assert retries.with_retries(call, timeout=60, retries=9) == "answer"
    np.testing.assert_allclose(clock.slept, [0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, 2, 2])


def test_waits_differ_between_clients(clock):
    call, _ = failing(9, UnavailableError("busy"))
    retries.with_retries(call, timeout=60, retries=9)
    assert len(set(clock.slept)) == 9


def test_retries_end_with_the_timeout(clock, monkeypatch):
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: high)
    call, attempts = failing(99, UnavailableError("busy"))
    with pytest.raises(UnavailableError):
        retries.with_retries(call, timeout=0.5, retries=20)
    assert sum(clock.slept) < 0.5
    assert len(attempts) == 3


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "INTERNAL", "NOT_FOUND"])
def test_other_errors_are_not_retried(clock, code):
    call, attempts = failing(1, errors.of_code(code, "no"))
    with pytest.raises(ServingError):
        retries.with_retries(call, timeout=30, retries=3)
    assert len(attempts) == 1
    assert clock.slept == []


@pytest.fixture
def scripted():
    """A server that gives the scripted replies in turn, the last one for ever, and counts calls."""
    script, calls = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            status, body = script[min(len(calls), len(script) - 1)]
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

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.script, server.calls = script, calls
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def error(message):
    return json.dumps({"error": message})


def test_503_and_a_lost_connection_are_retried_over_a_socket(scripted):
    scripted.script += [(503, error("full")), (None, ""), (200, GOOD)]
    with Client(scripted.url) as client:
        np.testing.assert_array_equal(client.decode(Z)["probs"], [[0.5]])
    assert len(scripted.calls) == 3


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
    images = np.arange(5.0).reshape(1, 5, 1, 1, 1)
    outputs = {"x": images.tolist(), "z": [[[0.0]] * 5]}
    scripted.script.append((200, json.dumps({"outputs": outputs})))
    with Client(scripted.url) as client:
        np.testing.assert_array_equal(client.sample(2, seed=0).ravel(), [0, 1])
    scripted.script[-1] = (200, json.dumps({"outputs": images.tolist()}))
    image = np.zeros((1, 1, 1, 1), np.float32)
    with Client(scripted.url) as client:
        np.testing.assert_array_equal(client.interpolate(image, image, 3).ravel(), [0, 1, 2])
        np.testing.assert_array_equal(client.sample_posterior(image, 2).ravel(), [0, 1])


def test_headers_are_sent(scripted):
    scripted.script.append((200, GOOD))
    seen = {}
    handler = scripted.RequestHandlerClass
    answer = handler.do_POST

    def noting(self):
        seen.update(self.headers)
        answer(self)

    handler.do_POST = noting
    with Client(scripted.url, headers={"Authorization": "Bearer abc"}) as client:
        client.decode(Z)
    assert seen["Authorization"] == "Bearer abc"
