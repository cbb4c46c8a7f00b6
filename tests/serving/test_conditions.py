"""A model that is given labels, behind both ports: they go in by name."""

import keras
import numpy as np
import pytest

import tfvae
from tests.export.made import MADE
from tfvae.export.saved_models.export import write
from tfvae.export.servables.choice import servables_of
from tfvae.serving import Client, InvalidRequestError
from tfvae.serving.server.server import DevelopmentServer

SHAPE, LABELS = (4, 3, 1), np.array([2, 0, 1], "int32")
X = np.random.default_rng(3).integers(0, 2, (3, *SHAPE)).astype("float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    encoder = tfvae.Encoder(tfvae.networks.MLP([6]), tfvae.heads.MultivariateNormalDiag(2))
    decoder = tfvae.Decoder(tfvae.networks.MLP([6]), tfvae.heads.IndependentBernoulli(SHAPE))
    model = tfvae.ConditionalVAE(encoder, decoder, {"label": tfvae.Field.label(3)})
    model.build((None, *SHAPE))
    return model


@pytest.fixture(scope="module")
def running(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("conditional")
    for servable in servables_of(model):
        write(servable(model), folder / servable.name / "1", MADE, warmup_batch_sizes=[1])
    with DevelopmentServer(folder, rest_port=0, grpc_port=0) as server:
        yield server


@pytest.fixture(params=["rest_url", "grpc_url"])
def client(request, running):
    with Client(getattr(running, request.param)) as connected:
        yield connected


def test_what_is_drawn_and_decoded_follows_the_label(client, model):
    samples = [client.sample(2, seed=5, label=label) for label in range(3)]
    for label, drawn in enumerate(samples):
        np.testing.assert_allclose(drawn, model.sample(2, seed=5, label=label), atol=1e-5)
    assert not np.allclose(samples[0], samples[1], atol=1e-3)
    z = np.zeros((3, 2), "float32")
    decoded = client.decode(z, label=LABELS)["probs"]
    np.testing.assert_allclose(decoded, model.decode(z, {"label": LABELS}), atol=1e-5)


def test_examples_come_with_their_labels(client, model):
    batch = {"x": X, "label": LABELS}
    encoded = client.encode(X, label=LABELS)["mean"]
    np.testing.assert_allclose(encoded, model.encode(batch), atol=1e-5)
    rebuilt = client.reconstruct(X, label=LABELS)
    np.testing.assert_allclose(rebuilt, model.reconstruct(batch), atol=1e-5)
    score = client.score(X, num_samples=8, seed=2, label=LABELS)
    assert np.all(score["log_likelihood"] < 0)
    other = client.score(X, num_samples=8, seed=2, label=LABELS[::-1].copy())
    assert not np.allclose(score["elbo"], other["elbo"], atol=1e-4)


@pytest.mark.parametrize(
    ("given", "message"), [({}, "label"), ({"label": [0, 1, 3]}, "label"), ({"l": LABELS}, "label")]
)
def test_a_missing_or_wrong_label_is_refused(client, given, message):
    with pytest.raises(InvalidRequestError, match=message):
        client.encode(X, **given)
