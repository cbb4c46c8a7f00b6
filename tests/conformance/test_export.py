"""What ships, over every served graph: SavedModels in plain TensorFlow, TFLite in the bare runtime.

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

from tests.conformance.cases import LATENTS, SERVED
from tests.export.made import MADE
from tfvae.export.saved_models.export import write
from tfvae.export.servables.choice import servables_of
from tfvae.export.tflite_files.convert import decoder_file, encoder_file, sampler_file
from tfvae.export.tflite_files.verify import as_arrays

SEED, ROWS = 11, 5
Z = np.random.default_rng(8).normal(size=(ROWS, LATENTS)).astype("float32")
BY_NAME = {case.name: case for case in SERVED}
# The same float32 kernels, fused in another order.
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(scope="module")
def models():
    """Every member, its weights moved from where it starts, moving averages included."""
    built = {}
    rng = np.random.default_rng(4)
    for case in SERVED:
        built[case.name] = model = case.built()
        for weight in model.weights:
            if weight.dtype == "float32" and weight.shape and "moving" not in weight.name:
                weight.assign(weight.numpy() + 0.3 * rng.normal(size=weight.shape))
            elif "moving" in weight.name:
                weight.assign(weight.numpy() + rng.random(size=weight.shape))
    return built


def expected(model, case):
    """What the live model answers: {(servable, signature): (inputs, outputs)}."""
    x, given = case.batch(ROWS), case.conditions(ROWS)
    decoded = model.decoder.parameters(model.decoder_inputs(Z, given))
    encoded, drawn = model.encoder.parameters(model.encoder_inputs(x)), {}
    if case.scores:
        mean, stddev, _ = model.encoder.head.moments(model.posterior_of(x))
        encoded |= {"mean": mean, "stddev": stddev}
        columns = {
            "num_samples": np.array([4], "int32"),
            "first": np.array([0], "int32"),
            "seed": np.array([SEED], "int32"),
            "temperature": np.array([case.temperature], "float32"),
            **case.conditions(1),
        }
        one = {name: values[0] for name, values in case.given.items()}
        x_drawn = model.sample(4, seed=SEED, temperature=case.temperature, **one)
        drawn = {("decoder", "sample"): (columns, {"x": x_drawn[None]})}
    return {
        **drawn,
        ("encoder", "encode"): (x, encoded),
        ("decoder", "decode"): ({"z": Z, **given}, decoded),
        ("decoder", "serving_default"): (
            {"z": Z[:1], **case.conditions(1)},
            {name: rows[:1] for name, rows in decoded.items()},
        ),
        ("vae", "reconstruct"): (x, {"x": model.reconstruct(x)}),
    }


@pytest.fixture(scope="module")
def answers(models, tmp_path_factory):
    """{(member, servable, signature): outputs}, computed where only TensorFlow can be imported."""
    folder = tmp_path_factory.mktemp("saved_models")
    jobs, places = [], {}
    for name, model in models.items():
        for servable in servables_of(model):
            write(servable(model), folder / name / servable.name, MADE, warmup_batch_sizes=())
        for key, (inputs, _) in expected(model, BY_NAME[name]).items():
            place = folder / name / "_".join(key)
            np.savez(f"{place}_in.npz", **inputs)
            places[(name, *key)] = f"{place}_out.npz"
            job = {"path": str(folder / name / key[0]), "signature": key[1]}
            jobs.append({**job, "inputs": f"{place}_in.npz", "outputs": f"{place}_out.npz"})
    script = Path(__file__).with_name("plain_tensorflow.py")
    done = subprocess.run(
        [sys.executable, str(script)], input=json.dumps(jobs), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["imported"] == []
    return {key: dict(np.load(place)) for key, place in places.items()}


def test_saved_models_answer_as_the_live_model(served_graph, models, answers):
    live = expected(models[served_graph.name], served_graph)
    for key, (_, outputs) in live.items():
        got = answers[(served_graph.name, *key)]
        for name, tensor in outputs.items():
            np.testing.assert_allclose(got[name], tensor, err_msg=f"{key} {name}", **CLOSE)


def test_built_in_only_tflite_agrees(served_graph, models):
    from ai_edge_litert.interpreter import Interpreter

    model = models[served_graph.name]
    # The bare runtime knows built-in operations only: with any other it does not even load.
    runs = {
        "decoder": decoder_file(
            model, "float32", {"z": Z, **served_graph.conditions(ROWS)}, sampler_file(model)
        ),
        "encoder": encoder_file(model, "float32", None),
    }
    runs = {part: Interpreter(model_content=content) for part, content in runs.items()}
    operations = {op["op_name"] for run in runs.values() for op in run._get_ops_details()}
    assert not [op for op in operations if op.startswith("Flex") or op == "CUSTOM"]
    answers = expected(model, served_graph)
    for part, signature in (("encoder", "encode"), ("decoder", "decode")):
        inputs, outputs = answers[part, signature]
        found = runs[part].get_signature_runner(signature)(**as_arrays(inputs))
        for name, tensor in outputs.items():
            np.testing.assert_allclose(found[name], tensor, err_msg=name, **CLOSE)
    if not served_graph.scores:
        assert set(runs["decoder"].get_signature_list()) == {"decode"}
        return
    given = {name: values[:4] for name, values in served_graph.given.items()}
    drawn = runs["decoder"].get_signature_runner("sample_seeded")(
        num_samples=np.int32(4), seed=np.int32(SEED), **given
    )
    np.testing.assert_allclose(drawn["x"], model.sample(4, seed=SEED, **given), atol=1e-4)
