"""What is refused, what it leaves behind, and the numbers of the report."""

import errno
import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

import tfvae
from tfvae.export import ExportError, tflite_measure
from tfvae.export.tflite_convert import convert
from tfvae.export.tflite_float32 import in_float32
from tfvae.export.tflite_join import join
from tfvae.export.tflite_quality import TestBound
from tfvae.export.tflite_report import FileReport, TFLiteReport
from tfvae.export.tflite_runtime import LiteRTFile, arena_bytes, plan


@pytest.fixture
def ready(lite, monkeypatch):
    """Conversion replaced by files that are there: these tests are about what follows it."""

    def content(part):
        def file(vae, variant, *_):
            suffix = "" if variant == "float32" else f"_{variant}"
            return lite.paths[f"{part}{suffix}.tflite"].read_bytes()

        return file

    monkeypatch.setattr(tflite_measure, "decoder_file", content("decoder"))
    monkeypatch.setattr(tflite_measure, "encoder_file", content("encoder"))
    monkeypatch.setattr(tflite_measure, "sampler_file", lambda *_: b"")
    monkeypatch.setattr(LiteRTFile, "latency", lambda *_, **__: 0.001)
    return lite


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_variant_over_the_limit_is_reported_but_not_published(
    vae, ready, lite_images, tmp_path, monkeypatch
):
    monkeypatch.setattr(TestBound, "change_with_decoder", lambda *_: 0.2)
    monkeypatch.setattr(TestBound, "change_with_encoder", lambda *_: 0.0)
    arguments = (vae, tmp_path, ["dynamic"])
    done = tfvae.export.tflite(*arguments, images=lite_images)
    assert [file.file for file in done.report.refused] == ["decoder_dynamic.tflite"]
    assert names(tmp_path) == ["encoder_dynamic.tflite", "report.json"]
    assert "REFUSED" in done.report.table()
    assert "rises by more than 0.1 nats" in done.report.table()
    done = tfvae.export.tflite(*arguments, images=lite_images, allow=["dynamic"])
    assert not done.report.refused
    assert "decoder_dynamic.tflite" in names(tmp_path)
    done = tfvae.export.tflite(*arguments, images=lite_images, max_nll_change=0.3)
    assert not done.report.refused


def test_a_change_that_is_not_a_number_is_refused(vae, ready, lite_images, tmp_path, monkeypatch):
    monkeypatch.setattr(TestBound, "change_with_decoder", lambda *_: float("nan"))
    done = tfvae.export.tflite(vae, tmp_path, ["dynamic"], images=lite_images)
    assert [file.part for file in done.report.refused] == ["decoder"]
    rows = json.loads((tmp_path / "report.json").read_text())["files"]
    assert rows[0]["nll_change"] is None


def test_files_of_an_earlier_export_are_replaced_or_removed(vae, ready, tmp_path, lite_images):
    (tmp_path / "decoder_int8.tflite").write_bytes(b"of another model")
    (tmp_path / "decoder.tflite").write_bytes(b"of another model")
    (tmp_path / "decoder_mine.tflite").write_bytes(b"not ours")
    tfvae.export.tflite(vae, tmp_path)
    assert names(tmp_path) == [
        "decoder.tflite",
        "decoder_mine.tflite",
        "encoder.tflite",
        "report.json",
    ]
    assert (tmp_path / "decoder.tflite").read_bytes() == ready.paths["decoder.tflite"].read_bytes()


@pytest.mark.parametrize("part", ["decoder", "encoder", "prior"])
def test_a_file_that_drifts_publishes_nothing(vae, ready, tmp_path, part):
    other = keras.models.clone_model(vae)
    other.build((None, *vae.image_shape))
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


def test_a_full_disk_leaves_the_earlier_files_alone(vae, ready, tmp_path, monkeypatch):
    (tmp_path / "decoder.tflite").write_bytes(b"earlier")

    def full(path, content):
        path.open("wb").close()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ExportError, match="No space left on device"):
        tfvae.export.tflite(vae, tmp_path)
    assert names(tmp_path) == ["decoder.tflite"]
    assert (tmp_path / "decoder.tflite").read_bytes() == b"earlier"


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
        ({"variants": ["float16"]}, "pass images="),
        ({"variants": ["int8"], "images": np.zeros((1, 5, 4, 1))}, "pass calibration_images="),
        ({"images": np.zeros((2, 4, 5, 1))}, r"expected \(N, 5, 4, 1\)"),
        ({"images": np.zeros((0, 5, 4, 1))}, r"expected \(N, 5, 4, 1\), N > 0"),
        ({"images": np.full((2, 5, 4, 1), 255.0)}, "scale images"),
        ({"images": np.full((2, 5, 4, 1), np.nan)}, "not finite"),
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


def test_operations_that_are_not_built_in_are_named():
    endpoint = (lambda x: {"y": tf.linalg.det(x)}, {"x": tf.TensorSpec([None, 2, 2], tf.float32)})
    with pytest.raises(ExportError, match=r"not built in .*Determinant"):
        convert({"f": endpoint}, "float32", {})


