"""The parts of an export to TFLite: conversion, joining, and the numbers of the report."""

import json

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

import tfvae
from tfvae.export import ExportError
from tfvae.export.precision import in_float32
from tfvae.export.tflite_files.bound import HeldOutBound
from tfvae.export.tflite_files.converter import convert
from tfvae.export.tflite_files.join import join
from tfvae.export.tflite_files.report import FileReport, TFLiteReport
from tfvae.export.tflite_files.runtime import LiteRTFile


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
    spec = {"z": spec["x"]}
    second = convert({"g": (lambda z: {"y": tf.exp(z), "w": z * 3.0}, spec)}, "float32", {})
    file = LiteRTFile(join(first, second, {"out": "y", "z": "z"}, keep="second", but="w"))
    x = np.array([[0.1, 0.2], [0.3, -0.4], [0.0, 0.5]], np.float32)
    z = x @ np.array([[1.0, 2.0], [3.0, 4.0]])
    got = file.run("f", x=x)
    np.testing.assert_allclose(got["z"], z, rtol=1e-6)
    np.testing.assert_allclose(got["out"], np.exp(z), rtol=1e-6)
    assert list(file.run("second", z=x)) == ["y"]
    model = flatbuffer_utils.convert_bytearray_to_object(file.content)
    assert {entry.name for entry in model.metadata} >= {b"min_runtime_version"}


def test_a_float32_model_is_not_copied(vae):
    assert in_float32(vae) is vae


def test_the_bound_equals_numpy(vae, lite_images):
    """IW_K from the tensors that an exported encoder and decoder return, without TFP."""
    bound = HeldOutBound(vae, {"x": lite_images}, num_samples=5)
    shape = (len(lite_images), vae.latent_size)
    noise = np.stack([tfvae.random.normal(shape, 0, stream=k) for k in range(5)]).astype("float64")
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

    def darker(inputs):
        return {"logits": vae.decoder.parameters(inputs["z"])["logits"].numpy() - 1.0}

    log_likelihood = lite_images * (logits - 1) - np.logaddexp(0, logits - 1)
    log_weights = log_likelihood.sum(axis=(2, 3, 4)) + log_p - log_q
    shifted = np.mean(scipy.special.logsumexp(log_weights, axis=0) - np.log(5))
    assert bound.change_with_decoder(darker) == pytest.approx(expected - shifted, abs=1e-4)
    same = bound.change_with_encoder(lambda inputs: vae.encoder.parameters(inputs["x"]))
    assert same == pytest.approx(0, abs=1e-5)


def test_report_without_test_images_has_no_change():
    row = FileReport("a.tflite", "decoder", "float32", 1000, 0.0, 0.0, None, 1.0, 1.0, False)
    report = TFLiteReport([row], 0.1, None, 0, 0, "none")
    assert " - " in report.table()
    assert json.loads(report.to_json())["test_nll"] is None
