"""What is in the `.tflite` files, and what is not."""

import getpass
import sys
import tempfile
from pathlib import Path

import pytest
from tensorflow.lite.tools import flatbuffer_utils

from tfvae.export.tflite_files.runtime import LiteRTFile

FILES = [f"{part}{suffix}" for part in ("decoder", "encoder") for suffix in ("", "_int8")]


@pytest.mark.parametrize("name", [f"{file}.tflite" for file in FILES])
def test_signatures(lite, name):
    found = LiteRTFile(lite.paths[name].read_bytes()).interpreter.get_signature_list()
    draws = ["x", "z"]
    expected = {
        "decode": (["z"], ["logits", "probs"]),
        "sample": (["num_samples"], draws),
        "sample_seeded": (["num_samples", "seed"], draws),
    }
    if name.startswith("encoder"):
        expected = {"encode": (["x"], ["loc", "mean", "scale_tril", "stddev"])}
    assert {
        key: (sorted(value["inputs"]), sorted(value["outputs"])) for key, value in found.items()
    } == expected


def test_only_built_in_operations(lite):
    for path in lite.paths.values():
        model = flatbuffer_utils.read_model(str(path))
        custom = flatbuffer_utils.schema_fb.BuiltinOperator.CUSTOM
        assert all(code.builtinCode != custom for code in model.operatorCodes), path.name
        assert not any(code.customCode for code in model.operatorCodes), path.name


def test_weights_are_in_the_file_once_on_aligned_addresses(vae, lite):
    content = lite.paths["decoder.tflite"].read_bytes()
    for weight in vae.decoder.weights:
        values = weight.numpy().astype("float32")
        if values.ndim == 2:  # kernels are stored transposed
            assert content.count(values.T.tobytes()) == 1, weight.path
            assert content.index(values.T.tobytes()) % 16 == 0, weight.path


@pytest.mark.parametrize(("variant", "kind"), [("float16", "FLOAT16"), ("int8", "INT8")])
def test_variants_hold_the_types_that_they_name(lite, variant, kind):
    types = flatbuffer_utils.schema_fb.TensorType
    for part in ("decoder", "encoder"):
        model = flatbuffer_utils.read_model(str(lite.paths[f"{part}_{variant}.tflite"]))
        assert any(tensor.type == getattr(types, kind) for tensor in model.subgraphs[0].tensors), (
            part
        )


def test_nothing_of_the_exporting_machine_is_in_the_files(lite):
    secrets = {str(Path.home()), tempfile.gettempdir(), str(Path.cwd()), str(lite.directory)}
    secrets |= {sys.prefix, f"/{getpass.getuser()}/", ".py"}
    for path in (*lite.paths.values(), lite.directory / "report.json"):
        found = [secret for secret in secrets if secret.encode() in path.read_bytes()]
        assert not found, path.name
