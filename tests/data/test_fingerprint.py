"""A digest that follows the content, and nothing else."""

import os
import shutil
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from tfvae.data.fingerprint import fingerprint
from tfvae.errors import UserOSError


def test_a_copy_is_the_same_and_an_inverse_is_not(tmp_path):
    x = np.random.default_rng(0).random((20, 8, 8, 1), "float32")
    for name, values in (("a", x), ("b", x), ("c", 1 - x)):
        np.save(tmp_path / f"{name}.npy", values)
    a, b, c = (fingerprint(tmp_path / f"{name}.npy") for name in "abc")
    assert a == b
    assert a != c
    assert len(a) == 16


def test_an_archive_is_what_is_in_it_and_not_when_it_was_written(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3), label=np.ones(3))
    np.savez(tmp_path / "c.npz", x=np.zeros(3), label=np.zeros(3))
    with zipfile.ZipFile(tmp_path / "a.npz") as a, zipfile.ZipFile(tmp_path / "b.npz", "w") as b:
        for name in a.namelist():
            b.writestr(zipfile.ZipInfo(name, (2001, 2, 3, 4, 5, 6)), a.read(name))
    assert (tmp_path / "a.npz").read_bytes() != (tmp_path / "b.npz").read_bytes()
    assert fingerprint(tmp_path / "a.npz") == fingerprint(tmp_path / "b.npz")
    assert fingerprint(tmp_path / "a.npz") != fingerprint(tmp_path / "c.npz")


@pytest.mark.parametrize(
    ("place", "seen"),
    [(0, True), (3 << 20, True), ((40 << 20) - 1, True), (12 << 17, True), (19 << 17, False)],
)
def test_a_large_file_is_sampled_to_both_ends(tmp_path, place, seen):
    """32 spans of 1 MiB in 40 begin every 39/31 MiB: 1.26 to 2.26 and 2.52 to 3.52 are two."""
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(40 << 20)
    before = fingerprint(path)
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\1")
    begun = time.perf_counter()
    assert (fingerprint(path) != before) is seen
    assert time.perf_counter() - begun < 5


def test_a_folder_is_its_files(tmp_path):
    for name in ("a", "b"):
        Image.new("L", (4, 4), 7).save(tmp_path / f"{name}.png")
    copy = shutil.copytree(tmp_path, tmp_path.parent / "copy")
    assert fingerprint(copy) == fingerprint(tmp_path)
    os.rename(copy / "b.png", copy / "c.png")
    assert fingerprint(copy) != fingerprint(tmp_path)


def test_names_and_what_is_not_there(tmp_path):
    assert fingerprint("digits") == "digits"
    assert fingerprint("mnist") == "mnist 3.0.1"
    with pytest.raises(UserOSError, match="No such file"):
        fingerprint(tmp_path / "absent.npy")
