"""Strangers as they ship: SavedModels in plain TensorFlow, TFLite in the bare runtime."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.conformance import plain_tensorflow
from tests.extension.cases import SEED, encoder, vae
from tests.extension.members.posterior import Kumaraswamy
from tfvae.noise import example_noise
from tfvae.serving import Client
from tfvae.serving.server.server import DevelopmentServer

ROWS, DRAWS = 5, 4
# The same float32 kernels, fused in another order.
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def column(value, dtype, rows=1):
    return np.full(rows, value, dtype)


def by_name(codes):
    return codes if isinstance(codes, dict) else {"z": codes}


def requests(case, model):
    """{(servable, signature): (inputs, outputs of the live model)}."""
    examples = {name: values[:ROWS] for name, values in case.data.items()}
    codes, given = model.encode(model.named(examples)), case.given(ROWS)
    drawn = model.sample(DRAWS, seed=SEED, temperature=0.7, **case.one_given())
    asked = {
        "num_samples": column(DRAWS, "int32"),
        "first": column(0, "int32"),
        "seed": column(SEED, "int32"),
        "temperature": column(0.7, "float32"),
        **case.given(1),
    }
    codes_in = {name: np.asarray(level) for name, level in by_name(codes).items()}
    return {
        ("encoder", "encode"): (examples, model.encoder_outputs(model.named(examples))),
        ("decoder", "decode"): ({**codes_in, **given}, model.decoder_outputs(codes, given)),
        ("decoder", "sample"): (asked, {"x": drawn[None]}),
        ("vae", "reconstruct"): (examples, {"x": model.reconstruct(examples)}),
    }


@pytest.fixture(scope="session")
def exported(case, trained, tmp_path_factory):
    """The served folders: written, reloaded and compared by `tfvae.export` itself."""
    folder = tmp_path_factory.mktemp(f"served_{case.name}")
    return tfvae.export.saved_model(trained[0], folder, warmup_batch_sizes=())


def test_plain_tensorflow_answers_as_the_live_model(case, trained, exported, tmp_path):
    """In a process that can import neither tfvae nor Keras nor TensorFlow Probability."""
    wanted, jobs = requests(case, trained[0]), []
    for (servable, signature), (inputs, _) in wanted.items():
        place = tmp_path / f"{servable}_{signature}"
        np.savez(f"{place}_in.npz", **inputs)
        job = {"path": str(exported.paths[servable]), "signature": signature}
        jobs.append({**job, "inputs": f"{place}_in.npz", "outputs": f"{place}_out.npz"})
    script = Path(plain_tensorflow.__file__)
    done = subprocess.run(
        [sys.executable, script], input=json.dumps(jobs), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["imported"] == []
    for (key, (_, outputs)), job in zip(wanted.items(), jobs, strict=True):
        answers = np.load(job["outputs"])
        for name, expected in outputs.items():
            np.testing.assert_allclose(answers[name], expected, err_msg=f"{key} {name}", **CLOSE)


def test_it_is_served_over_rest_and_grpc(case, trained, exported):
    """The client knows a stranger by its fields and codes."""
    model, _ = trained
    x, given = case.data["x"][:ROWS], case.given(ROWS)
    drawn = model.sample(DRAWS, seed=SEED, **case.one_given())
    batch = model.named({"x": x, **given})
    codes = {name: np.asarray(level) for name, level in by_name(model.encode(batch)).items()}
    live = model.decoder_outputs(model.encode(batch), model.given(batch))
    with DevelopmentServer(exported.directory, rest_port=0, grpc_port=0) as server:
        for url in (server.rest_url, server.grpc_url):
            with Client(url, timeout=60.0) as client:
                client.wait_until_available()
                served = client.sample(DRAWS, seed=SEED, **case.one_given())
                np.testing.assert_allclose(served, drawn, **CLOSE)
                served = client.reconstruct(x, **given)
                np.testing.assert_allclose(served, model.reconstruct(batch), **CLOSE)
                z = codes["z"] if set(codes) == {"z"} else codes
                for name, value in client.decode(z, **given).items():
                    np.testing.assert_allclose(value, live[name], err_msg=name, **CLOSE)


def test_served_draws_are_the_posterior_s(case, trained, exported):
    """Mean and spread of 2,048 served draws, against those of the live model's own."""
    model, rows, each = trained[0], 32, 64
    draws = rows * each
    examples = {name: values[:2] for name, values in case.data.items()}
    sample = tf.saved_model.load(str(exported.paths["encoder"])).signatures["sample"]
    inputs = {
        **{name: np.repeat(values, rows, axis=0) for name, values in examples.items()},
        "num_samples": column(each, "int32", 2 * rows),
        "first": np.tile(np.arange(rows, dtype="int32") * each, 2),
        "seed": np.repeat(np.array([1, 2], "int32"), rows),
    }
    served = sample(**{name: tf.constant(value) for name, value in inputs.items()})
    served = {name: tf.reshape(z, [2, draws, *z.shape[2:]]) for name, z in served.items()}
    noise = example_noise(tf.constant([8, 9]), 0, draws)
    live = by_name(model.infer(model.named(examples)).proposal.draw(noise).z)
    assert set(served) == set(live)
    for name, own in live.items():
        theirs, own = served[name].numpy(), own.numpy().swapaxes(0, 1)  # [B, S, D]
        error = np.sqrt((own.var(axis=1) + theirs.var(axis=1)) / draws)
        assert np.all(np.abs(theirs.mean(axis=1) - own.mean(axis=1)) < 4.5 * error)
        np.testing.assert_allclose(theirs.std(axis=1), own.std(axis=1), rtol=0.15)


@pytest.fixture(scope="session")
def phone(case, trained, tmp_path_factory):
    return tfvae.export.tflite(trained[0], tmp_path_factory.mktemp(f"phone_{case.name}"))


def test_the_phone_answers_as_the_live_model(case, trained, phone):
    """The bare runtime knows built-in operations only: with any other it does not even load."""
    from ai_edge_litert.interpreter import Interpreter

    runs = {name: Interpreter(model_path=str(path)) for name, path in phone.paths.items()}
    wanted = requests(case, trained[0])
    for part, signature in (("encoder", "encode"), ("decoder", "decode")):
        inputs, outputs = wanted[part, signature]
        found = runs[f"{part}.tflite"].get_signature_runner(signature)(**inputs)
        for name, expected in outputs.items():
            np.testing.assert_allclose(found[name], expected, err_msg=name, **CLOSE)
    given = {name: np.repeat(value, DRAWS, axis=0) for name, value in case.given(1).items()}
    drawn = runs["decoder.tflite"].get_signature_runner("sample_seeded")(
        num_samples=np.int32(DRAWS), seed=np.int32(SEED), **given
    )
    live = trained[0].sample(DRAWS, seed=SEED, **case.one_given())
    np.testing.assert_allclose(drawn["x"], live, **CLOSE)


@keras.saving.register_keras_serializable("stranger")
class WithBessel(Kumaraswamy):
    """Returns what no phone computes."""

    def outputs(self, parameters):
        return {**super().outputs(parameters), "bessel": tf.math.bessel_i0(parameters["a"])}


def test_what_the_phone_lacks_is_refused_by_its_name(tmp_path):
    model = vae(encoder=lambda: encoder(WithBessel))
    model.build(model.input_shapes())
    with pytest.raises(tfvae.export.ExportError, match="BesselI0"):
        tfvae.export.tflite(model, tmp_path / "phone")
    assert not list(tmp_path.rglob("*.tflite"))
