"""The run's folder: whose it is, and that its files are there whole or not at all."""

import errno
import json
import shutil
import subprocess

import pytest

from tfvae import presets
from tfvae.runs.files import replacing, write_text
from tfvae.runs.folder import RunFolder

CONFIG = presets.get("digits")
SHORTER = presets.get("digits", epochs=3)
VERSIONS = {"tfvae": "0"}


def test_failed_write_keeps_what_was_there(tmp_path):
    path = tmp_path / "metrics.json"
    write_text(path, "old")

    def disk_full(beside):
        beside.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        pytest.raises(OSError, match=r"Can't write .*metrics\.json: No space left"),
        replacing(path) as beside,
    ):
        disk_full(beside)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_full_disk_leaves_nothing_half_written(tmp_path):
    """A file system of one page, where the machine lets the test mount one."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("mounting a tmpfs is not permitted here")
    try:
        with pytest.raises(OSError, match=r"No space left on device\. Free some space"):
            write_text(folder / "history.csv", "x" * 100_000)
        assert not list(folder.iterdir())
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    folder = RunFolder(tmp_path / "file" / "digits")
    with (
        pytest.raises(OSError, match=r"Can't write .*Not a directory.*choose another folder"),
        folder.locked(),
    ):
        pass


def test_two_processes_do_not_meet_in_one_folder(tmp_path):
    with (
        RunFolder(tmp_path / "run").locked(),
        pytest.raises(RuntimeError, match="Another process is training"),
        RunFolder(tmp_path / "run").locked(),
    ):
        pass
    with RunFolder(tmp_path / "run").locked():
        pass


def test_same_settings_go_on_and_others_are_refused(tmp_path):
    folder = RunFolder(tmp_path)
    folder.prepare(CONFIG, VERSIONS, overwrite=False)
    folder.prepare(CONFIG, VERSIONS, overwrite=False)
    assert folder.read_config() == CONFIG
    with pytest.raises(ValueError, match="--epochs is 400 there and 3 here"):
        folder.prepare(SHORTER, VERSIONS, overwrite=False)


def test_other_versions_are_named(tmp_path):
    folder = RunFolder(tmp_path)
    folder.prepare(CONFIG, {"keras": "3.1", "numpy": "2.0"}, overwrite=False)
    assert folder.changed_versions({"keras": "3.1", "numpy": "2.0"}) == []
    found = folder.changed_versions({"keras": "3.2", "numpy": "2.0", "tensorflow": "2.21"})
    assert found == ["keras 3.1 there and 3.2 here"]


def test_overwriting_removes_the_runs_files_only(tmp_path):
    folder = RunFolder(tmp_path)
    folder.prepare(CONFIG, VERSIONS, overwrite=False)
    folder.checkpoint.write_text("")
    folder.pictures.mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    folder.prepare(SHORTER, VERSIONS, overwrite=True)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "notes.txt"}
    assert folder.read_config()["epochs"] == 3


def test_a_config_without_a_setting_that_is_new_since_is_readable(tmp_path):
    folder = RunFolder(tmp_path)
    folder.prepare(CONFIG, VERSIONS, overwrite=False)
    content = json.loads(folder.config.read_text("utf-8"))
    for name in ("drop_remainder", "objective.free_bits", "callback"):
        del content["settings"][name]
    folder.config.write_text(json.dumps(content), "utf-8")
    assert folder.read_config() == CONFIG
