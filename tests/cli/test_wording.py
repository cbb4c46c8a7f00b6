"""Messages name flags, runs are named for their data, and what is interrupted says how to go on."""

import numpy as np
import pytest
from PIL import Image

from tfvae.cli.wording import in_flags


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Pass size=(H, W) to resize them all.", "Pass --image-size H,W to resize them all."),
        ('Pass background="white".', "Pass --background white."),
        ('Load one, fields=("x", "label").', "Load one, --fields x,label."),
        ("fewer than batch_size=128, and", "fewer than --batch-size 128, and"),
        ("Use gradient='pathwise' or x=3.", "Use gradient='pathwise' or x=3."),
    ],
)
def test_arguments_become_flags(message, said):
    assert in_flags(message) == said


def test_a_folder_of_two_sizes_names_the_flag(tfvae_command, tmp_path):
    faces = tmp_path / "faces"
    faces.mkdir()
    for side in (4, 6):
        Image.new("L", (side, side)).save(faces / f"{side}.png")
    done = tfvae_command("train", "--dataset", faces, "--runs-dir", tmp_path / "runs")
    assert done.code == 1
    assert "Images differ in size" in done.err
    assert "--image-size H,W" in done.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("path", ["faces.npy", "no/such", "faces.zip"])
def test_a_path_that_does_not_exist_says_so(tfvae_command, path):
    done = tfvae_command("train", "--dataset", path)
    assert done.code == 2
    assert f"--dataset: no such file or folder: {path}" in done.err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--dataset", "{}/faces.npy"], "faces"),
        (["digits", "--dataset", "{}/faces.npy"], "digits-faces"),
        (["digits"], "digits"),
        ([], "digits"),
    ],
)
def test_a_run_is_named_for_its_data(tfvae_command, tmp_path, monkeypatch, arguments, name):
    np.save(tmp_path / "faces.npy", np.zeros((20, 4, 4), "float32"))
    asked = []
    monkeypatch.setattr(
        "tfvae.runs.training.train", lambda settings, path, *_, **__: asked.append(path) or exit(0)
    )
    tfvae_command("train", *(a.format(tmp_path) for a in arguments), "--runs-dir", tmp_path)
    assert asked == [tmp_path / name]


def test_an_interrupted_run_says_how_to_go_on(tfvae_command, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tfvae.runs.training.train", interrupted)
    done = tfvae_command("train", "--runs-dir", tmp_path)
    assert done.code == 130
    assert "the same command goes on from its last completed epoch" in done.out