def test_networks_with_control_flow_are_refused():
    def twice(x):
        return {"y": tf.while_loop(lambda i, _: i < 2, lambda i, x: (i + 1, x * 2.0), (0, x))[1]}

    spec = {"x": tf.TensorSpec([None, 2], tf.float32)}
    loop = convert({"f": (twice, spec)}, "float32", {})
    first = convert({"g": (lambda x: {"z": x + 1.0}, spec)}, "float32", {})
    with pytest.raises(ExportError, match="loops or conditions"):
        join(first, loop, {"y": "y"})


def test_joined_graphs_compute_one_after_the_other():
    spec = {"x": tf.TensorSpec([None, 2], tf.float32)}
    first = convert({"f": (lambda x: {"z": x @ [[1.0, 2.0], [3.0, 4.0]]}, spec)}, "float32", {})
    second = convert({"g": (lambda x: {"y": tf.exp(x), "w": x * 3.0}, spec)}, "float32", {})
    file = LiteRTFile(join(first, second, {"out": "y", "z": "z"}, keep="second", but="w"))
    x = np.array([[0.1, 0.2], [0.3, -0.4], [0.0, 0.5]], np.float32)
    z = x @ np.array([[1.0, 2.0], [3.0, 4.0]])
    got = file.run("f", x=x)
    np.testing.assert_allclose(got["z"], z, rtol=1e-6)
    np.testing.assert_allclose(got["out"], np.exp(z), rtol=1e-6)
    assert list(file.run("second", x=x)) == ["y"]
    model = flatbuffer_utils.convert_bytearray_to_object(file.content)
    assert {entry.name for entry in model.metadata} >= {b"min_runtime_version"}


def test_a_float32_model_is_not_copied(vae):
    assert in_float32(vae) is vae


def test_the_bound_equals_numpy(vae, lite_images):
    """IW_K from the tensors that an exported encoder and decoder return, without TFP."""
    bound = TestBound(vae, lite_images, num_samples=5)
    noise = np.asarray(tfvae.random.normal((5, len(lite_images), vae.latent_size), 0), np.float64)
    posterior = {k: v.numpy().astype(float) for k, v in vae.encoder.parameters(lite_images).items()}
    scale_tril = posterior["scale_tril"]
    z = posterior["loc"] + np.einsum("bij,sbj->sbi", scale_tril, noise)
    log_q = scipy.stats.norm.logpdf(noise).sum(-1)
    log_q = log_q - np.log(np.diagonal(scale_tril, axis1=1, axis2=2)).sum(-1)
    log_p = np.asarray(vae.prior.distribution().log_prob(z.astype("float32")))
    logits = vae.decoder.parameters(tf.constant(z, tf.float32))["logits"].numpy().astype(float)
    log_likelihood = lite_images * logits - np.logaddexp(0, logits)
    log_weights = log_likelihood.sum(axis=(2, 3, 4)) + log_p - log_q
    expected = np.mean(scipy.special.logsumexp(log_weights, axis=0) - np.log(5))
    assert bound.live == pytest.approx(expected, abs=1e-4)

    def darker(z):
        return {"logits": vae.decoder.parameters(z)["logits"].numpy() - 1.0}

    log_likelihood = lite_images * (logits - 1) - np.logaddexp(0, logits - 1)
    log_weights = log_likelihood.sum(axis=(2, 3, 4)) + log_p - log_q
    shifted = np.mean(scipy.special.logsumexp(log_weights, axis=0) - np.log(5))
    assert bound.change_with_decoder(darker) == pytest.approx(expected - shifted, abs=1e-4)
    assert bound.change_with_encoder(vae.encoder.parameters) == pytest.approx(0, abs=1e-5)


def test_the_arena_plan_reuses_memory_that_is_free():
    assert plan([]) == 0
    assert plan([(100, 0, 1)]) == 100
    # a -> b -> c, of which two at a time are alive: c takes a's place.
    assert plan([(128, 0, 1), (256, 1, 2), (128, 2, 3)]) == 256 + 128
    # Alive together: side by side, on 64-byte boundaries.
    assert plan([(100, 0, 2), (100, 1, 2), (100, 2, 2)]) == 128 + 128 + 100
    # The gap between two that live longer is used.
    assert plan([(192, 0, 9), (128, 0, 1), (100, 0, 9), (64, 2, 3), (60, 2, 3)]) == 192 + 128 + 100


def test_arena_of_a_known_graph():
    """exp(exp(x)) and x: 64 floats in, 64 in between, 64 out, and nothing else."""
    spec = {"x": tf.TensorSpec([None, 64], tf.float32)}
    content = convert({"f": (lambda x: {"y": tf.sin(tf.exp(x))}, spec)}, "float32", {})
    assert arena_bytes(content, "f", x=np.zeros((1, 64), np.float32)) == 3 * 256
    assert arena_bytes(content, "f", x=np.zeros((4, 64), np.float32)) == 4 * 3 * 256


def test_report_without_test_images_has_no_change():
    row = FileReport("a.tflite", "decoder", "float32", 1000, 0.0, 0.0, None, 1.0, 1.0, 1, 1, False)
    report = TFLiteReport([row], 0.1, None, 0, 0, "none")
    assert " - " in report.table()
    assert json.loads(report.to_json())["test_nll"] is None
