"""Canvases of digits: where the digits lie and of which class they are is known."""

import numpy as np
import pytest

from tfvae.data import arrays, load
from tfvae.data.sources.canvases import drawn_canvases
from tfvae.errors import UserError


@pytest.fixture(scope="module")
def found():
    return arrays("digits_canvases")


def test_there_is_a_canvas_for_each_digit_with_its_label(found):
    digits = arrays("digits")
    for name in ("train", "test"):
        own, theirs = getattr(found, name), getattr(digits, name)
        np.testing.assert_array_equal(own["label"], theirs["label"])
        assert own["x"].shape == (len(theirs["x"]), 32, 32, 1)
        assert own["x"].dtype == np.uint8


def test_they_are_the_same_each_time(found):
    np.testing.assert_array_equal(arrays("digits_canvases").test["x"], found.test["x"])


def test_small_digits_are_digits_of_the_same_part_and_class(found):
    """Each quarter of a cell that is a digit as it is stored is one of the canvas' class."""
    digits = arrays("digits").test
    stored = np.rint(255 * digits["x"][..., 0]).astype("uint8").reshape(len(digits["x"]), -1)
    labels = {row.tobytes(): label for row, label in zip(stored, digits["label"], strict=True)}
    small = 0
    for canvas, label in zip(found.test["x"][..., 0], found.test["label"], strict=True):
        places = canvas.reshape(4, 8, 4, 8).transpose(0, 2, 1, 3).reshape(16, 64)
        classes = [labels[place.tobytes()] for place in places if place.tobytes() in labels]
        assert set(classes) <= {label}
        small += len(classes)
    cells = small / 4 / (4 * len(found.test["x"]))
    assert 0.44 < cells < 0.56  # half of 1,436 cells; a standard deviation is 0.013


def test_canvases_by_hand():
    """Digits of one value each: a large one fills its cell but for its room, small ones theirs."""
    labels = np.array([0, 1, 0, 1])
    large = np.tile(np.arange(1, 5, dtype="uint8")[:, None, None], (1, 6, 6))
    small = 10 * np.tile(np.arange(1, 5, dtype="uint8")[:, None, None], (1, 4, 4))
    canvases = drawn_canvases(large, small, labels, size=16, seed=3, count=3)
    assert canvases.shape == (3, 16, 16)
    for number, canvas in enumerate(canvases):
        values = [1 + i for i in range(4) if labels[i] == labels[number]]
        for cell in canvas.reshape(2, 8, 2, 8).transpose(0, 2, 1, 3).reshape(4, 8, 8):
            inks = set(np.unique(cell)) - {0}
            if max(inks) < 10:
                assert len(inks) == 1
                assert np.count_nonzero(cell) == 36
            else:
                assert np.count_nonzero(cell) == 64
            assert inks <= {*values, *(10 * value for value in values)}
        assert {1 + number, 10 * (1 + number)} & set(np.unique(canvas[:8, :8])), "not its digit"
    few = drawn_canvases(large, small, labels, size=16, seed=3, count=2)
    np.testing.assert_array_equal(few, canvases[:2])


def test_they_load_as_bits_with_their_label():
    train, _ = load("digits_canvases", batch_size=16, fields=("x", "label"))
    batch = next(iter(train))
    assert set(np.unique(batch["x"])) == {0.0, 1.0}
    assert batch["x"].shape == (16, 32, 32, 1)


def test_mnists_keep_their_test_set():
    with pytest.raises(UserError, match=r"test_fraction is 0\.3, but mnist_canvases has its own"):
        load("mnist_canvases", test_fraction=0.3)


@pytest.mark.mnist
def test_canvases_of_mnist():
    found = arrays("mnist_canvases")
    assert found.train["x"].shape == (20_000, 64, 64, 1)
    assert found.test["x"].shape == (2_000, 64, 64, 1)
    own = arrays("mnist").test
    np.testing.assert_array_equal(found.test["label"], own["label"][:2000])
