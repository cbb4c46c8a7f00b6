"""What the commands do with a finished run."""

import json
from types import MappingProxyType

import numpy as np
import pytest

from tests.cli.conftest import train_arguments


def test_evaluate_repeats_the_numbers_of_training(resumed, tfvae_command, tmp_path):
    run, _ = resumed
    done = tfvae_command("evaluate", run.folder.path, "--output", tmp_path / "test.json")
    assert done.code == 0, done.err
    again = json.loads((tmp_path / "test.json").read_text("utf-8"))
    assert again == pytest.approx(run.metrics["test"], rel=1e-5)
    assert f"{again['log_likelihood']:.2f}" in done.out


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


def test_export_calls_both_exporters(resumed, tfvae_command, tmp_path, monkeypatch):
    """They have tests of their own; here only that options arrive."""
    from tfvae.runs import exporting

    calls = []
    monkeypatch.setattr(
        exporting.export, "saved_model", lambda *a, **k: calls.append((a, k)) or _Done
    )
    monkeypatch.setattr(exporting.export, "tflite", lambda *a, **k: calls.append((a, k)) or _Done)
    run, _ = resumed
    done = tfvae_command(
        "export", run.folder.path, "--output", tmp_path / "out", "--variants", "float32,int8"
    )
    assert done.code == 0, done.err
    (_, saved_to), _ = calls[0]
    (_, tflite_to, variants), options = calls[1]
    assert saved_to == tflite_to == tmp_path / "out"
    assert variants == ("float32", "int8")
    assert options["images"].shape == (359, 8, 8, 1)
    assert options["calibration_images"].shape == (500, 8, 8, 1)
    assert "a table" in done.out


class _Done:
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
    assert "latent_size is 2 there and 3 here" in done.err
    assert "seed is 0 there and 5 here" in done.err
    assert "units" not in done.err
