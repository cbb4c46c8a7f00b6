"""PSNR and SSIM are scikit-image's; the filters are what they say; bad images are refused."""

import numpy as np
import pytest
import scipy.ndimage
import skimage.metrics

from tfvae import data
from tfvae.errors import UserError
from tfvae.evaluation import (
    image_filters,
    peak_signal_to_noise,
    pooled_peak_signal_to_noise,
    structural_similarity,
)
from tfvae.evaluation.pictures import image_rows

RNG = np.random.default_rng(0)


def pairs(shape=(5, 12, 9, 3)):
    truth = RNG.random(shape)
    return truth, np.clip(truth + 0.2 * RNG.normal(size=shape), 0.0, 1.0)


def test_psnr_is_that_of_scikit_image():
    truth, found = pairs()
    options = {"data_range": 1.0}
    expected = [
        skimage.metrics.peak_signal_noise_ratio(x, y, **options)
        for x, y in zip(truth, found, strict=True)
    ]
    np.testing.assert_allclose(peak_signal_to_noise(truth, found), expected, rtol=1e-12)


def test_of_all_images_together_it_is_that_of_one_large_image():
    truth, found = pairs()
    large = (images.reshape(1, -1, 9, 3) for images in (truth, found))
    pooled = pooled_peak_signal_to_noise(truth, found)
    assert pooled == pytest.approx(peak_signal_to_noise(*large)[0])
    assert pooled < peak_signal_to_noise(truth, found).mean()
    found[0] = truth[0]
    assert np.isfinite(pooled_peak_signal_to_noise(truth, found))


@pytest.mark.parametrize(("window", "channels"), [(7, 1), (7, 3), (3, 2), (5, 1)])
def test_ssim_is_that_of_scikit_image(window, channels):
    truth, found = pairs((5, 12, 9, channels))
    expected = [
        skimage.metrics.structural_similarity(
            x, y, win_size=window, data_range=1.0, channel_axis=-1
        )
        for x, y in zip(truth, found, strict=True)
    ]
    np.testing.assert_allclose(structural_similarity(truth, found, window), expected, rtol=1e-10)


def test_equal_images_are_perfect_and_what_leaves_the_range_is_cut():
    truth = np.zeros((1, 8, 8, 1))
    assert peak_signal_to_noise(truth, truth) == np.inf
    assert peak_signal_to_noise(truth, truth - 5.0) == np.inf
    assert structural_similarity(truth, truth - 5.0) == 1.0
    # A constant error of 1/2 is 10 log10(4) decibels.
    assert peak_signal_to_noise(truth, truth + 0.5)[0] == pytest.approx(6.0206, abs=1e-4)


MEASURES = [peak_signal_to_noise, pooled_peak_signal_to_noise, structural_similarity]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("truth", "found", "message"),
    [
        (np.zeros((8, 8, 1)), np.zeros((8, 8, 1)), r"expected \[N, H, W, C\]"),
        (np.zeros((2, 8, 8, 1)), np.zeros((1, 8, 8, 1)), r"\(2, 8, 8, 1\) and those found \(1"),
        (np.zeros((0, 8, 8, 1)), np.zeros((0, 8, 8, 1)), "N at least 1"),
        (np.full((1, 8, 8, 1), 255.0), np.zeros((1, 8, 8, 1)), "Divide bytes by 255"),
        (np.full((1, 8, 8, 1), -0.1), np.zeros((1, 8, 8, 1)), "from -0.1 to -0.1"),
        (np.zeros((1, 8, 8, 1)), np.full((1, 8, 8, 1), np.nan), "not finite"),
        (np.full((1, 8, 8, 1), np.nan), np.zeros((1, 8, 8, 1)), r"pixels in \[0, 1\]"),
    ],
)
def test_what_are_no_images_of_pixels_is_refused(measure, truth, found, message):
    with pytest.raises(UserError, match=message):
        measure(truth, found)


def test_a_window_has_to_fit():
    x = np.zeros((1, 4, 8, 1))
    with pytest.raises(UserError, match=r"windows of 7 x 7 pixels, and the images have 4 x 8"):
        structural_similarity(x, x)
    with pytest.raises(UserError, match="window must be an integer of at least 2"):
        structural_similarity(x, x, window=1)
    assert structural_similarity(x, x, window=4) == 1.0


def test_the_median_is_that_of_scipy():
    images = RNG.random((3, 9, 8, 2)).astype("float32")
    expected = scipy.ndimage.median_filter(images, size=(1, 3, 3, 1), mode="nearest")
    np.testing.assert_array_equal(image_filters.median_filtered(images, 3), expected)


def test_non_local_means_take_noise_away_and_leave_a_plane_as_it_is():
    plane = np.full((2, 16, 16, 1), 0.5, "float32")
    noisy = plane + RNG.normal(0.0, 0.1, plane.shape).astype("float32")
    found = image_filters.non_local_means(noisy, 0.1)
    assert np.abs(found - plane).mean() < 0.3 * np.abs(noisy - plane).mean()
    np.testing.assert_allclose(image_filters.non_local_means(plane, 0.1), plane, atol=1e-6)


def test_filters_are_fitted_to_the_highest_psnr():
    clean = data.arrays("digits").train["x"][:20] / 16.0
    noisy = clean + RNG.normal(0.0, 0.2, clean.shape)
    found = image_filters.fitted_filters(clean, noisy)
    assert set(found) == {"median", "non-local means"}
    psnr = pooled_peak_signal_to_noise
    best = {name: psnr(clean, each(noisy)) for name, each in found.items()}
    for size in (3, 5):
        assert psnr(clean, image_filters.median_filtered(noisy, size)) <= best["median"]
        candidate = image_filters.non_local_means(noisy, 0.2, 0.8, size)
        # The noise is the one that is measured, here 0.2 but for a percent.
        assert psnr(clean, candidate) <= best["non-local means"] + 0.1
    assert best["non-local means"] > psnr(clean, noisy)


def test_bicubic_keeps_planes_and_means_of_channels():
    plane = np.full((2, 4, 5, 3), 0.25, "float32")
    found = image_filters.bicubic(plane, 3)
    assert found.shape == (2, 12, 15, 3)
    np.testing.assert_allclose(found, 0.25, atol=1e-6)
    # Keys' kernel reproduces straight lines away from the border.
    ramp = np.broadcast_to(np.arange(8.0)[None, :, None, None], (1, 8, 8, 1)).astype("float32")
    rows = image_filters.bicubic(ramp, 2)[0, :, 0, 0]
    np.testing.assert_allclose(rows[5:11], (np.arange(16) / 2 - 0.25)[5:11], atol=1e-5)


def test_filters_without_scikit_image_say_so(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "skimage.filters", None)
    with pytest.raises(UserError, match=r"pip install 'tfvae\[images\]'"):
        image_filters.median_filtered(np.zeros((1, 8, 8, 1)))


def test_rows_of_images_have_their_names_and_are_refused_where_they_differ(tmp_path):
    images = RNG.random((12, 4, 4, 1))
    picture = image_rows({"one": images, "other": images}, "A title", 5, tmp_path / "rows.png")
    (axes,) = picture.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "other"]
    assert axes.get_title() == "A title"
    assert axes.images[0].get_array().shape == (2 * 5 - 1, 5 * 5 - 1, 3)
    assert (tmp_path / "rows.png").stat().st_size > 500
    for rows in ({}, {"one": images, "other": images[:3]}, {"one": images[..., 0]}):
        with pytest.raises(UserError, match=r"takes images \[N, H, W, C\] of one shape"):
            image_rows(rows)
