"""A model of rows of a table: vectors, any real numbers."""

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.export.members import rows, table
from tests.export.test_signatures import call
from tfvae.export.tflite_files.data import ExportData
from tfvae.export.tflite_files.measure import make
from tfvae.export.tflite_files.runtime import LiteRTFile


@pytest.fixture(scope="module")
def model():
    return table()


def test_saved_models_take_rows_and_no_bytes(model, tmp_path):
    done = tfvae.export.saved_model(model, tmp_path)
    signatures = {n: tf.saved_model.load(str(path)).signatures for n, path in done.paths.items()}
    assert {
        name: set(found) - {"serving_default", "about"} for name, found in signatures.items()
    } == {
        "encoder": {"encode", "sample"},
        "decoder": {"decode", "sample"},
        "vae": {"reconstruct", "score", "interpolate"},
    }
    x = 10 * rows(3, 6)  # far outside [0, 1]
    posterior = model.encoder(x)
    encoded = call(signatures["encoder"]["encode"], x=x)
    np.testing.assert_allclose(encoded["mean"], posterior.mean(), rtol=1e-5, atol=1e-5)
    got = call(signatures["vae"]["reconstruct"], x=x)["x"]
    np.testing.assert_allclose(got, model.reconstruct(x), rtol=1e-5, atol=1e-5)
    steps = np.array([2, 2, 2], "int32")
    line = call(signatures["vae"]["interpolate"], start_x=x, end_x=x[::-1], steps=steps)["x"]
    np.testing.assert_allclose(line[:, 1], got[::-1], rtol=1e-5, atol=1e-5)


def test_phones_draw_the_same_rows(model, tmp_path):
    done = tfvae.export.tflite(model, tmp_path)
    decoder = LiteRTFile(done.paths["decoder.tflite"].read_bytes())
    drawn = decoder.run("sample_seeded", num_samples=4, seed=9)
    np.testing.assert_allclose(drawn["x"], model.sample(4, seed=9), atol=1e-4)
    x = rows(3, 6)
    encoder = LiteRTFile(done.paths["encoder.tflite"].read_bytes())
    np.testing.assert_allclose(
        encoder.run("encode", x=x)["mean"], model.encoder(x).mean(), atol=1e-4
    )


def test_eight_bits_are_judged_by_the_density(model):
    x = {"x": model.decoder(tf.constant(rows(64, 2))).sample(seed=1).numpy()}
    files, report = make(model, ("float32", "int8"), ExportData(x, x), 5.0, ())
    assert set(files) == {f"{p}{v}.tflite" for p in ("decoder", "encoder") for v in ("", "_int8")}
    exact, rounded = (
        [row.nll_change for row in report.files if row.variant == v] for v in ("float32", "int8")
    )
    assert max(map(abs, exact)) < 1e-4 < max(map(abs, rounded))
