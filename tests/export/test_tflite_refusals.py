"""What an export to TFLite refuses, and what it leaves behind."""

import errno
import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import tfvae
from tests.export.conftest import IMAGE_SHAPE
from tfvae.export import ExportError, verify
from tfvae.export.tflite_files import parts
from tfvae.export.tflite_files.bound import HeldOutBound
from tfvae.export.tflite_files.runtime import LiteRTFile


@pytest.fixture
def ready(lite, monkeypatch):
    """Conversion replaced by files that are there: these tests are about what follows it."""

    def content(part):
        def file(vae, variant, *_):
            suffix = "" if variant == "float32" else f"_{variant}"
            return lite.paths[f"{part}{suffix}.tflite"].read_bytes()

        return file

    monkeypatch.setattr(parts, "decoder_file", content("decoder"))
    monkeypatch.setattr(parts, "encoder_file", content("encoder"))
    monkeypatch.setattr(parts, "sampler_file", lambda *_: b"")
    monkeypatch.setattr(LiteRTFile, "latency", lambda *_, **__: 0.001)
    return lite


def names(directory):
    """What was published."""
    verify(directory)
    ours = {"current", "sets", "manifest.json"}
    return sorted(path.name for path in directory.iterdir() if path.name not in ours)


def test_a_variant_over_the_limit_is_reported_but_not_published(
    vae, ready, lite_images, tmp_path, monkeypatch
):
    monkeypatch.setattr(HeldOutBound, "change_with_decoder", lambda *_: 0.2)
    monkeypatch.setattr(HeldOutBound, "change_with_encoder", lambda *_: 0.0)
    arguments = (vae, tmp_path, ["dynamic"])
    done = tfvae.export.tflite(*arguments, data=lite_images)
    assert [file.file for file in done.report.refused] == ["decoder_dynamic.tflite"]
    assert names(tmp_path) == ["encoder_dynamic.tflite", "report.json"]
    assert "REFUSED" in done.report.table()
    assert "rises by more than 0.1 nats" in done.report.table()
    done = tfvae.export.tflite(*arguments, data=lite_images, allow=["dynamic"])
    assert not done.report.refused
    assert "decoder_dynamic.tflite" in names(tmp_path)
    done = tfvae.export.tflite(*arguments, data=lite_images, max_nll_change=0.3)
    assert not done.report.refused


def test_a_change_that_is_not_a_number_is_refused(vae, ready, lite_images, tmp_path, monkeypatch):
    monkeypatch.setattr(HeldOutBound, "change_with_decoder", lambda *_: float("nan"))
    done = tfvae.export.tflite(vae, tmp_path, ["dynamic"], data=lite_images)
    assert [file.part for file in done.report.refused] == ["decoder"]
    rows = json.loads((tmp_path / "report.json").read_text())["files"]
    assert rows[0]["nll_change"] is None


def test_files_of_an_earlier_export_are_replaced_or_removed(vae, ready, tmp_path, lite_images):
    options = {"data": lite_images, "max_nll_change": 1.0}
    tfvae.export.tflite(vae, tmp_path, ["float32", "dynamic"], **options)
    done = tfvae.export.tflite(vae, tmp_path, ["float32"], **options)
    assert [path.name for path in done.removed] == [
        "decoder_dynamic.tflite",
        "encoder_dynamic.tflite",
    ]
    assert names(tmp_path) == ["decoder.tflite", "encoder.tflite", "report.json"]
    assert verify(tmp_path).version == 1  # of the same weights


@pytest.mark.parametrize("part", ["decoder", "encoder", "prior"])
def test_a_file_that_drifts_publishes_nothing(vae, ready, tmp_path, part):
    other = keras.models.clone_model(vae)
    other.build((None, *IMAGE_SHAPE))
    other.set_weights(vae.get_weights())
    weight = getattr(other, part).trainable_weights[-1]
    weight.assign(weight + 0.01)
    with pytest.raises(ExportError, match=r"differs from the live model by .* Nothing was"):
        tfvae.export.tflite(other, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_refused(vae, ready, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="can't write to the export folder"):
        tfvae.export.tflite(vae, tmp_path / "file" / "below")


def test_a_full_disk_leaves_the_earlier_set_alone(vae, ready, tmp_path, monkeypatch):
    tfvae.export.tflite(vae, tmp_path)
    before = verify(tmp_path)

    def full(path, content):
        path.open("wb").close()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ExportError, match="No space left on device"):
        tfvae.export.tflite(vae, tmp_path)
    monkeypatch.undo()
    assert verify(tmp_path) == before


def test_without_litert_the_message_says_what_to_install(vae, ready, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ExportError, match="pip install ai-edge-litert"):
        tfvae.export.tflite(vae, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_exporting_says_nothing_by_itself(vae, tmp_path, capfd):
    tfvae.export.tflite(vae, tmp_path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variants": ["flaot16"]}, "expected a list of some of"),
        ({"variants": "float16"}, "expected a list of some of"),
        ({"variants": []}, "expected a list of some of"),
        ({"allow": ["all"]}, "allow is .* expected a list of some of"),
        ({"variants": ["float16"]}, "pass data="),
        ({"variants": ["int8"], "data": np.zeros((1, 5, 4, 1))}, "pass calibration="),
        ({"data": np.zeros((2, 4, 5, 1))}, r"data .*\(4, 5, 1\).*\(5, 4, 1\)"),
        ({"data": np.zeros((0, 5, 4, 1))}, "data is empty"),
        ({"data": np.full((2, 5, 4, 1), 255.0)}, "data has values from 255"),
        ({"data": np.full((2, 5, 4, 1), np.nan)}, "data has 40 NaN"),
        ({"max_nll_change": -1}, "max_nll_change"),
        ({"browser_samples": 0}, "browser_samples"),
    ],
)
def test_wrong_arguments_are_refused(vae, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        tfvae.export.tflite(vae, tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


def test_an_unbuilt_model_is_refused(vae, tmp_path):
    unbuilt = type(vae).from_config(vae.get_config())
    with pytest.raises(ValueError, match="has no weights yet"):
        tfvae.export.tflite(unbuilt, tmp_path / "new")
