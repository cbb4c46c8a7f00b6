"""Callbacks that look: diagnostics in the logs, pictures in files and for TensorBoard."""

import csv
import sys

import keras
import numpy as np
import pytest

from tests.evaluation.models import bits, digits_model
from tfvae import evaluation
from tfvae.callbacks import LatentDiagnostics, PictureGrid


@pytest.fixture
def model():
    model = digits_model(3)
    model.compile("adam")
    return model


def fit(model, *callbacks, epochs=2):
    return model.fit(bits(64), batch_size=32, epochs=epochs, verbose=0, callbacks=list(callbacks))


def test_diagnostics_reach_history_and_csv(model, tmp_path):
    x = bits(50, seed=1)
    log = keras.callbacks.CSVLogger(tmp_path / "history.csv")
    history = fit(model, LatentDiagnostics(x, every=2), log).history
    parts = evaluation.rate_and_distortion(model, x)  # the model rests after its last epoch
    assert np.isnan(history["rate"][0])
    np.testing.assert_allclose(history["rate"][1], parts.rate.mean, rtol=1e-6)
    np.testing.assert_allclose(history["distortion"][1], parts.distortion.mean, rtol=1e-6)
    assert history["active_units"][1] == evaluation.active_units(model, x).count
    rows = list(csv.DictReader((tmp_path / "history.csv").read_text().splitlines()))
    assert float(rows[1]["rate"]) == history["rate"][1]
    assert rows[0]["distortion"] == "nan"


def test_looking_does_not_change_training(model):
    fit(model, LatentDiagnostics(bits(20)))
    other = digits_model(3)
    other.compile("adam")
    fit(other)
    for one, two in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_pictures_are_written_for_every_second_epoch(model, tmp_path):
    folder = tmp_path / "run" / "pictures"
    fit(model, PictureGrid(folder, bits(20), every=2, num_samples=4), epochs=4)
    names = [f"{kind}-000{n}.png" for kind in ("reconstructions", "samples") for n in (2, 4)]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in folder.iterdir())


def test_pictures_reach_tensorboard(model, tmp_path):
    pytest.importorskip("tensorboard", reason="the tensorboard extra is not installed")
    import tensorflow as tf

    fit(model, PictureGrid(None, bits(4), tensorboard_dir=tmp_path, num_samples=4), epochs=1)
    (path,) = tmp_path.iterdir()
    found = {}
    for record in tf.data.TFRecordDataset(str(path)):
        for value in tf.compat.v1.Event.FromString(record.numpy()).summary.value:
            found[value.tag] = tf.image.decode_png(value.tensor.string_val[2])
    assert set(found) == {"reconstructions", "samples"}
    # Four pairs in one row of eight tiles of 8 x 8 pixels, one pixel between them.
    assert found["reconstructions"].shape == (8, 8 * 9 - 1, 3)


def test_tensorboard_is_asked_for_before_training(monkeypatch, model, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r"pip install 'tfvae\[tensorboard\]'"):
        PictureGrid(tmp_path, bits(4), tensorboard_dir=tmp_path)


def test_bad_arguments_are_refused(model, tmp_path):
    with pytest.raises(ValueError, match="needs a directory, a tensorboard_dir, or both"):
        PictureGrid(None, bits(4))
    with pytest.raises(ValueError, match="every must be an integer of at least 1"):
        PictureGrid(tmp_path, bits(4), every=0)
    with pytest.raises(ValueError, match="divide by 255"):
        fit(model, PictureGrid(tmp_path, bits(4) * 255))
    with pytest.raises(ValueError, match="every must be an integer of at least 1"):
        LatentDiagnostics(bits(4), every=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        fit(model, PictureGrid(tmp_path / "file" / "pictures", bits(4)))
