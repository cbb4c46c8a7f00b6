"""TFLite files of a model of several inputs."""

import numpy as np
import pytest

import tfvae
from tfvae.export.tflite_files.data import ExportData
from tfvae.export.tflite_files.measure import make
from tfvae.export.tflite_files.runtime import LiteRTFile

# More rows than a step of the calibration has, and no multiple of it.
ROWS, SHAPE = 37, (4, 3, 1)


@pytest.fixture(scope="module")
def made():
    encoder = tfvae.Encoder(tfvae.networks.MLP([6]), tfvae.heads.MultivariateNormalDiag(2))
    decoder = tfvae.Decoder(tfvae.networks.MLP([6]), tfvae.heads.IndependentBernoulli(SHAPE))
    model = tfvae.ConditionalVAE(encoder, decoder, {"label": tfvae.Field.label(3)}, seed=1)
    model.build((None, *SHAPE))
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (ROWS, *SHAPE)).astype("float32")
    batch = {"x": x, "label": rng.integers(0, 3, ROWS).astype("int32")}
    files, report = make(model, ("float32", "int8"), ExportData(batch, batch), 50.0, ())
    return model, batch, files, report


def test_eight_bits_are_calibrated_on_several_inputs(made):
    _, _, files, report = made
    assert {"decoder_int8.tflite", "encoder_int8.tflite"} <= set(files)
    worst = {v: max(abs(r.nll_change) for r in report.files if r.variant == v) for v in
             ("float32", "int8")}  # fmt: skip
    assert worst["float32"] < 1e-4 < worst["int8"]


def test_the_bare_runtime_takes_the_label(made):
    model, batch, files, _ = made
    decoder = LiteRTFile(files["decoder.tflite"])
    z = np.random.default_rng(1).normal(size=(ROWS, 2)).astype("float32")
    found = decoder.run("decode", z=z, label=batch["label"])["probs"]
    expected = model.decode(z, {"label": batch["label"]})
    np.testing.assert_allclose(found, expected, atol=1e-5)
