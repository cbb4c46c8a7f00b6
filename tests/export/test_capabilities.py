"""What is exported of models that can do less than a VAE, or something else."""

import json

import numpy as np
import pytest
import tensorflow as tf

import tfvae
from tests.export.members import (
    LABELS,
    Box,
    Coder,
    Generator,
    Indices,
    Levels,
    Map,
    Nothing,
    built,
    rows,
    table,
)
from tests.export.test_signatures import call
from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.export.servables.vae import VAEServable
from tfvae.export.tflite_files.runtime import LiteRTFile
from tfvae.noise import Noise


def loaded(done):
    return {name: tf.saved_model.load(str(path)).signatures for name, path in done.paths.items()}


def exported(model, folder):
    return loaded(tfvae.export.saved_model(model, folder, warmup_batch_sizes=(2,)))


@pytest.mark.parametrize("export", [tfvae.export.saved_model, tfvae.export.tflite])
def test_a_model_that_can_do_nothing_is_refused_by_name(tmp_path, export):
    with pytest.raises(UserError, match="Nothing can be served by none of its methods"):
        export(built(Nothing), tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_alone_is_exported_alone(tmp_path):
    model, x = built(Coder), rows(3)
    signatures = exported(model, tmp_path)
    assert {s: set(found) for s, found in signatures.items()} == {
        "encoder": {"encode", "about", "serving_default"}
    }
    np.testing.assert_allclose(call(signatures["encoder"]["encode"], x=x)["code"], 2 * x)
    files = tfvae.export.tflite(model, tmp_path)
    assert set(files.paths) == {"encoder.tflite"}
    got = LiteRTFile(files.paths["encoder.tflite"].read_bytes()).run("encode", x=x)
    np.testing.assert_allclose(got["code"], 2 * x, atol=1e-6)


@pytest.fixture(scope="module")
def generator():
    return built(Generator)


@pytest.fixture(scope="module")
def generated(generator, tmp_path_factory):
    return exported(generator, tmp_path_factory.mktemp("generator"))


def test_a_generator_exports_a_decoder_alone(generator, generated):
    assert {s: set(found) for s, found in generated.items()} == {
        "decoder": {"decode", "sample", "about", "serving_default"}
    }
    labels = np.array([0, 3, 1], "int32")
    got = call(
        generated["decoder"]["sample"],
        num_samples=np.array([2, 5, 1], "int32"),
        first=np.zeros(3, "int32"),
        seed=np.array([7, 8, -9], "int32"),
        temperature=np.array([1, 0.5, 1], "float32"),
        label=labels,
    )
    assert set(got) == {"x", "z"}
    for row, (count, seed, temperature) in enumerate([(2, 7, 1.0), (5, 8, 0.5), (1, -9, 1.0)]):
        expected = generator.sample(count, seed=seed, temperature=temperature, label=labels[row])
        np.testing.assert_allclose(got["x"][row, :count], expected, atol=1e-5)
    decoded = call(generated["decoder"]["decode"], z=got["z"][:, 0], label=labels)
    np.testing.assert_allclose(decoded["loc"], got["x"][:, 0], atol=1e-5)


@pytest.mark.parametrize("label", [-1, LABELS])
@pytest.mark.parametrize("name", ["decode", "sample"])
def test_a_label_out_of_range_is_refused_in_the_graph(generated, name, label):
    inputs = {"z": np.zeros((2, 2), "float32")}
    if name == "sample":
        inputs = {n: np.ones(2, "int32") for n in ("num_samples", "first", "seed")}
        inputs["temperature"] = np.ones(2, "float32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="label must be whole numbers from 0"):
        call(generated["decoder"][name], **inputs, label=np.array([0, label], "int32"))


def test_one_label_for_several_codes_is_refused(generated):
    inputs = {"z": np.zeros((3, 2), "float32"), "label": np.zeros(1, "int32")}
    with pytest.raises(tf.errors.InvalidArgumentError, match="label needs one value per row"):
        call(generated["decoder"]["decode"], **inputs)


def test_a_phone_gives_the_label_and_draws_what_python_draws(generator, tmp_path):
    done = tfvae.export.tflite(generator, tmp_path, browser_samples=3)
    assert set(done.paths) == {"decoder.tflite", "decoder_browser.tflite"}
    assert [row["part"] for row in json.loads((tmp_path / "report.json").read_text())["files"]] == [
        "decoder"
    ]
    labels = np.array([3, 0, 2], "int32")
    expected = generator.sample(3, seed=-4, label=labels)
    for name, count in (("decoder.tflite", {"num_samples": 3}), ("decoder_browser.tflite", {})):
        file = LiteRTFile(done.paths[name].read_bytes())
        got = file.run("sample_seeded", **count, seed=-4, label=labels)
        assert set(got) == {"x", "z"}
        np.testing.assert_allclose(got["x"], expected, atol=1e-5)
        again = file.run("decode", z=got["z"], label=labels)
        assert set(again) == {"loc"}
        np.testing.assert_allclose(again["loc"], expected, atol=1e-5)


def test_codes_of_several_levels_have_their_names(tmp_path):
    model, x = built(Levels), rows(4)
    signatures = exported(model, tmp_path)
    encoded = call(signatures["encoder"]["encode"], x=x)
    assert {name: value.shape for name, value in encoded.items()} == {"low": (4, 1), "high": (4, 2)}
    np.testing.assert_allclose(call(signatures["decoder"]["decode"], **encoded)["loc"], x)
    counts = {n: np.array([v], "int32") for n, v in (("num_samples", 3), ("first", 0), ("seed", 5))}
    drawn = call(signatures["decoder"]["sample"], **counts, temperature=np.ones(1, "float32"))
    z = model.generate(Noise(5, row=tf.range(3)), {})
    assert set(drawn) == {"x", "low", "high"}
    for name, level in z.items():
        np.testing.assert_allclose(drawn[name][0], level, atol=1e-6)
    np.testing.assert_allclose(drawn["x"][0], model.sample(3, seed=5), atol=1e-6)

    files = tfvae.export.tflite(model, tmp_path)
    lite = LiteRTFile(files.paths["decoder.tflite"].read_bytes())
    again = lite.run("sample_seeded", num_samples=3, seed=5)
    for name in ("x", "low", "high"):
        np.testing.assert_allclose(again[name], drawn[name][0], atol=1e-5)
    np.testing.assert_allclose(lite.run("decode", **encoded)["loc"], x, atol=1e-6)


def test_codes_may_be_whole_numbers(tmp_path):
    model = built(Indices)
    signatures = exported(model, tmp_path)
    codes = np.array([1, 0, 1], "int32")
    expected = model.dense.kernel.numpy()[codes]
    np.testing.assert_allclose(call(signatures["decoder"]["decode"], z=codes)["loc"], expected)
    files = tfvae.export.tflite(model, tmp_path)
    got = LiteRTFile(files.paths["decoder.tflite"].read_bytes()).run("decode", z=codes)
    np.testing.assert_allclose(got["loc"], expected, atol=1e-6)


def test_where_the_prior_has_no_scale_the_temperature_must_be_1(tmp_path):
    model = table(prior=Box(2))
    sample = exported(model, tmp_path)["decoder"]["sample"]
    counts = {"num_samples": 4, "first": 0, "seed": 9}
    inputs = {name: np.array([count], "int32") for name, count in counts.items()}
    got = call(sample, **inputs, temperature=np.array([1], "float32"))
    assert np.abs(got["z"]).max() < 1
    np.testing.assert_allclose(got["x"][0], model.sample(4, seed=9), atol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Draws of Uniform have no scale"):
        call(sample, **inputs, temperature=np.array([0.5], "float32"))


@pytest.mark.parametrize("model_class", [Levels, Map, Indices])
def test_only_between_vectors_is_there_a_line(model_class):
    assert set(VAEServable(built(model_class)).signatures()) == {"reconstruct"}


@pytest.mark.parametrize(
    ("model_class", "attribute", "value", "message"),
    [
        (Coder, "fields", lambda _: {"seed": Field((2,))}, "has a field 'seed'"),
        (Levels, "names", ("x", "high"), "has a code 'x'"),
        (Levels, "names", ("low", "num_samples"), "has a code 'num_samples'"),
    ],
)
def test_names_that_mean_something_else_are_refused(
    tmp_path, model_class, attribute, value, message
):
    model = built(type("Clashing", (model_class,), {attribute: value}))
    for export in (tfvae.export.saved_model, tfvae.export.tflite):
        with pytest.raises(UserError, match=message):
            export(model, tmp_path / "clash")
    assert list(tmp_path.iterdir()) == []
