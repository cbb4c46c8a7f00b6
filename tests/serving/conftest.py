"""Exported models behind the development server, and behind TensorFlow Serving where there is one.

To run the client's tests against TensorFlow Serving as well, set TFVAE_SERVING_URL to its addresses
("http://localhost:8501,grpc://localhost:8500") and TFVAE_SERVING_EXPORT to the export folder that
it serves.
"""

import os
import socket
import time
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.export.made import MADE
from tfvae.export.saved_models.export import write
from tfvae.export.servables.choice import SERVABLES
from tfvae.serving import Client
from tfvae.serving.server.refusals import Limits
from tfvae.serving.server.server import DevelopmentServer

IMAGE_SHAPE = (5, 4, 1)
LATENT_SIZE = 3
LIMITS = Limits(body_bytes=2**20, elements=2**19, request_seconds=20.0)
ADDRESSES = [url for url in os.environ.get("TFVAE_SERVING_URL", "").split(",") if url]


@pytest.fixture(scope="session")
def vae():
    keras.utils.set_random_seed(0)
    code = tfvae.heads.MultivariateNormalTriL(LATENT_SIZE)
    image = tfvae.heads.IndependentBernoulli(IMAGE_SHAPE)
    encoder = tfvae.Encoder(tfvae.networks.MLP([7]), code)
    vae = tfvae.VAE(encoder, tfvae.Decoder(tfvae.networks.MLP([6]), image))
    vae.build((None, *IMAGE_SHAPE))
    return vae


@pytest.fixture(scope="session")
def export_dir(vae, tmp_path_factory):
    """An export without its comparison, which is tested elsewhere and takes a process."""
    directory = tmp_path_factory.mktemp("export")
    for servable in SERVABLES:
        write(servable(vae), directory / servable.name / "1", MADE, warmup_batch_sizes=[1])
    return directory


@pytest.fixture(scope="session")
def server(export_dir):
    options = {"rest_port": 0, "grpc_port": 0, "limits": LIMITS, "labels": {"stable": 1}}
    with DevelopmentServer(export_dir, **options) as running:
        yield running


@pytest.fixture(params=["rest", "grpc", *(ADDRESSES or ["TensorFlow Serving"])])
def address(request):
    """A server's address, and the export folder behind it."""
    if request.param in ("rest", "grpc"):
        running = request.getfixturevalue("server")
        url = running.rest_url if request.param == "rest" else running.grpc_url
        return url, request.getfixturevalue("export_dir")
    if not ADDRESSES:
        pytest.skip("TFVAE_SERVING_URL names no TensorFlow Serving")
    if "TFVAE_SERVING_EXPORT" not in os.environ:
        pytest.skip("TFVAE_SERVING_EXPORT does not say what is served at TFVAE_SERVING_URL")
    return request.param, os.environ["TFVAE_SERVING_EXPORT"]


@pytest.fixture
def client(address):
    with Client(address[0]) as connected:
        yield connected


@cache
def loaded(folder):
    """The signatures in this process: model -> signature -> function."""
    found = {}
    for name in ("encoder", "decoder", "vae"):
        newest = max(int(number) for number in os.listdir(folder / name) if number.isdigit())
        found[name] = tf.saved_model.load(str(folder / name / str(newest))).signatures
    return found


@pytest.fixture
def local(address):
    return loaded(Path(address[1]))


@pytest.fixture
def unused_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture
def images(local):
    shape = local["encoder"]["encode"].structured_input_signature[1]["x"].shape[1:]
    return np.random.default_rng(1).random((4, *shape), np.float32)


def until(condition):
    """Waits for something to become true."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
