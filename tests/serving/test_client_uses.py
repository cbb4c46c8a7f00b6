"""What people do with a model, by the client: answers are those of the exported SavedModels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tests.models.linear_missing as missing
import tests.models.linear_semi_supervised as labelled
import tfvae
from tests.export.made import MADE
from tests.models.test_missing import HOLES, MIXED, small
from tfvae import uses
from tfvae.export.saved_models.export import write
from tfvae.export.servables.encoder import EncoderServable
from tfvae.export.servables.vae import VAEServable
from tfvae.serving import Client, InvalidRequestError, NotFoundError
from tfvae.serving.client import splitting
from tfvae.serving.server.server import DevelopmentServer

pytestmark = pytest.mark.usefixtures("without_xla")

SHAPE = (5, 4, 1)
X = np.random.default_rng(3).random((7, *SHAPE)).astype("float32")
ROWS = len(missing.X)


def noisy_model():
    keras.utils.set_random_seed(1)
    model = tfvae.VAE(
        tfvae.Encoder(tfvae.networks.MLP([6]), tfvae.heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(tfvae.networks.MLP([6]), tfvae.heads.IndependentBernoulli(SHAPE)),
        corruption=tfvae.corruptions.AdditiveNormal(0.3),
    )
    model.build((None, *SHAPE))
    return model


@pytest.fixture(scope="module")
def detector(without_xla):
    return uses.AnomalyDetector(noisy_model(), false_alarm_rate=0.4, seed=5).fit(X)


@pytest.fixture(scope="module")
def models(detector):
    with_nan = small(nan_is_missing=True)
    with_nan.build((None, 5))
    return {
        "noisy": detector.model_,
        "labelled": labelled.exact_model(),
        "holes": missing.exact_model(pattern=None),
        "nan": with_nan,
    }


@pytest.fixture(scope="module")
def running(models, detector, tmp_path_factory):
    """One server of several exports."""
    folder = tmp_path_factory.mktemp("exports")
    servables = {name: VAEServable(model) for name, model in models.items()}
    servables["noisy"] = VAEServable(models["noisy"], anomaly=detector)
    for name, servable in servables.items():
        write(servable, folder / f"{name}-vae" / "1", MADE, ())
        write(EncoderServable(models[name]), folder / f"{name}-encoder" / "1", MADE, ())
    with DevelopmentServer(folder, rest_port=0, grpc_port=0) as server:
        yield server, folder


@pytest.fixture(params=["rest_url", "grpc_url"])
def connect(request, running):
    """A client of an export, and the signatures that it calls, in this process."""
    clients = []

    def connected(name):
        clients.append(Client(getattr(running[0], request.param), prefix=f"{name}-"))
        parts = {
            part: tf.saved_model.load(str(running[1] / f"{name}-{part}" / "1")).signatures
            for part in ("encoder", "vae")
        }
        return clients[-1], parts

    yield connected
    for client in clients:
        client.close()


@pytest.fixture(params=[False, True])
def split(request, monkeypatch):
    """Requests of few rows, or of all."""
    if request.param:
        monkeypatch.setattr(splitting, "MAX_ROWS", 3)


def tensors(**arrays):
    return {name: tf.constant(values) for name, values in arrays.items()}


def test_classes(connect, split):
    client, served = connect("labelled")
    found = client.classify(labelled.X)
    expected = served["encoder"]["classify"](x=tf.constant(labelled.X))
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-5)
    np.testing.assert_allclose(found["probabilities"], labelled.POSTERIOR, atol=1e-3)
    np.testing.assert_array_equal(found["label"], labelled.POSTERIOR.argmax(axis=1))
    assert found["label"].dtype == np.int32


def test_anomalies(connect, split, detector):
    client, served = connect("noisy")
    expected = served["vae"]["anomaly"](x=tf.constant(X))
    found = client.anomaly(X)
    np.testing.assert_allclose(found["score"], expected["score"], atol=1e-4)
    np.testing.assert_allclose(found["score"], detector.anomaly_scores(X), atol=1e-3)
    assert found["is_anomaly"].dtype == bool
    np.testing.assert_array_equal(found["is_anomaly"], expected["is_anomaly"])
    assert 0 < found["is_anomaly"].sum() < len(X)
    pixels = np.round(255 * X).astype("uint8")
    files = [tf.io.encode_png(image).numpy() for image in pixels]
    rounded = detector.anomaly_scores(pixels / np.float32(255))
    for given in (pixels, files):
        np.testing.assert_allclose(client.anomaly(given)["score"], rounded, atol=1e-3)


def test_noise_is_taken_away(connect, split, models):
    client, served = connect("noisy")
    noisy = X + np.random.default_rng(0).normal(size=X.shape).astype("float32")
    found = client.denoise(noisy)
    expected = served["vae"]["denoise"](x=tf.constant(noisy))["x"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found, uses.denoise(models["noisy"], noisy), atol=1e-5)
    pixels = np.round(255 * X).astype("uint8")
    right = uses.denoise(models["noisy"], pixels / np.float32(255))
    np.testing.assert_allclose(client.denoise(pixels), right, atol=1e-5)


def test_holes_are_filled(connect, split):
    client, served = connect("holes")
    seeds = np.arange(7, 7 + ROWS, dtype="int32")
    counts = {"num_samples": np.full(ROWS, 50, "int32"), "seed": seeds}
    given = {name: np.asarray(values, "float32") for name, values in MIXED.items()}
    right = served["vae"]["impute"](**tensors(**given, **counts))["x"]
    with_nan = np.where(given["seen"] > 0, given["x"], np.nan)
    for x in (given["x"], with_nan):
        found = client.impute(x, given["seen"], num_samples=50, seed=7)
        np.testing.assert_allclose(found, right, atol=1e-5)
    np.testing.assert_array_equal(found[given["seen"] > 0], given["x"][given["seen"] > 0])
    with pytest.raises(ValueError, match="x must be finite, received NaN"):
        client.impute(np.full_like(given["x"], np.nan), given["seen"])
    drawn = client.impute(given["x"], given["seen"], num_samples=50, multiple=3, seed=7)
    assert drawn.shape == (3, *right.shape)
    for number, filling in enumerate(drawn):
        counts["seed"] = seeds + number * ROWS
        one = served["vae"]["impute_draw"](**tensors(**given, **counts))["x"]
        np.testing.assert_allclose(filling, one, atol=1e-5)


def test_nan_may_be_a_hole(connect, split):
    client, served = connect("nan")
    rows = len(HOLES)
    counts = {"num_samples": np.full(rows, 20, "int32"), "seed": np.arange(rows, dtype="int32")}
    right = served["vae"]["impute"](**tensors(x=np.asarray(HOLES, "float32"), **counts))["x"]
    found = client.impute(HOLES, num_samples=20)
    np.testing.assert_allclose(found, right, atol=1e-5)
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("name", "call", "error", "message"),
    [
        ("holes", lambda c: c.impute(missing.X), InvalidRequestError, "seen"),
        ("labelled", lambda c: c.anomaly(labelled.X), InvalidRequestError, "anomaly"),
        ("labelled", lambda c: c.impute(labelled.X), InvalidRequestError, "impute"),
        ("holes", lambda c: c.denoise(missing.X), InvalidRequestError, "denoise"),
        ("holes", lambda c: c.classify(missing.X), InvalidRequestError, "classify"),
        ("none", lambda c: c.classify(missing.X), NotFoundError, "none-encoder"),
        ("nan", lambda c: c.impute([[np.inf] * 5]), ValueError, "x must be finite or NaN"),
        ("nan", lambda c: c.impute(HOLES, num_samples=8193), ValueError, "at most 8,192"),
        ("nan", lambda c: c.impute(HOLES, multiple=0), ValueError, "multiple must be"),
        ("noisy", lambda c: c.anomaly(X * np.nan), ValueError, "x must be finite, received NaN"),
    ],
)
def test_what_is_not_served_or_makes_no_sense_is_refused(running, name, call, error, message):
    with (
        Client(running[0].rest_url, prefix=f"{name}-", retries=0) as client,
        pytest.raises(error, match=message),
    ):
        call(client)
