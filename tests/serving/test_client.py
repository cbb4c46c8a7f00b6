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
    ResourceExhaustedError,
    UnavailableError,
)

# Two runs of the same kernels: only the order of sums may differ.
TOLERANCE = 1e-5


def called(local, model, signature, **inputs):
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    return {name: value.numpy() for name, value in local[model][signature](**tensors).items()}


def assert_same(got, expected):
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert got[name].dtype == np.float32
        assert got[name].shape == value.shape
        np.testing.assert_allclose(got[name], value, atol=TOLERANCE, rtol=TOLERANCE)


def column(*values):
    return np.array(values, np.int32)


def test_encode_returns_what_the_model_computes(client, local, images):
    assert_same(client.encode(images), called(local, "encoder", "encode", x=images))


def test_uint8_images_are_scaled_by_the_model(client, local, images):
    pixels = np.round(images * 255).astype(np.uint8)
    expected = called(local, "encoder", "encode", x=(pixels / np.float32(255)))
    assert_same(client.encode(pixels), expected)
    reconstructed = client.reconstruct(pixels)
    assert reconstructed.shape == images.shape


def test_encoded_files_are_decoded_by_the_model(client, images):
    pixels = np.round(images * 255).astype(np.uint8)
    files = [tf.io.encode_png(image).numpy() for image in pixels]
    assert_same(client.encode(files), client.encode(pixels))
    scores = client.score(files, num_samples=3, seed=5)
    assert_same(scores, client.score(pixels, num_samples=3, seed=5))


def test_decode_returns_the_likelihood(client, local, images):
    z = client.encode(images)["mean"]
    decoded = client.decode(z)
    assert_same(decoded, called(local, "decoder", "decode", z=z))
    np.testing.assert_allclose(decoded["probs"], client.reconstruct(images), atol=TOLERANCE)


def test_sample_of_a_seed_is_always_the_same(client, local):
    images = client.sample(3, seed=11, temperature=0.7)
    inputs = {"num_samples": column(3), "seed": column(11)}
    temperature = np.array([0.7], np.float32)
    expected = called(local, "decoder", "sample", **inputs, temperature=temperature)
    np.testing.assert_allclose(images, expected["x"][0], atol=TOLERANCE)
    assert images.shape[0] == 3


def test_sample_without_a_seed_differs_each_time(client):
    assert not np.array_equal(client.sample(2), client.sample(2))


def test_posterior_samples_are_the_models(client, local, images):
    z = client.sample_posterior(images, 2, seed=7)
    counts = {"num_samples": column(2, 2, 2, 2), "seed": column(7, 8, 9, 10)}
    expected = called(local, "encoder", "sample", x=images, **counts)["z"]
    np.testing.assert_allclose(z, expected, atol=TOLERANCE)


def test_score_orders_the_bounds(client, local, images):
    scores = client.score(images, num_samples=16, seed=2)
    counts = {"num_samples": column(16, 16, 16, 16), "seed": column(2, 3, 4, 5)}
    assert_same(scores, called(local, "vae", "score", x=images, **counts))
    # By construction of the outputs; the IW bound itself is tested with the export.
    np.testing.assert_allclose(scores["elbo"], -scores["nll"] - scores["kl"], rtol=1e-4)


def test_interpolate_begins_and_ends_at_the_reconstructions(client, images):
    path = client.interpolate(images[:2], images[2:], 5)
    assert path.shape == (2, 5, *images.shape[1:])
    np.testing.assert_allclose(path[:, 0], client.reconstruct(images[:2]), atol=TOLERANCE)
    np.testing.assert_allclose(path[:, -1], client.reconstruct(images[2:]), atol=TOLERANCE)


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
    with (
        Client(address[0], version=987654) as missing,
        pytest.raises(NotFoundError, match="987654"),
    ):
        missing.reconstruct(images)


def test_an_unknown_label_is_refused(address, images):
    with Client(address[0], label="nobody") as client, pytest.raises(InvalidRequestError) as error:
        client.reconstruct(images)
    assert "nobody" in error.value.message


def test_a_label_can_be_chosen(server, images_of_server):
    for url in (server.rest_url, server.grpc_url):
        with Client(url, label="stable") as client:
            assert client.reconstruct(images_of_server).shape == images_of_server.shape
            assert client.status() == {1: "AVAILABLE"}


@pytest.fixture
def images_of_server():
    return np.zeros((2, 5, 4, 1), np.float32)


def test_errors_carry_the_servers_message(client, images):
    with pytest.raises(InvalidRequestError) as error:
        client.decode(np.zeros((2, 999), np.float32))
    assert error.value.code == "INVALID_ARGUMENT"
    assert "999" in str(error.value)
    with pytest.raises((InvalidRequestError, ResourceExhaustedError), match=r"4096|allows"):
        client.sample(10**6, seed=0)
    with pytest.raises(NotFoundError, match="nothing"):
        client.predict("nothing", "encode", {"x": images})
    with pytest.raises(InvalidRequestError, match="no_such"):
        client.predict("vae", "no_such", {"x": images})


def test_a_timeout_is_an_error_that_says_so(address, images):
    with Client(address[0], timeout=1e-4) as client, pytest.raises(DeadlineExceededError):
        client.score(images, num_samples=1000)


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_nobody_there_is_unavailable(scheme, unused_port):
    with (
        Client(f"{scheme}://127.0.0.1:{unused_port}", retries=1, timeout=10) as client,
        pytest.raises(UnavailableError),
    ):
        client.sample(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.encode(np.full((1, 5, 4, 1), np.nan)), "finite"),
        (lambda c: c.encode(np.zeros((0, 5, 4, 1))), "one row or more"),
        (lambda c: c.encode(np.full((1, 5, 4, 1), 2**40)), "float or int32"),
        (lambda c: c.encode(b"file"), "list of such files"),
        (lambda c: c.decode([["a"]]), "float or int32"),
        (lambda c: c.sample(1.5), "num_samples must be int32"),
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
