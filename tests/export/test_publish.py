"""Publishing: all of a version or nothing, and never over an existing one."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tfvae.export.publishing import ExportError, flush, staging
from tfvae.export.saved_models.versions import next_version, publish

NAMES = ("encoder", "decoder", "vae")


def staged_files(stage, text="new"):
    for name in NAMES:
        folder = stage / "servables" / name
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_text(text)
    return stage / "servables"


def export_text(directory, text, version=None):
    with staging(directory) as stage:
        folder = staged_files(stage, text)
        flush(folder)
        return publish(folder, directory, NAMES, version)


def tree(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_numbers_rise_from_one_and_only_versions_remain(tmp_path):
    directory = tmp_path / "deep" / "mnist"
    assert [export_text(directory, "a"), export_text(directory, "b")] == [1, 2]
    assert (directory / "vae" / "1" / "saved_model.pb").read_text() == "a"
    assert tree(directory) == sorted(
        [
            *NAMES,
            *(f"{name}/{number}" for name in NAMES for number in (1, 2)),
            *(f"{name}/{number}/saved_model.pb" for name in NAMES for number in (1, 2)),
        ]
    )


def test_the_next_number_is_above_all_servables_and_ignores_other_names(tmp_path):
    for name in ("encoder/3", "decoder/12", "decoder/v99", "vae/0004", "vae/²"):
        (tmp_path / name).mkdir(parents=True)
    assert next_version(tmp_path, NAMES) == 13
    assert export_text(tmp_path, "a") == 13


def test_an_existing_version_is_never_touched(tmp_path):
    export_text(tmp_path, "old", version=7)
    with pytest.raises(ExportError, match=r"version 7 of encoder, decoder, vae .* already exists"):
        export_text(tmp_path, "new", version=7)
    assert (tmp_path / "vae" / "7" / "saved_model.pb").read_text() == "old"
    assert not any(".staging" in path for path in tree(tmp_path))


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_whatever_has_the_number_takes_it(tmp_path, kind):
    taken = tmp_path / "decoder" / "1"
    taken.parent.mkdir()
    {
        "folder": taken.mkdir,
        "file": taken.touch,
        "link": lambda: taken.symlink_to(tmp_path / "nowhere"),
    }[kind]()
    with pytest.raises(ExportError, match="version 1 of decoder"):
        export_text(tmp_path, "new", version=1)
    assert tree(tmp_path) == ["decoder", "decoder/1"]
    assert export_text(tmp_path, "new") == 2


def test_losing_a_race_moves_everything_back_and_takes_the_next_number(tmp_path, monkeypatch):
    rename, lost = os.rename, []

    def slow_rename(source, target):
        if target == tmp_path / "decoder" / "1" and not lost:
            lost.append(target)
            target.mkdir()  # another exporter, between the check and the rename
            (target / "theirs").touch()
        rename(source, target)

    monkeypatch.setattr(os, "rename", slow_rename)
    assert export_text(tmp_path, "mine") == 2
    assert tree(tmp_path / "decoder" / "1") == ["theirs"]
    assert [tree(tmp_path / name) for name in ("encoder", "vae")] == [["2", "2/saved_model.pb"]] * 2


def test_a_rename_that_fails_for_another_reason_leaves_nothing(tmp_path, monkeypatch):
    rename = os.rename

    def full(source, target):
        if target == tmp_path / "mnist" / "vae" / "1":
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(ExportError, match="No space left on device"):
        export_text(tmp_path / "mnist", "mine")
    assert tree(tmp_path) == []


def test_concurrent_exporters_each_get_their_own_versions(tmp_path):
    def export_ten(worker):
        return [export_text(tmp_path, f"{worker}") for _ in range(10)]

    with ThreadPoolExecutor(4) as workers:
        numbers = [number for found in workers.map(export_ten, range(4)) for number in found]
    assert sorted(numbers) == list(range(1, 41))
    for number in range(1, 41):
        texts = {(tmp_path / name / str(number) / "saved_model.pb").read_text() for name in NAMES}
        assert len(texts) == 1


def test_a_folder_that_cannot_be_made_is_one_clear_message(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(ExportError, match=r"can't write to the export folder .*Not a directory"),
        staging(tmp_path / "file" / "mnist"),
    ):
        pass
    assert tree(tmp_path) == ["file"]


def test_a_relative_folder_is_staged_at_an_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the comparison's process works in another folder
    with staging(Path("deep/mnist")) as stage:
        assert stage.is_absolute()
    assert tree(tmp_path) == []


def test_a_full_disk_is_one_clear_message(tmp_path):
    with (
        pytest.raises(ExportError, match=r"export folder .*mnist failed: No space left on device"),
        staging(tmp_path / "mnist"),
    ):
        raise OSError(28, "No space left on device")
    assert tree(tmp_path) == []


def test_an_error_on_the_way_leaves_nothing(tmp_path):
    def interrupted(directory: Path):
        with staging(directory) as stage:
            staged_files(stage)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "a" / "b")
    assert tree(tmp_path) == []
