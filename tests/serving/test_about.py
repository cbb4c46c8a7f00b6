"""Which set a server answers from, over REST and gRPC."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.export.made import MADE
from tfvae.export.saved_models.export import write
from tfvae.export.servables.decoder import DecoderServable
from tfvae.serving import Client, MixedSetsError, NotFoundError, ReplyError, ServedSet
from tfvae.serving.client.about import served_set
from tfvae.serving.server.server import DevelopmentServer


@pytest.fixture(scope="module")
def mixed(vae, export_dir, tmp_path_factory):
    """A server whose decoder is of another export than its encoder; the vae is missing."""
    directory = tmp_path_factory.mktemp("mixed")
    shutil.copytree(export_dir / "encoder", directory / "encoder")
    other = replace(MADE, weights=64 * "f")
    write(DecoderServable(vae), directory / "decoder" / "1", other, warmup_batch_sizes=[])
    with DevelopmentServer(directory, rest_port=0, grpc_port=0) as running:
        yield running


def test_the_client_says_which_set_it_talks_to(server):
    for url in (server.rest_url, server.grpc_url):
        with Client(url) as client:
            found = client.about()
        assert found == ServedSet("tiny", 1, MADE.weights, ("encoder", "decoder", "vae"))


def test_each_row_of_a_request_is_answered_alike(server):
    """As a batching server needs it, which merges requests and cuts the answer."""
    for url in (server.rest_url, server.grpc_url):
        with Client(url) as client:
            told = client.predict("vae", "about", {"row": np.arange(3, dtype=np.int32)})
        assert {name: values.shape for name, values in told.items()} == {
            "name": (3,),
            "version": (3,),
            "weights": (3,),
        }
        assert set(told["name"]) == {b"tiny"}


def test_models_of_several_sets_are_refused(mixed):
    for url in (mixed.rest_url, mixed.grpc_url):
        with (
            Client(url) as client,
            pytest.raises(MixedSetsError, match=r"encoder is of tiny 1 \(0{12}\), decoder .*f{12}"),
        ):
            client.about()


def test_a_server_without_any_of_the_models_is_said_so(server):
    with Client(server.rest_url, prefix="other-") as client, pytest.raises(NotFoundError):
        client.about()


class Foreign:
    """Answers with outputs that no export has."""

    def predict(self, model, signature, inputs):
        return {"output": np.zeros(1)}


def test_an_answer_that_names_no_set_is_not_taken():
    with pytest.raises(ReplyError, match="encoder does not say"):
        served_set(Foreign())
