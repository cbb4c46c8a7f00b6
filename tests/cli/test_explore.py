"""`tfvae explore`: pictures of a run's codes, and a test for copies."""

import pytest

from tests.cli.conftest import Outcome
from tests.cli.small_runs import trained

pytestmark = pytest.mark.usefixtures("without_xla")


def test_pictures_of_a_run_are_drawn(tfvae_command, tmp_path):
    run = trained(tmp_path / "run")
    done: Outcome = tfvae_command("explore", run.path, "--classes", "3,8")
    assert done.code == 0, done.err
    attribute, copying, *paths = done.out.splitlines()
    # scikit-learn's digits: the last fifth of a fixed order is held out.
    assert attribute.startswith("attribute from label 3 to label 8, of ")
    assert copying.startswith("copying z ")
    names = ["attribute", "paths", "nearest"]
    assert paths == [str(run.path / "explored" / f"{name}.png") for name in names]
    assert sorted(path.name for path in (run.path / "explored").iterdir()) == sorted(
        f"{name}.png" for name in names
    )
    for wrong, said in (("3,11", "11 is no label"), ("3,3", "3 twice")):
        refused = tfvae_command("explore", run.path, "--classes", wrong)
        assert refused.code == 1
        assert said in refused.err
        assert len(refused.err.splitlines()) == 1


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
