"""A run of a model that has a code and no likelihood: measured, refused, sampled and exported."""

import json

import numpy as np
import pytest


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "x.npy"
    np.save(path, np.random.default_rng(0).random((60, 4, 4, 1), "float32"))
    return path


@pytest.fixture
def trained(data, tfvae_command, tmp_path, monkeypatch):
    """What `tfvae train` said, its run being runs/code."""
    monkeypatch.chdir(tmp_path)
    small = ["--units", "8", "--latent-size", "2", "--epochs", "1", "--batch-size", "16"]
    chosen = ["--model", "autoencoder", "--corruption", "additive_normal"]
    options = ["--dataset", str(data), "--name", "code", "--no-export"]
    done = tfvae_command("train", *options, *small, *chosen)
    assert done.code == 0, done.err
    return done.out


def test_it_is_measured_by_its_reconstructions_and_samples_by_the_aggregate(
    trained, tfvae_command, tmp_path
):
    assert "Note: The likelihood of held-out data needs a model that scores" in trained
    assert "2 principal components" in trained
    settings = json.loads((tmp_path / "runs/code/config.json").read_text("utf-8"))["settings"]
    assert (settings["posterior"], settings["corruption"]) == ("point", "additive_normal")
    assert not {"prior", "objective"} & set(settings)

    again = tfvae_command("evaluate", "runs/code", "--output", "result.json")
    line = next(line for line in trained.splitlines() if "principal components" in line)
    assert line in again.out
    result = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert result["pca_squared_error"] < result["squared_error"]  # one epoch is not enough

    refused = tfvae_command("sample", "runs/code")
    assert refused.code != 0
    assert "--aggregate 10" in refused.err
    drawn = ["--aggregate", "3", "--num-samples", "2", "--output", "x.npy"]
    assert tfvae_command("sample", "runs/code", *drawn).code == 0
    assert np.load(tmp_path / "x.npy").shape == (2, 4, 4, 1)

    drawn = ["--aggregate", "realnvp", "--num-samples", "2"]
    assert tfvae_command("sample", "runs/code", *drawn).code == 0
    assert (tmp_path / "runs/code/pictures/samples-0-aggregate-realnvp.png").is_file()
    for neither in ("0", "glow", "2.5"):
        refused = tfvae_command("sample", "runs/code", "--aggregate", neither)
        assert refused.code != 0
        assert f"{neither!r} is neither a whole number of at least 1" in refused.err

    exported = tfvae_command("export", "runs/code", "--aggregate", "3")
    assert exported.code == 0, exported.err
    assert (tmp_path / "export/code/decoder.tflite").is_file()
    manifest = json.loads((tmp_path / "export/code/manifest.json").read_text("utf-8"))
    assert manifest["model"] == "ModelWithPrior"


def test_a_prior_given_to_it_is_refused(data, tfvae_command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = tfvae_command(
        "train", "--dataset", data, "--model", "autoencoder", "--prior", "mixture"
    )
    assert refused.code != 0
    assert "has no effect with --model autoencoder" in refused.err
