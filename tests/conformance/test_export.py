"""What ships, over every member: SavedModels in plain TensorFlow, TFLite in the bare runtime.

`tests/export` tests the exports themselves; here each member's numbers come out as the live
model's do. Writing goes without the warm-up and the comparison of `tfvae.export`, which start a
process per model; one process here reads them all.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.conformance.cases import CASES, IMAGES, LATENTS, NAMES
from tfvae.export.saved_models.export import SERVABLES, _write
from tfvae.export.tflite_files.convert import decoder_file, encoder_file, sampler_file

SEED, ROWS = 11, 5
Z = np.random.default_rng(8).normal(size=(ROWS, LATENTS)).astype("float32")
X = IMAGES[:ROWS]
# Objectives and a fixed scale are no part of a phone's file: members that differ in them alone
# would be converted to the same one.
ON_THE_PHONE = [
    "diag",
    "tril",
    "mixture_prior",
    "normal_learned",
    "convolutional",
    "functional",
    "own_layer",
]


@pytest.fixture(scope="module")
def models():
    """Every member, its weights moved from where it starts, moving averages included."""
    built = {}
    rng = np.random.default_rng(4)
    for case in CASES:
        built[case.name] = model = case.built()
        for weight in model.weights:
            if weight.dtype == "float32" and weight.shape and "moving" not in weight.name:
                weight.assign(weight.numpy() + 0.3 * rng.normal(size=weight.shape))
            elif "moving" in weight.name:
                weight.assign(weight.numpy() + rng.random(size=weight.shape))
    return built


def expected(model):
    """What the live model answers: {(servable, signature): (inputs, outputs)}."""
    posterior, likelihood = model.encoder(X), model.decoder(Z)
    drawn = model.sample(4, seed=SEED, temperature=0.7)
    columns = {
        "num_samples": np.array([4], "int32"),
        "seed": np.array([SEED], "int32"),
        "temperature": np.array([0.7], "float32"),
    }
    return {
        ("encoder", "encode"): (
            {"images": X},
            {
                **model.encoder.parameters(X),
                "mean": posterior.mean(),
                "stddev": tf.sqrt(tf.linalg.diag_part(posterior.covariance())),
            },
        ),
        ("decoder", "decode"): ({"z": Z}, model.decoder.parameters(Z)),
        ("decoder", "sample"): (columns, {"images": drawn[None]}),
        ("vae", "reconstruct"): ({"images": X}, {"": model.reconstruct(X)}),
        ("decoder", "serving_default"): ({"z": Z[:1]}, model.decoder.parameters(Z[:1])),
        "mean": likelihood.mean(),
    }


@pytest.fixture(scope="module")
def answers(models, tmp_path_factory):
    """{(member, servable, signature): outputs}, computed where only TensorFlow can be imported."""
    folder = tmp_path_factory.mktemp("saved_models")
    jobs, places = [], {}
    for name, model in models.items():
        for servable in SERVABLES:
            _write(servable(model), folder / name / servable.name, warmup_batch_sizes=())
        for key, value in expected(model).items():
            if key == "mean":
                continue
            place = folder / name / "_".join(key)
            np.savez(f"{place}_in.npz", **value[0])
            places[(name, *key)] = f"{place}_out.npz"
            jobs.append(
                {
                    "path": str(folder / name / key[0]),
                    "signature": key[1],
                    "inputs": f"{place}_in.npz",
                    "outputs": f"{place}_out.npz",
                }
            )
    script = Path(__file__).with_name("plain_tensorflow.py")
    done = subprocess.run(
        [sys.executable, str(script)], input=json.dumps(jobs), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["imported"] == []
    return {key: dict(np.load(place)) for key, place in places.items()}


@pytest.mark.parametrize("name", NAMES)
def test_saved_models_answer_as_the_live_model(name, models, answers):
    for key, value in expected(models[name]).items():
        if key == "mean":
            continue
        got = answers[(name, *key)]
        for output, tensor in value[1].items():
            if key == ("vae", "reconstruct"):
                (array,) = [a for a in got.values() if a.shape == tensor.shape]
            else:
                array = got[output]
            # The same float32 kernels, fused in another order.
            np.testing.assert_allclose(array, tensor, atol=1e-4, rtol=1e-4, err_msg=f"{key}")


@pytest.mark.parametrize("name", ON_THE_PHONE)
def test_built_in_only_tflite_agrees(name, models):
    from ai_edge_litert.interpreter import Interpreter

    model, answers = models[name], expected(models[name])
    # The bare runtime knows built-in operations only: with any other it does not even load.
    decoder = Interpreter(model_content=decoder_file(model, "float32", Z, sampler_file(model)))
    encoder = Interpreter(model_content=encoder_file(model, "float32", X))
    operations = {op["op_name"] for i in (decoder, encoder) for op in i._get_ops_details()}
    assert not [op for op in operations if op.startswith("Flex") or op == "CUSTOM"]
    decoded = decoder.get_signature_runner("decode")(z=Z)
    for output, tensor in answers["decoder", "decode"][1].items():
        np.testing.assert_allclose(decoded[output], tensor, atol=1e-4, rtol=1e-4, err_msg=output)
    encoded = encoder.get_signature_runner("encode")(images=X)
    for output, tensor in answers["encoder", "encode"][1].items():
        np.testing.assert_allclose(encoded[output], tensor, atol=1e-4, rtol=1e-4, err_msg=output)
    drawn = decoder.get_signature_runner("sample_seeded")(
        num_samples=np.int32(4), seed=np.int32(SEED)
    )
    np.testing.assert_allclose(drawn["images"], model.sample(4, seed=SEED), atol=1e-4)
