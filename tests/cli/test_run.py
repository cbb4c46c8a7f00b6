"""A run: killed in the middle of an epoch, taken up again, and used by the other commands.

In one file, so that one process makes the run that all tests look at.
"""

import csv
import json
from types import MappingProxyType

import numpy as np
import pytest

import tfvae
from tests.cli.conftest import EPOCHS_BEFORE, SETTINGS, train_arguments
from tfvae import presets


def _rows(text):
    return [
        {name: value for name, value in row.items() if name != "seconds"}
        for row in csv.DictReader(text.splitlines())
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same run, never killed; its evaluation and pictures are not needed."""
    from tfvae.runs import stage, training

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "measure", lambda *_, **__: {"elbo": 0.0})
        patch.setattr(training, "draw_pictures", lambda *_: [])
        path = tmp_path_factory.mktemp("whole") / "whole"
        config = presets.get("digits", **SETTINGS)
        return training.train(config, path, report=lambda line: None)


def test_weights_and_optimizer_are_bit_identical(resumed, whole):
    ours, theirs = resumed[0].model, whole.model
    for a, b in zip(
        [*ours.weights, *ours.optimizer.variables],
        [*theirs.weights, *theirs.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


def test_history_is_continuous(killed_history, resumed, whole):
    run, said = resumed
    rows = _rows(run.folder.history.read_text("utf-8"))
    assert len(_rows(killed_history[1])) == EPOCHS_BEFORE
    assert any(f"after epoch {EPOCHS_BEFORE} " in line for line in said)
    assert rows == _rows(whole.folder.history.read_text("utf-8"))
    assert [float(row["kl_weight"]) for row in rows] == pytest.approx([1 / 6, 1 / 2, 5 / 6])


def test_saved_model_is_the_trained_one(resumed):
    run, _ = resumed
    loaded = tfvae.load_model(run.folder.model)
    for a, b in zip(loaded.weights, run.model.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


def test_folder_holds_what_the_run_promises_and_nothing_else(resumed):
    run, _ = resumed
    names = {path.name for path in run.folder.path.iterdir()} - {".lock"}
    assert names == {"model.keras", "config.json", "metrics.json", "history.csv", "pictures"}
    pictures = {path.stem for path in run.folder.pictures.iterdir()}
    curves = {"reconstructions", "samples", "latent_scatter", "training_curves"}
    assert pictures == {*curves, "manifold"}
    config = json.loads(run.folder.config.read_text("utf-8"))
    assert config["schema"] == 1
    assert config["settings"]["network.units"] == [16]
    assert config["settings"]["likelihood"] == "bernoulli"
    assert {"tfvae", "tensorflow", "keras", "python"} <= set(config["versions"])
    metrics = json.loads(run.folder.metrics.read_text("utf-8"))
    assert metrics["test"]["log_likelihood"] < 0
    seconds = metrics["seconds"]
    assert 0 < seconds["epoch"] <= seconds["first_epoch"] < seconds["training"]
    assert (metrics["test"]["num_samples"], metrics["test"]["num_examples"]) == (5, 20)


def test_evaluate_repeats_the_numbers_of_training(resumed, tfvae_command, tmp_path):
    run, _ = resumed
    done = tfvae_command("evaluate", run.folder.path, "--output", tmp_path / "test.json")
    assert done.code == 0, done.err
    again = json.loads((tmp_path / "test.json").read_text("utf-8"))
    assert again == pytest.approx(run.metrics["test"], rel=1e-5)
    assert f"{again['log_likelihood']:.2f}" in done.out


def test_evaluate_splits_the_gap_where_it_is_asked_to(resumed, tfvae_command, tmp_path):
    run, _ = resumed
    options = ("--gap", "--num-samples", 50, "--num-examples", 4, "--output", tmp_path / "gap.json")
    done = tfvae_command("evaluate", run.folder.path, *options)
    assert done.code == 0, done.err
    test = json.loads((tmp_path / "gap.json").read_text("utf-8"))
    found = test["inference_gap"]
    assert found["gap"] == pytest.approx(found["approximation"] + found["amortisation"])
    assert found["approximation"] >= 0  # of one set of draws, by Jensen's inequality
    assert f"gap       {found['gap']:.2f} = approximation" in done.out


def test_sample_is_the_models_own(resumed, tfvae_command, tmp_path):
    run, _ = resumed
    file = tmp_path / "samples.npy"
    done = tfvae_command(
        "sample", run.folder.path, "--num-samples", 3, "--seed", 7, "--output", file
    )
    assert done.code == 0, done.err
    expected = run.model.sample(3, seed=7).numpy()
    np.testing.assert_allclose(np.load(file), expected, atol=1e-6)


def test_sample_writes_a_picture(resumed, tfvae_command, tmp_path):
    run, _ = resumed
    done = tfvae_command("sample", run.folder.path, "--output", tmp_path / "grid.png")
    assert (done.code, done.out.strip()) == (0, str(tmp_path / "grid.png"))
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_export_publishes_one_set_with_what_the_run_knows(
    resumed, tfvae_command, tmp_path, monkeypatch
):
    """Writing has tests of its own; here only that options and metrics arrive."""
    from tfvae.runs import exporting

    calls = {}

    def written(kind):
        def write(model, target, *arguments, **options):
            calls[kind] = arguments, options
            (target.folder / f"{kind}.tflite").write_text("x")
            return _Done

        return write

    for kind in ("servables", "files"):
        monkeypatch.setattr(exporting, f"write_{kind}", written(kind))
    run, _ = resumed
    changes = ["--variants", "float32,int8", "--allow", "int8", "--browser-samples", "9"]
    done = tfvae_command("export", run.folder.path, "--output", tmp_path / "out", *changes)
    assert done.code == 0, done.err
    (variants, examples, limit), options = calls["files"]
    assert (variants, limit) == (("float32", "int8"), 0.1)
    assert options == {"allow": ("int8",), "browser_samples": 9}
    assert examples.examples["x"].shape == (359, 8, 8, 1)
    assert examples.calibration["x"].shape == (500, 8, 8, 1)
    assert "a table" in done.out
    assert str(tmp_path / "out" / "manifest.json") in done.out
    manifest = tfvae.export.verify(tmp_path / "out")
    assert set(manifest.files) == {"servables.tflite", "files.tflite"}
    assert manifest.data["name"] == "digits"
    test = run.metrics["test"]
    for name in ("elbo", "nll", "kl"):
        found = manifest.metrics[name]
        assert (found.mean, found.std, found.count) == (test[name], test[f"{name}_std"], 20)
        assert found.std > 0


class _Done:
    notes = ()
    paths = MappingProxyType({"decoder": "decoder.tflite"})

    class report:  # noqa: N801
        @staticmethod
        def table():
            return "a table"


def test_finished_run_says_so_and_stays(resumed, tfvae_command):
    run, _ = resumed
    before = run.folder.model.stat().st_mtime_ns
    arguments = train_arguments(run.folder.path.parent, "killed")
    done = tfvae_command(*arguments)
    assert done.code == 0
    assert "finished" in done.out
    assert "--overwrite" in done.out
    assert run.folder.model.stat().st_mtime_ns == before


def test_folder_of_another_run_is_refused_naming_the_settings(resumed, tfvae_command):
    run, _ = resumed
    arguments = train_arguments(run.folder.path.parent, "killed")
    done = tfvae_command(*arguments, "--latent-size", 3, "--seed", 5)
    assert done.code == 1
    assert "--latent-size is 2 there and 3 here" in done.err
    assert "--seed is 0 there and 5 here" in done.err
    assert "units" not in done.err
