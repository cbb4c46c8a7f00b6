"""The client over real sockets: against the development server, and TensorFlow Serving if named."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfvae.serving import (
    Client,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from tfvae.serving.client import splitting

# Two runs of the same kernels: only the order of sums may differ.
TOLERANCE = 1e-5


def assert_same(got, expected):
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert got[name].dtype == np.float32
        assert got[name].shape == value.shape
        np.testing.assert_allclose(got[name], value, atol=TOLERANCE, rtol=TOLERANCE)


def column(*values):
    return np.array(values, np.int32)


def as_bytes(x):
    return np.round(x * 255).astype(np.uint8)


def as_files(x):
    return [tf.io.encode_png(image).numpy() for image in as_bytes(x)]


Z = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)
SEEDS, ZEROS = column(7, 8, 9, 10), column(0, 0, 0, 0)
# A call of x, the signature that it calls, with what, and the output where only that is returned.
CALLS = {
    "encode": (lambda c, x: c.encode(x), "encoder/encode", lambda x: {"x": x}, None),
    "bytes": (lambda c, x: c.encode(as_bytes(x)), "encoder/encode_uint8",
              lambda x: {"x": as_bytes(x)}, None),
    "files": (lambda c, x: c.encode(as_files(x)), "encoder/encode",
              lambda x: {"x": as_bytes(x) / np.float32(255)}, None),
    "sample_posterior": (lambda c, x: c.sample_posterior(x, 6, seed=7), "encoder/sample",
                         lambda x: {"x": x, "num_samples": ZEROS + 6, "first": ZEROS,
                                    "seed": SEEDS}, "z"),
    "decode": (lambda c, x: c.decode(Z), "decoder/decode", lambda x: {"z": Z}, None),
    "sample": (lambda c, x: c.sample(9, seed=11, temperature=0.7)[np.newaxis], "decoder/sample",
               lambda x: {"num_samples": column(9), "first": column(0), "seed": column(11),
                          "temperature": np.array([0.7], "f4")}, "x"),
    "reconstruct": (lambda c, x: c.reconstruct(x), "vae/reconstruct", lambda x: {"x": x}, "x"),
    "score": (lambda c, x: c.score(x, num_samples=16, seed=7), "vae/score",
              lambda x: {"x": x, "num_samples": ZEROS + 16, "seed": SEEDS}, None),
    "interpolate": (lambda c, x: c.interpolate(x, x[::-1], 5), "vae/interpolate",
                    lambda x: {"start_x": x, "end_x": x[::-1], "steps": ZEROS + 5}, "x"),
}  # fmt: skip


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("name", CALLS)
def test_calls_return_what_the_model_computes(client, local, images, monkeypatch, name, split):
    """Of a request that is split as of one."""
    call, signature, inputs, only = CALLS[name]
    sent, predict = [], client.predict

    def noting(*arguments, **options):
        sent.append(len(next(iter(arguments[2].values()))))
        return predict(*arguments, **options)

    client.predict = noting
    if split:
        limits = {"MAX_ROWS": 3, "MAX_SAMPLES_PER_ROW": 2, "DRAWS_A_REQUEST": 40}
        for limit, value in limits.items():
            monkeypatch.setattr(splitting, limit, value)
    got = call(client, images)
    servable, _, signature = signature.partition("/")
    tensors = {key: tf.constant(value) for key, value in inputs(images).items()}
    expected = local[servable][signature](**tensors)
    assert_same({only: got} if only else got, {only: expected[only]} if only else expected)
    assert max(sent) <= 3 if split else len(sent) == 1


def test_any_number_of_rows_and_draws_is_one_call(client, images):
    x = np.resize(images, (300, *images.shape[1:]))
    np.testing.assert_allclose(client.reconstruct(x)[-4:], client.reconstruct(x[-4:]), atol=1e-5)
    drawn = client.sample(17_000, seed=5)
    assert drawn.shape == (17_000, *images.shape[1:])
    np.testing.assert_allclose(drawn[:40], client.sample(40, seed=5), atol=TOLERANCE)
    z = client.sample_posterior(images[:2], 4096, seed=5)
    few = client.sample_posterior(images[:2], 40, seed=5)
    np.testing.assert_allclose(z[:, :40], few, atol=TOLERANCE)
    assert len(np.unique(z[..., 0])) > 8000  # no draw comes twice, but for rounding


@pytest.mark.parametrize(
    ("x", "rows"),
    [
        (np.ones((10, 2**16), "f4"), [4, 4, 2]),
        (np.array([b"1" * 2**20] * 5, object), [3, 2]),  # 4/3 of that as base64
        (np.ones((2, 2**20), "f4"), [1, 1]),
    ],
)
def test_requests_are_small_enough_to_be_read(x, rows):
    sent = []
    splitting.by_rows(lambda part: sent.append(len(part["x"])) or part, {"x": x})
    assert sent == rows


def test_sample_without_a_seed_differs_each_time(client):
    assert not np.array_equal(client.sample(2), client.sample(2))


def test_status_and_metadata_describe_the_models(client):
    client.wait_until_available(timeout=20)
    assert "AVAILABLE" in client.status("decoder").values()
    inputs = client.metadata("decoder")["decode"]["inputs"]
    assert inputs["z"]["dtype"] == "DT_FLOAT"


def test_a_version_can_be_chosen(address, client, images):
    version = max(client.status("vae"))
    with Client(address[0], version=version) as chosen:
        np.testing.assert_array_equal(chosen.reconstruct(images), client.reconstruct(images))
        assert chosen.status() == {version: "AVAILABLE"}


@pytest.mark.parametrize(
    ("which", "error"),
    [({"version": 987654}, NotFoundError), ({"label": "nobody"}, InvalidRequestError)],
)
def test_what_is_not_served_is_refused(address, images, which, error):
    named = str(next(iter(which.values())))
    with Client(address[0], **which) as client, pytest.raises(error, match=named):
        client.reconstruct(images)


def test_a_label_can_be_chosen(server):
    for url in (server.rest_url, server.grpc_url):
        with Client(url, label="stable") as client:
            assert client.sample(2).shape == (2, 5, 4, 1)
            assert client.status() == {1: "AVAILABLE"}


def test_errors_carry_the_servers_message(client, images):
    with pytest.raises(InvalidRequestError) as error:
        client.decode(np.zeros((2, 999), np.float32))
    assert error.value.code == "INVALID_ARGUMENT"
    assert "999" in str(error.value)
    with pytest.raises(NotFoundError, match="nothing"):
        client.predict("nothing", "encode", {"x": images})
    with pytest.raises(InvalidRequestError, match="no_such"):
        client.predict("vae", "no_such", {"x": images})


def test_a_timeout_is_an_error_that_says_so(address, images):
    with Client(address[0], timeout=1e-4) as client, pytest.raises(DeadlineExceededError):
        client.score(images, num_samples=1000)


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_nobody_there_is_unavailable(scheme, unused_port):
    url = f"{scheme}://127.0.0.1:{unused_port}"
    with Client(url, retries=1, timeout=10) as client, pytest.raises(UnavailableError):
        client.sample(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.encode(np.full((1, 5, 4, 1), np.nan)), "finite"),
        (lambda c: c.encode(np.zeros((0, 5, 4, 1))), "one row or more"),
        (lambda c: c.encode(np.full((1, 5, 4, 1), 2**40)), "float or int32"),
        (lambda c: c.encode(b"file"), "list of such files"),
        (lambda c: c.decode([["a"]]), "float or int32"),
        (lambda c: c.sample(1.5), "num_samples must be an integer"),
        (lambda c: c.sample(2**20 + 1), "num_samples must be an integer of at most 1,048,576"),
        (
            lambda c: c.score(np.zeros((3, 5, 4, 1)), 8193),
            "num_samples must be an integer of at most 8,192",
        ),
        (lambda c: c.interpolate([[0.0]], [[1.0]], 65), "steps must be an integer of at most 64"),
        (lambda c: c.interpolate([[0.0]], [[1.0], [2.0]], 6), "one value per row"),
        (lambda c: c.sample(1, seed=2**31), "32 bits"),
        (lambda c: c.score(np.zeros((3, 5, 4, 1)), seed=[1, 2]), "each of 3 rows"),
    ],
)
def test_what_no_server_would_take_is_not_sent(call, message):
    with (
        Client("http://127.0.0.1:9") as client,
        pytest.raises((ValueError, TypeError), match=message) as error,
    ):
        call(client)
    assert not hasattr(error.value, "code")


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "localhost:8501"},
        {"url": "ftp://localhost"},
        {"url": "http://localhost", "version": 1, "label": "stable"},
        {"url": "http://localhost", "timeout": 0},
        {"url": "http://localhost", "retries": -1},
    ],
)
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match=r"url|version|timeout|retries"):
        Client(**arguments)


def test_a_rest_client_needs_no_tensorflow():
    code = (
        "import sys; from tfvae.serving import Client; Client('http://localhost:1').close();"
        "print([m for m in ('tensorflow', 'keras', 'grpc') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
