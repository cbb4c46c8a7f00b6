"""Samples are kept as text with a result, and drawn from that alone."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.reproduce.small import LEVELS, of_levels
from tfvae.errors import UserError
from tfvae.reproduce.files import TableFiles, write_page
from tfvae.reproduce.images import images_as_text, images_of_text
from tfvae.reproduce.results import read_results, write_results


def test_images_come_back_as_bytes():
    images = np.random.default_rng(0).uniform(-0.1, 1.1, (3, 5, 4, 1)).astype("float32")
    found = images_of_text(images_as_text(images), 3)
    assert found.shape == images.shape
    np.testing.assert_allclose(found, np.clip(images, 0, 1), atol=0.5 / 255 + 1e-6)


def test_what_is_not_grey_is_refused():
    with pytest.raises(UserError, match=r"shows grey images .* shape \(3, 5, 4, 3\)"):
        images_as_text(np.zeros((3, 5, 4, 3)))


def test_the_picture_has_a_row_of_images_for_each_likelihood(tmp_path):
    paths = TableFiles(tmp_path, "levels")
    black, white = (images_as_text(np.full((3, 8, 8, 1), value)) for value in (0.0, 1.0))
    kept = {
        ("levels", 0): of_levels("levels", 2.5, black),
        ("noisy", 0): of_levels("noisy", 2.75, white),
    }
    write_results(paths.results, LEVELS, kept)
    assert read_results(paths.results, LEVELS) == kept
    write_page(LEVELS, kept, paths)
    assert "![Samples of each row](levels-samples.png)" in paths.page.read_text("utf-8")
    with Image.open(paths.images) as picture:
        assert picture.mode == "L"
        described = json.loads(picture.info["Description"])
        pixels = np.asarray(picture)
    finished = kept["noisy", 0].finished
    assert described == {"levels": finished, "noisy": finished}
    # Of the right half, where no names are: the upper row black, the lower white.
    right = pixels[:, pixels.shape[1] * 3 // 4]
    rows = np.flatnonzero(right < 10)
    assert len(rows) > 20
    assert rows.max() < 0.7 * len(right)
