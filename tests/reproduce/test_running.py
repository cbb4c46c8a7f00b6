"""Rows are trained and measured once, kept at once, and gone on with."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tests.reproduce.small import LABELS, LEVELS, TABLE, result, slower
from tfvae import data
from tfvae.errors import DivergedError, UserError
from tfvae.reproduce import running
from tfvae.reproduce.files import TableFiles
from tfvae.reproduce.images import images_of_text
from tfvae.reproduce.results import read_results, write_results
from tfvae.reproduce.running import Asked, epochs_of, reproduce_rows
from tfvae.runs.folder import RunFolder
from tfvae.runs.restoration import examples_by_field

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture
def reproduce(tmp_path):
    """Runs rows, and returns (what came to nothing, what was said, the paths)."""
    (tmp_path / "results").mkdir()
    paths = TableFiles(tmp_path / "results", "small")

    def run(*rows, table=TABLE, **asked):
        said = []
        failed = reproduce_rows(table, Asked(rows, **asked), tmp_path / "runs", paths, said.append)
        return failed, said, paths

    return run


def test_rows_are_trained_measured_and_kept(reproduce, tmp_path):
    failed, _, paths = reproduce("diag", seeds=(0,), epochs=2)
    assert failed == []
    kept = read_results(paths.results, TABLE)
    assert list(kept) == [("diag", 0)]
    found = kept["diag", 0]
    folder = RunFolder(tmp_path / "runs" / "diag" / "seed-0-epochs-2")
    assert folder.read_config() == TABLE.rows["diag"].settings(0, 2)
    assert found.log_likelihood == folder.read_metrics()["test"]["log_likelihood"]
    assert (found.epochs, found.of_epochs, found.num_samples) == (2, 4, 5)
    assert found.seconds_per_epoch > 0
    assert found.annealed.num_examples == 3
    assert found.annealed.start == "posterior"
    assert found.annealed.log_likelihood < 0
    assert 0 <= found.active_units <= 2
    assert {"tfvae", "tensorflow"} < set(found.versions)
    assert "2 of 4" in paths.page.read_text("utf-8")

    before = paths.results.read_bytes()
    _, said, _ = reproduce("diag", seeds=(0,), epochs=1)
    assert said == [f"diag, seed 0: kept, log p(x) {found.log_likelihood:.2f}"]
    assert paths.results.read_bytes() == before


def test_an_interrupted_row_goes_on_and_what_was_kept_stays(reproduce, tmp_path, monkeypatch):
    path = tmp_path / "results" / "small.json"
    write_results(path, TABLE, {("sbn", 0): result("sbn", epochs=1)})
    before = path.read_bytes()

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # trained, and not measured yet
        patch.setattr("tfvae.reproduce.one_run.evaluation.active_units", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reproduce("tril", epochs=1)
    assert path.read_bytes() == before

    with monkeypatch.context() as patch:  # it is not trained again
        patch.setattr("tfvae.reproduce.one_run.train", interrupted)
        reproduce("tril", epochs=1)
    assert list(read_results(path, TABLE)) == [("tril", 0), ("sbn", 0)]


def test_a_run_that_diverges_is_told_and_the_others_go_on(reproduce, monkeypatch):
    def run_row(run, runs, annealing, report):
        runs.mkdir(parents=True, exist_ok=True)
        if run.row.name == "diag":
            raise DivergedError("the loss is nan")
        return result(run.row.name, run.seed, run.epochs)

    monkeypatch.setattr(running, "run_row", run_row)
    failed, _, paths = reproduce("diag", "diag-5-s", "tril")
    assert failed[:2] == ["diag, seed 0: the loss is nan", "diag, seed 1: the loss is nan"]
    assert "the seconds of row 'diag', which has no result with seed 0" in failed[2]
    assert list(read_results(paths.results, TABLE)) == [("tril", 0)]


def test_a_run_that_ended_far_below_its_beginning_is_no_result(reproduce, tmp_path):
    row = TABLE.rows["tril"]
    folder = RunFolder(tmp_path / "runs" / "tril" / "seed-0-epochs-4")
    folder.path.mkdir(parents=True)
    folder.prepare(row.settings(0, 4), {}, overwrite=False)
    folder.finish({"diverged": True, "test": {"elbo": -1e9}, "untrained_elbo": -44.0})
    failed, _, paths = reproduce("tril")
    assert "tril, seed 0: training diverged: the ELBO ended at -1000000000.00" in failed[0]
    assert read_results(paths.results, TABLE) == {}


def test_a_broken_file_is_refused_before_anything_is_trained(reproduce, tmp_path):
    (tmp_path / "results" / "small.json").write_text("{", "utf-8")
    with pytest.raises(UserError, match="is damaged"):
        reproduce("diag")
    assert not (tmp_path / "runs").exists()


def test_a_time_is_the_epochs_that_fit(reproduce):
    row = TABLE.rows["diag-5-s"]
    kept = {("diag", 0): slower(result("diag"), 0.4)}
    assert epochs_of(row, 0, TABLE, kept) == round(5.0 / 0.4)
    with pytest.raises(UserError, match=r"of row 'diag', which has no result with seed 1. Run"):
        epochs_of(row, 1, TABLE, kept)


def test_a_row_that_was_cut_short_is_run_again_for_more_epochs(reproduce, monkeypatch, tmp_path):
    path = tmp_path / "results" / "small.json"
    write_results(path, TABLE, {("tril", 0): result("tril", epochs=2)})
    asked = []

    def run_row(run, runs, annealing, report):
        runs.mkdir(parents=True, exist_ok=True)
        asked.append(run.epochs)
        return result(run.row.name, run.seed, run.epochs)

    monkeypatch.setattr(running, "run_row", run_row)
    for epochs in (1, 2, 3, None, 4, None):
        reproduce("tril", epochs=epochs)
    assert asked == [3, 4]


def test_rows_of_levels_keep_bits_and_images_of_the_first_seed(reproduce):
    failed, _, paths = reproduce("noisy", "raw", table=LEVELS, epochs=1)
    assert failed == []
    kept = read_results(paths.results, LEVELS)
    found = kept["noisy", 0]
    bits = -found.log_likelihood / (64 * math.log(2))
    assert found.bits_per_dimension == pytest.approx(bits)
    assert 0 < bits < 20
    assert found.annealed is None
    assert images_of_text(found.images, 3).shape == (3, 8, 8, 1)
    assert kept["noisy", 1].images is None
    assert kept["raw", 0].bits_per_dimension is kept["raw", 0].images is None


def test_rows_of_stages_keep_the_error_of_the_last_and_no_nats_of_codes(reproduce, tmp_path):
    failed, _, paths = reproduce("stages", table=LABELS, epochs=1)
    assert failed == []
    found = read_results(paths.results, LABELS)["stages", 0]
    folder = RunFolder(tmp_path / "runs" / "stages" / "seed-0-epochs-1")
    of_last = folder.read_metrics()["stages"]["second"]["test"]
    assert found.error == of_last["error"] > 0
    assert found.calibration_error == of_last["calibration_error"]
    assert found.log_likelihood is found.elbo is found.bits_per_dimension is None
    (line,) = [
        each for each in paths.page.read_text("utf-8").splitlines() if "| stages | 0" in each
    ]
    assert line.startswith(f"| stages | {found.error:.4f} | {found.calibration_error:.3f} |  |  |")


def test_rows_of_codes_keep_the_error_of_scikit_learns_classifier(reproduce, tmp_path):
    failed, _, paths = reproduce("codes", table=LABELS, epochs=1)
    assert failed == []
    found, row = read_results(paths.results, LABELS)["codes", 0], LABELS.rows["codes"]
    assert found.code_labels == 40
    assert found.is_of(row)
    assert not found.is_of(replace(row, code_labels=50))
    assert found.log_likelihood is not None
    model = RunFolder(tmp_path / "runs" / "codes" / "seed-0-epochs-1").read_model()
    train, test = data.load("digits", fields=("x", "label"), labels=40)
    (z, label), (held_out, truth) = (
        (model.encode(part["x"]).astype("float64"), part["label"])
        for part in map(examples_by_field, (data.at_epoch(train, 0), test))
    )
    scaler = StandardScaler().fit(z)
    known = label >= 0
    line = LogisticRegression(max_iter=1000).fit(scaler.transform(z[known]), label[known])
    wrong = np.mean(line.predict(scaler.transform(held_out)) != truth)
    assert found.error == pytest.approx(wrong, abs=1.5 / 359)  # by rounding of codes
    page = paths.page.read_text("utf-8")
    assert f"`{found.command}`; `tfvae classify runs/digits --labels 40`" in page


def test_rows_of_labels_keep_their_error(reproduce):
    failed, said, paths = reproduce("few", table=LABELS, seeds=(1,), epochs=1)
    assert failed == []
    found = read_results(paths.results, LABELS)["few", 1]
    assert found.error == round(found.error * 20) / 20  # of so many held-out digits
    assert 0 < found.error < 1
    assert 0 < found.calibration_error < 1
    assert said[-1] == f"few, seed 1: error {found.error:.4f}, kept in {paths.results}"
