"""`tfvae explore`: pictures of a run's codes, and a test for copies."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import tfvae
from tests.cli.conftest import Outcome
from tests.cli.small_runs import trained
from tfvae.runs import exploring

pytestmark = pytest.mark.usefixtures("without_xla")


def test_pictures_of_a_run_are_drawn(tfvae_command, tmp_path):
    run = trained(tmp_path / "run")
    done: Outcome = tfvae_command("explore", run.path, "--classes", "3,8")
    assert done.code == 0, done.err
    attribute, copying, *paths = done.out.splitlines()
    # scikit-learn's digits: the last fifth of a fixed order is held out.
    said = "attribute from label 3 to label 8, by the class means of "
    assert attribute.startswith(said)
    assert copying.startswith("copying z ")
    names = ["attribute", "analogies", "paths", "nearest"]
    assert paths == [str(run.path / "explored" / f"{name}.png") for name in names]
    assert sorted(path.name for path in (run.path / "explored").iterdir()) == sorted(
        f"{name}.png" for name in names
    )
    for wrong, said in (("3,11", "11 is no label"), ("3,3", "3 twice")):
        refused = tfvae_command("explore", run.path, "--classes", wrong)
        assert refused.code == 1
        assert said in refused.err
        assert len(refused.err.splitlines()) == 1


def test_the_direction_may_be_a_classifiers(tfvae_command, tmp_path, monkeypatch):
    run, drawn = trained(tmp_path / "run"), {}

    def noting(model, images, attribute, save):
        drawn["attribute"] = attribute
        save.touch()

    monkeypatch.setattr(exploring, "attribute_changes", noting)
    done = tfvae_command("explore", run.path, "--classes", "3,8", "--direction", "classifier")
    assert done.code == 0, done.err
    assert "attribute from label 3 to label 8, by a linear classifier of " in done.out
    _, test = tfvae.data.load("digits")
    images = np.concatenate(list(test.as_numpy_iterator()))
    labels = tfvae.data.arrays("digits").test["label"]
    two = np.isin(labels, (3, 8))
    codes = run.read_model().encode(images[two]).astype("float64")
    mean, scale = codes.mean(axis=0), codes.std(axis=0)
    line = LogisticRegression(max_iter=1000).fit((codes - mean) / scale, labels[two] == 8)
    normal, direction = line.coef_[0] / scale, drawn["attribute"].direction
    cosine = normal @ direction / np.linalg.norm(normal) / np.linalg.norm(direction)
    assert cosine > 0.9999
    done = tfvae_command("explore", run.path, "--direction", "clasifier")
    assert done.code == 2
    assert "no such direction 'clasifier'. Did you mean 'classifier'?" in done.err


def test_a_conditional_run_is_drawn_by_class(tfvae_command, tmp_path):
    run = trained(tmp_path / "run", "digits-conditional")
    done = tfvae_command("explore", run.path, "--output-dir", tmp_path / "out")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [str(tmp_path / "out" / "class_traversals.png")]


def test_a_table_has_no_pictures(tfvae_command, tmp_path):
    run = trained(tmp_path / "run", dataset="wine", likelihood="normal", binarisation="none")
    done = tfvae_command("explore", run.path)
    assert done.code == 1
    assert "draws images [H, W, C], and x of this run has shape (13,)" in done.err
    assert not (run.path / "explored").exists()


@pytest.mark.parametrize("text", ["3", "3,8,9", "a,b"])
def test_two_labels_are_expected(tfvae_command, tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    done = tfvae_command("explore", "none", "--classes", text)
    assert done.code == 2
    assert "none does not exist" in done.err or "is not two labels" in done.err
