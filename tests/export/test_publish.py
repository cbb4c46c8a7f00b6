"""Publishing: all of a set or nothing, and never over an existing version."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.export.made import SERVABLES, export_text, known, links, source, tree
from tfvae.export import IntegrityError, verify
from tfvae.export.publishing import ExportError, check_export_folder, staging
from tfvae.export.sets.layout import current_set, sets_of
from tfvae.export.sets.manifest import read_manifest
from tfvae.export.sets.publication import publication


def test_a_set_is_one_folder_and_every_old_path_a_link_into_it(tmp_path):
    directory = tmp_path / "deep" / "mnist"
    export_text(directory)
    names = [*SERVABLES, "decoder.tflite", "manifest.json", "report.json"]
    (name,) = sets_of(directory)
    assert links(directory) == {"current": f"sets/{name}", **{n: f"current/{n}" for n in names}}
    assert (directory / "vae" / "1" / "saved_model.pb").read_text() == "a"
    assert (directory / "decoder.tflite").read_text() == "decoder a"
    assert verify(directory).version == 1
    assert not any(part.startswith(".") for part in tree(directory))


def test_versions_rise_and_those_before_stay_within_reach(tmp_path):
    for weights in "abc":
        export_text(tmp_path, weights)
    for number, weights in enumerate("abc", 1):
        for name in SERVABLES:
            assert (tmp_path / name / str(number) / "saved_model.pb").read_text() == weights
    assert sorted(os.listdir(tmp_path / "vae")) == ["1", "2", "3"]
    assert (tmp_path / "decoder.tflite").read_text() == "decoder c"
    assert verify(tmp_path).version == 3
    for folder in (tmp_path / "sets").iterdir():
        verify(folder)


def test_equal_exports_have_equal_names_and_manifests(tmp_path):
    for parent in ("one", "two"):
        with publication(tmp_path / parent / "mnist", source(**known()), files=True) as made:
            (made.folder / "decoder.tflite").write_text("x")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    first, second = (tmp_path / parent / "mnist" / "manifest.json" for parent in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    found = read_manifest(first.parent)
    assert found.metrics["elbo"].count == 100
    assert found.data["name"] == "digits"


@pytest.mark.parametrize("first", ["servables", "files"])
def test_a_second_part_of_the_same_weights_completes_the_set(tmp_path, first):
    parts = {"servables": {"files": False}, "files": {"servables": ()}}
    with publication(tmp_path, source(**known()), files=True) as made:
        (made.folder / "decoder.tflite").write_text("gone")
    for part in (first, *(parts.keys() - {first})):
        export_text(tmp_path, "b", **parts[part])
    assert list(sets_of(tmp_path).values()) == [1, 2]
    manifest = verify(tmp_path)
    assert (manifest.version, manifest.data) == (2, {})
    assert {"encoder/2/saved_model.pb", "decoder.tflite", "report.json"} < set(manifest.files)


def test_what_was_known_of_the_same_weights_stays_known(tmp_path):
    with publication(tmp_path, source(**known()), files=True) as made:
        (made.folder / "decoder.tflite").write_text("x")
    export_text(tmp_path, files=False)
    assert verify(tmp_path).metrics["kl"].mean == 20.0
    assert (tmp_path / "decoder.tflite").read_text() == "x"


def test_a_file_that_is_taken_over_is_the_same_file(tmp_path):
    export_text(tmp_path, files=False)
    before = (tmp_path / "vae" / "1" / "saved_model.pb").stat()
    export_text(tmp_path, servables=())
    after = (tmp_path / "vae" / "1" / "saved_model.pb").stat()
    assert os.path.samestat(before, after)
    assert len(sets_of(tmp_path)) == 1  # the one that was completed is gone


def test_files_of_other_weights_do_not_stay_beside_and_that_is_said(tmp_path):
    export_text(tmp_path)
    made = export_text(tmp_path, "b", files=False)
    assert made.removed == [tmp_path / "decoder.tflite", tmp_path / "report.json"]
    assert made.notes == [
        "decoder.tflite, report.json of version 1 are of other weights, and are no longer published"
    ]
    assert set(links(tmp_path)) == {"current", "manifest.json", *SERVABLES}
    made = export_text(tmp_path, "c", servables=())
    assert "SavedModels of version 2 are of other weights" in made.notes[0]
    assert sorted(os.listdir(tmp_path / "vae")) == ["1", "2"]
    assert verify(tmp_path).version == 3


def test_files_that_are_not_made_again_are_gone(tmp_path):
    with publication(tmp_path, source(), files=True) as made:
        for name in ("decoder.tflite", "decoder_int8.tflite"):
            (made.folder / name).write_text("x")
    made = export_text(tmp_path, servables=())
    assert made.removed == [tmp_path / "decoder_int8.tflite"]
    assert verify(tmp_path).version == 1


def test_an_export_that_makes_what_is_there_mends_it(tmp_path):
    export_text(tmp_path, servables=())
    path = tmp_path / "decoder.tflite"
    path.write_text("damaged")
    with pytest.raises(IntegrityError):
        verify(tmp_path)
    export_text(tmp_path, servables=())
    assert path.read_text() == "decoder a"
    assert len(sets_of(tmp_path)) == 1
    verify(tmp_path)


def test_a_damaged_file_is_not_taken_over(tmp_path):
    export_text(tmp_path)
    (tmp_path / "vae" / "1" / "saved_model.pb").write_text("damaged")
    with pytest.raises(ExportError, match="has been changed since it was exported"):
        export_text(tmp_path, servables=())
    (tmp_path / "current" / "manifest.json").write_text("{")
    with pytest.raises(ExportError, match=r"the set in .* is damaged: .*manifest.json"):
        export_text(tmp_path, "b")


def test_a_version_is_given_above_all_that_there_are(tmp_path):
    assert export_text(tmp_path, version=7).manifest.version == 7
    for taken in (6, 7):
        with pytest.raises(ExportError, match=f"version {taken} is not above version 7"):
            export_text(tmp_path, "b", version=taken)
    assert export_text(tmp_path, "b").manifest.version == 8
    assert (tmp_path / "vae" / "7" / "saved_model.pb").read_text() == "a"


def test_after_a_roll_back_the_next_version_is_new(tmp_path):
    export_text(tmp_path, "a")
    first = current_set(tmp_path).name
    export_text(tmp_path, "b")
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to(f"sets/{first}")
    assert export_text(tmp_path, "c").manifest.version == 3
    assert sorted(os.listdir(tmp_path / "vae")) == ["1", "2", "3"]


def test_a_set_that_an_operator_deleted_is_no_longer_kept(tmp_path):
    export_text(tmp_path, "a")
    first = current_set(tmp_path).resolve()
    export_text(tmp_path, "b")
    for path in sorted(first.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    first.rmdir()
    assert verify(tmp_path).version == 2
    export_text(tmp_path, "c")
    assert sorted(os.listdir(tmp_path / "vae")) == ["2", "3"]


@pytest.mark.parametrize("name", ["encoder", "manifest.json", "decoder.tflite", "current"])
def test_what_no_set_has_made_is_not_touched(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine").touch()
    with pytest.raises(ExportError, match="Move it away"):
        export_text(tmp_path)
    assert tree(tmp_path) == {f"{name}/mine": ""}


def test_other_files_in_the_folder_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    export_text(tmp_path)
    export_text(tmp_path, "b", files=False)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_rename_that_fails_leaves_the_set_before(tmp_path, monkeypatch):
    export_text(tmp_path)
    before = tree(tmp_path)

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ExportError, match="No space left on device"):
        export_text(tmp_path, "b")
    assert tree(tmp_path) == before
    verify(tmp_path)


def test_exporters_at_once_wait_for_each_other(tmp_path):
    def export_ten(worker):
        return [export_text(tmp_path, "abcd"[worker]).manifest.version for _ in range(10)]

    with ThreadPoolExecutor(4) as workers:
        numbers = [number for found in workers.map(export_ten, range(4)) for number in found]
    assert sorted(numbers) == list(range(1, 41))
    for number in range(1, 41):
        texts = {(tmp_path / n / str(number) / "saved_model.pb").read_text() for n in SERVABLES}
        assert len(texts) == 1
    assert verify(tmp_path).version == 40


def test_who_waits_too_long_for_another_export_is_told(tmp_path):
    told = pytest.raises(ExportError, match=r"another export to .* is under way")
    with staging(tmp_path), told, staging(tmp_path, wait=0.1):
        pass


def test_who_waits_for_an_export_that_fails_goes_on(tmp_path):
    held, waited = threading.Event(), threading.Event()

    def failing():
        with staging(tmp_path / "mnist"):
            held.set()
            waited.wait(20)
            raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(failing)
        assert held.wait(20)
        second = pool.submit(export_text, tmp_path / "mnist")
        waited.set()
        with pytest.raises(KeyboardInterrupt):
            first.result()
        second.result()
    verify(tmp_path / "mnist")


def test_a_folder_that_cannot_be_made_is_one_clear_message(tmp_path):
    (tmp_path / "file").touch()
    for attempt in (export_text, check_export_folder):
        with pytest.raises(ExportError, match=r"can't write to the export folder .*Not a dir"):
            attempt(tmp_path / "file" / "mnist")
    assert tree(tmp_path) == {"file": ""}


def test_looking_whether_it_can_be_made_leaves_no_trace(tmp_path):
    check_export_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_an_error_on_the_way_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a relative folder is staged at an absolute path

    def interrupted(error):
        with publication(Path("a", "b"), source(), files=True) as made:
            assert made.folder.is_absolute()
            (made.folder / "decoder.tflite").write_text("x")
            raise error

    for error, seen in ((OSError(28, "No space left"), ExportError), (KeyboardInterrupt,) * 2):
        with pytest.raises(seen):
            interrupted(error)
        assert list(tmp_path.iterdir()) == []
