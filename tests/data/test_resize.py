import numpy as np
import pytest

from tfvae.data.resize import by_area


def test_halving_averages_blocks():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4, 1) * 2
    np.testing.assert_array_equal(by_area(image, 2, 2)[..., 0], [[5, 9], [21, 25]])


def test_fractions_of_pixels_count():
    image = np.zeros((105, 105, 1), np.uint8)
    image[0, 0] = 255  # one of 3.75 x 3.75 pixels: 255 / 14.0625 = 18.13
    image[3, 3] = 255  # a quarter of its width belongs to the next pixel
    small = by_area(image, 28, 28)[..., 0]
    assert small[0, 0] == round(255 * (1 + 0.75**2) / 3.75**2)
    assert small[1, 1] == round(255 * 0.25**2 / 3.75**2)


@pytest.mark.parametrize("size", [(28, 28), (7, 50), (105, 105), (211, 3)])
def test_the_mean_is_kept(size):
    image = np.random.default_rng(0).integers(0, 256, (105, 105, 3), dtype=np.uint8)
    resized = by_area(image, *size)
    assert resized.shape == (*size, 3)
    # Rounding to bytes moves each pixel by at most half a step, at random.
    np.testing.assert_allclose(resized.mean((0, 1)), image.mean((0, 1)), atol=0.1)


@pytest.mark.parametrize("size", [(28, 31), (50, 90), (105, 7), (210, 45)])
def test_pixels_are_the_exact_means_of_what_they_cover(size):
    """Each old pixel is cut into as many equal parts as make every new pixel a whole block."""
    image = np.random.default_rng(0).integers(0, 256, (105, 90, 1), dtype=np.uint8)
    parts = np.repeat(np.repeat(image[..., 0], size[0], axis=0), size[1], axis=1)
    exact = parts.reshape(size[0], 105, size[1], 90).mean(axis=(1, 3))
    # Half a step of rounding, and float32.
    np.testing.assert_allclose(by_area(image, *size)[..., 0], exact, atol=0.501)
