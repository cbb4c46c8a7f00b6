"""A preset with two stages by the command line: trained, evaluated, sampled and exported."""

import json

import numpy as np
import pytest

import tfvae
from tfvae.noise import EMISSION, Noise

QUICK = ("--units", "16", "--eval-samples", "5", "--eval-examples", "20", "--latent-size", "3")
QUICK += ("--epochs", "2", "--second.epochs", "3", "--second.units", "8")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The run's folder, where it was exported to, and what was said."""
    from click.testing import CliRunner

    from tfvae.cli.main import cli

    place = tmp_path_factory.mktemp("stages")
    options = ("--runs-dir", str(place / "runs"), "--export-dir", str(place / "export"))
    done = CliRunner().invoke(
        cli, ["train", "digits-two-stage", *QUICK, *options], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return place / "runs" / "digits-two-stage", place / "export" / "digits-two-stage", done.output


def test_each_stage_is_measured(trained, tfvae_command, tmp_path):
    run, _, said = trained
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    tests = {"first": metrics["test"], "second": metrics["stages"]["second"]["test"]}
    assert (metrics["epochs"], metrics["stages"]["second"]["epochs"]) == (2, 3)
    done = tfvae_command("evaluate", run, "--output", tmp_path / "test.json")
    assert done.code == 0, done.err
    for out in (said, done.out):
        for name, test in tests.items():
            assert f"stage {name}\nlog p(x)  {test['log_likelihood']:.2f} " in out
    again = json.loads((tmp_path / "test.json").read_text("utf-8"))
    assert again["log_likelihood"] == pytest.approx(tests["first"]["log_likelihood"], rel=1e-5)
    second = again["stages"]["second"]
    assert second["elbo"] == pytest.approx(tests["second"]["elbo"], rel=1e-4)


def test_samples_come_from_the_second_stage(trained, tfvae_command, tmp_path):
    run, _, _ = trained
    file = tmp_path / "samples.npy"
    done = tfvae_command("sample", run, "--num-samples", 3, "--seed", 7, "--output", file)
    assert done.code == 0, done.err
    first = tfvae.load_model(run / "model.keras")
    second = tfvae.load_model(run / "stages" / "second" / "model.keras")
    noise = Noise(7, row=np.arange(3))
    z = second.emit(noise.part(EMISSION), second.generate(noise))
    np.testing.assert_allclose(np.load(file), first.decode(z), atol=1e-5)
    assert not np.allclose(np.load(file), first.sample(3, seed=7), atol=1e-3)


def test_exports_draw_through_the_stages(trained):
    import tensorflow as tf

    run, export, said = trained
    assert "rebuilds its distributions" in said
    names = {path.name for path in export.iterdir() if not path.name.startswith(".")}
    files = {"decoder.tflite", "encoder.tflite", "report.json"}
    assert names == {"decoder", "encoder", "vae", "current", "sets", "manifest.json", *files}
    manifest = tfvae.export.verify(export)
    assert (manifest.model, manifest.metrics) == ("StagedModel", {})  # those of the first stage
    served = tf.saved_model.load(str(next((export / "decoder").iterdir())))
    got = served.signatures["sample"](
        num_samples=tf.constant([2]),
        first=tf.constant([0]),
        seed=tf.constant([5]),
        temperature=tf.constant([1.0]),
    )
    model = tfvae.load_model(run / "staged.keras")
    np.testing.assert_allclose(got["x"][0], model.sample(2, seed=5), atol=1e-5)
    scored = tf.saved_model.load(str(next((export / "vae").iterdir()))).signatures
    assert "reconstruct" in scored
    assert "score" not in scored


def test_help_says_how_to_set_the_second_stage(tfvae_command):
    done = tfvae_command("train", "digits-two-stage", "--help")
    assert "--second.NAME VALUE" in done.out
    done = tfvae_command("train", "digits-two-stage", "--second.epohs", "3")
    assert done.code == 2
    assert "Did you mean '--second.epochs'" in done.err
