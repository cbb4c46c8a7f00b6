"""Codes in an archive, beside columns of other names."""

import numpy as np
import pytest

from tfvae.data import arrays

CODES = np.arange(12, dtype="int32").reshape(4, 3) % 5
REALS = np.linspace(-1.0, 1.0, 12, dtype="float32").reshape(4, 3)


def saved(tmp_path, **named):
    np.savez(tmp_path / "file.npz", **named)
    return str(tmp_path / "file.npz")


def test_codes_are_whole_numbers_of_any_shape(tmp_path):
    found = arrays(saved(tmp_path, codes_train=CODES, codes_test=CODES[:2]))
    assert found.train["x"].dtype == np.int32
    np.testing.assert_array_equal(found.train["x"], CODES)


def test_codes_beside_x_are_a_column(tmp_path):
    parts = {"x_train": REALS, "x_test": REALS[:2], "codes_train": CODES, "codes_test": CODES[:2]}
    found = arrays(saved(tmp_path, **parts))
    np.testing.assert_allclose(found.train["x"], REALS)


def test_reals_are_no_codes(tmp_path):
    path = saved(tmp_path, codes_train=REALS, codes_test=REALS[:2])
    with pytest.raises(ValueError, match=r"codes_train.* has dtype float32; expected whole"):
        arrays(path)
