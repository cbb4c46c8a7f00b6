"""Digits on textures in four styles: which masks an image has is known."""

import numpy as np
import pytest
from scipy import ndimage

from tfvae.data import arrays, load
from tfvae.data.sources.annotated_digits import STYLES, style_masks, textured


@pytest.fixture(scope="module")
def found():
    return arrays("segmented_digits")


def test_an_image_has_a_row_for_each_style(found):
    assert [len(part["x"]) for part in (found.train, found.test)] == [4 * 1438, 4 * 359]
    images = found.test["image"].reshape(-1, 4, 16, 16)
    assert np.array_equal(images, np.repeat(images[:, :1], 4, axis=1))
    masks = found.test["x"].reshape(-1, 4, 16, 16)
    assert set(np.unique(masks)) == {0, 255}
    for one in range(4):
        for other in range(one):
            assert np.all(np.any(masks[:, one] != masks[:, other], axis=(1, 2)))


def test_images_of_both_parts_differ(found):
    every = np.concatenate([found.train["image"][::4], found.test["image"][::4]])
    assert len(np.unique(every.reshape(len(every), -1), axis=0)) == 1797


def test_they_are_the_same_each_time(found):
    again = arrays("segmented_digits")
    for name in ("x", "image"):
        assert np.array_equal(found.test[name], again.test[name])


def test_styles_are_what_they_are_called(found):
    masks = found.test["x"].reshape(-1, 4, 16, 16) > 0
    thin, thick, filled, partial = (masks[:, STYLES.index(s)] for s in STYLES)
    assert not np.any(thin & ~filled)
    assert not np.any(partial & ~filled)
    assert thin.sum() < partial.sum() < filled.sum() < thick.sum()
    for mask in filled:  # without holes along rows
        for row in mask:
            assert ndimage.label(row)[1] <= 1


def test_styles_of_a_ring_by_hand():
    ring = np.zeros((1, 6, 6))
    ring[0, 1:5, 1:5] = 1
    ring[0, 2:4, 2:4] = 0
    thin, thick, filled, partial = style_masks(ring)[0]
    assert thick.all()
    assert filled[1:5, 1:5].all()
    assert filled.sum() == 16
    assert np.array_equal(partial, (ring[0] > 0) & (np.arange(6) >= 2)[:, np.newaxis])
    assert thin.any()
    assert not np.any(thin & (ring[0] == 0))


def test_images_do_not_depend_on_their_number_and_differ_by_seed():
    ink = np.zeros((3, 8, 8))
    some = textured(ink, 5)
    np.testing.assert_allclose(textured(ink[:2], 5), some[:2], atol=1e-6)
    assert not np.allclose(some[0], some[1])
    assert not np.allclose(textured(ink, 6), some)
    assert some.min() >= 0
    assert textured(ink + 1, 5).max() <= 1


def test_loading_gives_bits_beside_images():
    train, _ = load("segmented_digits", batch_size=64, fields=("x", "image"))
    batch = next(iter(train))
    assert batch["x"].shape == batch["image"].shape == (64, 16, 16, 1)
    assert set(np.unique(batch["x"])) == {0.0, 1.0}
