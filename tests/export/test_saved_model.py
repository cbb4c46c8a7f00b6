"""The published folders: what they are called, hold and answer."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.export.conftest import LATENT_SIZE, scramble
from tests.export.members import Flow, table
from tfvae.distributions import draws
from tfvae.export import ExportError
from tfvae.export.servables import choice
from tfvae.export.servables.decoder import DecoderServable
from tfvae.export.servables.encoder import EncoderServable
from tfvae.export.servables.vae import VAEServable

SERVABLES = ("encoder", "decoder", "vae")
FILES = {
    "assets.extra/tf_serving_warmup_requests",
    "saved_model.pb",
    "variables/variables.data-00000-of-00001",
    "variables/variables.index",
}
# Float32 differences between eager kernels and the graph optimiser's, measured at 5e-7.
SAME = 1e-5


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_result_names_what_was_published(exported):
    assert exported.version == 1
    assert set(exported.paths) == set(SERVABLES)
    for name, path in exported.paths.items():
        assert path == exported.directory / name / "1"
        assert files(path) == FILES
    names = {path.name for path in exported.directory.iterdir()}
    assert names == {*SERVABLES, "manifest.json", "current", "sets"}
    manifest = tfvae.export.verify(exported.directory)
    assert (manifest.name, manifest.version, manifest.model) == ("tiny", 1, "VAE")
    assert len(manifest.files) == len(SERVABLES) * len(FILES)


def test_every_signature_was_compared_in_a_fresh_process(exported, signatures):
    names = {f"{servable}/{name}" for servable in SERVABLES for name in signatures[servable]}
    assert set(exported.differences) == names
    assert max(exported.differences.values()) < SAME


def test_it_runs_where_tfvae_tfp_and_keras_cannot_be_imported(exported, vae, tmp_path):
    z = np.random.default_rng(0).normal(size=(7, LATENT_SIZE)).astype("float32")
    jobs = []
    for rows in (1, 2, 7):
        np.savez(tmp_path / f"{rows}.npz", z=z[:rows])
        place = {"inputs": f"{tmp_path}/{rows}.npz", "outputs": f"{tmp_path}/got{rows}.npz"}
        path = str(exported.paths["decoder"])
        jobs.append({"path": path, "signature": "serving_default", **place})
    script = Path(__file__).parents[1] / "conformance" / "plain_tensorflow.py"
    done = subprocess.run(
        [sys.executable, str(script)],
        input=json.dumps(jobs),
        check=True,
        timeout=120,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout)["imported"] == []
    expected = vae.decoder(z).mean().numpy()
    for rows in (1, 2, 7):
        with np.load(tmp_path / f"got{rows}.npz") as got:
            np.testing.assert_allclose(got["probs"], expected[:rows], atol=SAME)


def test_versions_rise_and_stay(exported, vae, tmp_path, no_comparison, encoder_only):
    directory = tmp_path / "tiny"
    shutil.copytree(exported.directory, directory, symlinks=True)
    sets = (directory / "sets").rglob("*")
    before = {path: path.read_bytes() for path in sets if path.is_file()}
    assert tfvae.export.saved_model(vae, directory).version == 2
    with pytest.raises(ExportError, match="version 2 is not above version 2"):
        tfvae.export.saved_model(vae, directory, version=2)
    assert all(path.read_bytes() == content for path, content in before.items())
    assert len(list(directory.rglob("saved_model.pb"))) == 4


def test_bfloat16_convolutions_dropout_and_colour(tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "SERVABLES", choice.SERVABLES[:2])  # the third takes seconds more
    shape = (8, 8, 3)
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder = keras.Sequential(
            [
                keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="conv"),
                keras.layers.BatchNormalization(name="norm"),
                keras.layers.Dropout(0.5, name="dropout"),
            ],
            name="network",
        )
        vae = tfvae.VAE(
            tfvae.Encoder(encoder, tfvae.heads.MultivariateNormalDiag(2)),
            tfvae.Decoder(
                tfvae.networks.MLP([9]), tfvae.heads.IndependentNormal(shape, scale="learned")
            ),
        )
        vae.build((None, *shape))
        scramble(vae)
        done = tfvae.export.saved_model(vae, tmp_path)
    finally:
        keras.config.set_dtype_policy("float32")
    assert max(done.differences.values()) < 0.02
    images = np.random.default_rng(0).random((3, *shape), np.float32)
    encode = tf.saved_model.load(str(done.paths["encoder"])).signatures["encode"]
    first, second = encode(x=tf.constant(images)), encode(x=tf.constant(images))
    for name, value in first.items():
        assert value.dtype == tf.float32
        np.testing.assert_array_equal(value, second[name])  # nothing is dropped
    decode = tf.saved_model.load(str(done.paths["decoder"])).signatures["decode"]
    outputs = decode(z=tf.zeros([5, 2]))
    assert {name: value.shape for name, value in outputs.items()} == {
        "loc": (5, *shape),
        "scale": (5, 1, 1, 1),
    }


@pytest.fixture
def log(caplog):
    """Warnings, of TensorFlow's logger too, which hands nothing on."""
    logger = tf.get_logger()
    logger.addHandler(caplog.handler)
    with caplog.at_level("WARNING"):
        yield caplog
    logger.removeHandler(caplog.handler)


def test_exporting_says_nothing_by_itself(tmp_path, capfd, log):
    model = table(Flow(2))
    capfd.readouterr()  # TensorFlow, of the machine
    tfvae.export.saved_model(model, tmp_path)
    assert capfd.readouterr() == ("", "")
    assert log.records == []


def test_nothing_is_traced_through_autograph(log):
    """It warns of the for ... else of Python's own singledispatch, by which draws are chosen."""
    model = table(Flow(2))
    for servable in (EncoderServable, DecoderServable, VAEServable):
        for signature in servable(model).signatures().values():
            draws.draw_of._clear_cache()
            signature.concrete()
    assert log.records == []
