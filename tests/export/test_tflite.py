"""The `.tflite` files, run as an app would: LiteRT alone, in a process of its own."""

import json
import resource
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

import tfvae
from tests.export.conftest import IMAGE_SHAPE, codes
from tfvae.export.tflite_files.convert import MAX_SAMPLES
from tfvae.export.tflite_files.runtime import LiteRTFile

VARIANTS = ("float32", "float16", "dynamic", "int8")
REQUESTS = [(1, 0), (2, 7), (5, -1), (64, 2**31 - 1), (3, -(2**31))]

# Reads requests, answers with arrays; nothing of TensorFlow can be imported.
LITERT_ALONE = """
import sys

ABSENT = {"tensorflow", "keras", "tfvae", "tensorflow_probability", "tf_keras"}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ImportError(name + " is not on a phone")

sys.meta_path.insert(0, Refuse())
import numpy as np
from ai_edge_litert.interpreter import Interpreter

path, requests, answers = sys.argv[1:]
interpreter = Interpreter(model_path=path)
outputs = {}
with np.load(requests) as arrays:
    for call in sorted({name.rsplit("/", 1)[0] for name in arrays}):
        signature = call.split("/")[0]
        inputs = {n.rsplit("/", 1)[1]: arrays[n] for n in arrays if n.rsplit("/", 1)[0] == call}
        inputs.pop("-", None)
        for name, value in interpreter.get_signature_runner(signature)(**inputs).items():
            outputs[call + "/" + name] = value
np.savez(answers, **outputs)
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""


def answers(path, calls, folder):
    """{"signature/label": inputs} -> {"signature/label/output": array}, from a fresh process."""
    requests = {f"{call}/{name}": value for call, inputs in calls.items() for name, value in inputs}
    np.savez(folder / "requests.npz", **requests)
    subprocess.run(
        [sys.executable, "-c", LITERT_ALONE, path, folder / "requests.npz", folder / "answers.npz"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    with np.load(folder / "answers.npz") as loaded:
        return dict(loaded)


def seeded(num_samples, seed):
    return [("num_samples", np.int32(num_samples)), ("seed", np.int32(seed))]


def test_float32_files_agree_with_the_live_model_in_a_process_with_litert_alone(
    vae, lite, lite_images, tmp_path
):
    z = np.random.default_rng(0).normal(size=(3, vae.latent_size)).astype("float32")
    calls = {f"sample_seeded/{n} {seed}": seeded(n, seed) for n, seed in REQUESTS}
    calls |= {f"decode/{rows}": [("z", z[:rows])] for rows in (1, 3)}
    got = answers(lite.paths["decoder.tflite"], calls, tmp_path)
    for n, seed in REQUESTS:
        call = f"sample_seeded/{n} {seed}"
        np.testing.assert_allclose(got[f"{call}/x"], vae.sample(n, seed=seed), atol=1e-4)
        np.testing.assert_allclose(got[f"{call}/z"], codes(vae, n, seed), atol=1e-4)
    for rows in (1, 3):
        likelihood = vae.decoder(z[:rows]).distribution
        np.testing.assert_allclose(got[f"decode/{rows}/probs"], likelihood.mean(), atol=1e-4)
        np.testing.assert_allclose(got[f"decode/{rows}/logits"], likelihood.logits, atol=1e-4)
    calls = {f"encode/{rows}": [("x", lite_images[:rows])] for rows in (1, 3, 40)}
    got = answers(lite.paths["encoder.tflite"], calls, tmp_path)
    for rows in (1, 3, 40):
        posterior = vae.encoder(lite_images[:rows])
        np.testing.assert_allclose(got[f"encode/{rows}/mean"], posterior.mean(), atol=1e-4)
        np.testing.assert_allclose(got[f"encode/{rows}/stddev"], posterior.stddev(), atol=1e-4)
        np.testing.assert_allclose(
            got[f"encode/{rows}/scale_tril"] @ got[f"encode/{rows}/scale_tril"].mT,
            posterior.covariance(),
            atol=1e-4,
        )


def test_the_saved_model_and_the_file_draw_the_same(signatures, lite):
    """One seed, one picture: here a server's; the live model's in the test above."""
    served = signatures["decoder"]["sample"](
        num_samples=tf.constant([6]),
        first=tf.constant([0]),
        seed=tf.constant([-11]),
        temperature=tf.constant([1.0]),
    )
    drawn = runtime(lite, "decoder.tflite").run("sample_seeded", num_samples=6, seed=-11)
    np.testing.assert_allclose(drawn["x"], served["x"][0], atol=1e-4)
    np.testing.assert_allclose(drawn["z"], served["z"][0], atol=1e-4)


@pytest.mark.parametrize("count", [0, -1, MAX_SAMPLES + 1, 10**9, -(2**31)])
def test_a_count_out_of_range_ends_the_call_and_not_the_app(lite, count):
    """LiteRT has no assertion: the file gathers from before the beginning, which it refuses."""
    file = runtime(lite, "decoder.tflite")
    for signature, seed in (("sample", {}), ("sample_seeded", {"seed": 1})):
        began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(RuntimeError, match=r"GATHER. failed to invoke"):
            file.run(signature, num_samples=count, **seed)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began < 50_000  # kB
        assert file.run(signature, num_samples=2, **seed)["x"].shape == (2, *IMAGE_SHAPE)


def test_the_largest_count_is_drawn(vae, lite):
    drawn = runtime(lite, "decoder.tflite").run("sample_seeded", num_samples=MAX_SAMPLES, seed=3)
    np.testing.assert_allclose(drawn["x"][-9:], vae.sample(MAX_SAMPLES, seed=3)[-9:], atol=1e-4)


def runtime(lite, name):
    return LiteRTFile(lite.paths[name].read_bytes())


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_draws_the_same_z(vae, lite, variant):
    name = "decoder.tflite" if variant == "float32" else f"decoder_{variant}.tflite"
    drawn = runtime(lite, name).run("sample_seeded", num_samples=64, seed=5)
    np.testing.assert_allclose(drawn["z"], codes(vae, 64, 5), atol=1e-4)
    errors = np.abs(drawn["x"] - vae.sample(64, seed=5))
    # A z beyond the calibrated range is cut off in int8: a few pixels may be further off.
    assert np.mean(errors) < 0.01
    assert np.quantile(errors, 0.99) < 0.05


def test_fewer_samples_are_a_prefix_of_more(lite):
    file = runtime(lite, "decoder.tflite")
    few = file.run("sample_seeded", num_samples=2, seed=3)["z"]
    many = file.run("sample_seeded", num_samples=9, seed=3)["z"]
    np.testing.assert_allclose(few, many[:2], atol=1e-6)


def test_unseeded_samples_differ_between_calls_and_processes(lite, tmp_path):
    """Even though this model was made, and exported, under a global seed."""
    calls = {f"sample/{k}": [("num_samples", np.int32(2))] for k in range(2)}
    runs = [answers(lite.paths["decoder.tflite"], calls, tmp_path) for _ in range(2)]
    rows = np.concatenate([run[f"sample/{k}/z"] for run in runs for k in range(2)])
    assert len(np.unique(rows, axis=0)) == 8


def test_the_browsers_file_has_fixed_sizes(vae, lite):
    file = runtime(lite, "decoder_browser.tflite")
    drawn = file.run("sample_seeded", seed=-2)
    np.testing.assert_allclose(drawn["x"], vae.sample(4, seed=-2), atol=1e-4)
    assert file.run("sample")["z"].shape == (4, vae.latent_size)
    model = flatbuffer_utils.convert_bytearray_to_object(file.content)
    shapes = [
        tensor.shapeSignature
        for graph in model.subgraphs
        for tensor in graph.tensors
        if tensor.shapeSignature is not None
    ]
    assert not any(-1 in shape for shape in shapes)


def test_report(lite):
    report = json.loads((lite.directory / "report.json").read_text())
    assert report["test_examples"] == 40
    assert report["max_nll_change"] == 1.0
    assert np.isfinite(report["test_nll"])
    assert len(report["files"]) == 8
    for row in report["files"]:
        assert row["size"] == (lite.directory / row["file"]).stat().st_size
        assert 0 <= row["mean_error"] <= row["max_error"] < 0.2
        assert "latency_1" not in row  # a set is the same whenever it is made
        assert not row["refused"]
    exact = [row for row in report["files"] if row["variant"] == "float32"]
    assert all(abs(row["nll_change"]) < 1e-4 for row in exact)
    assert all(0 < file.latency_1 < 1 for file in lite.report.files)
    table = lite.report.table().splitlines()
    assert len(table) == 9
    assert table[1].startswith("decoder.tflite")


def test_convolutions_normal_likelihood_and_sixteen_bits(tmp_path):
    """Free batch size through transposed convolutions; a float32 copy of a bfloat16 model."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        vae = tfvae.VAE(
            encoder=tfvae.Encoder(tfvae.networks.Conv([4]), tfvae.heads.MultivariateNormalDiag(3)),
            decoder=tfvae.Decoder(
                tfvae.networks.ConvTranspose([4, 4], image_size=(7, 6)),
                tfvae.heads.IndependentNormal((7, 6, 3), scale="learned"),
            ),
        )
        vae.build((None, 7, 6, 3))
    finally:
        keras.config.set_dtype_policy(before)
    files = tfvae.export.tflite(vae, tmp_path)
    for rows in (1, 3):
        drawn = runtime(files, "decoder.tflite").run("sample_seeded", num_samples=rows, seed=4)
        # bfloat16 keeps 8 bits.
        np.testing.assert_allclose(drawn["x"], vae.sample(rows, seed=4), atol=0.02)
    images = np.random.default_rng(0).random((5, 7, 6, 3)).astype("float32")
    encoded = runtime(files, "encoder.tflite").run("encode", x=images)
    assert sorted(encoded) == ["loc", "mean", "scale_diag", "stddev"]
    np.testing.assert_allclose(encoded["mean"], vae.encoder(images).mean(), atol=0.02)
