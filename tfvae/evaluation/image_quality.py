"""How near images are to true ones: the signal-to-noise ratio, and structural similarity."""

from typing import Any

import numpy as np

from tfvae.checks import positive_int
from tfvae.errors import UserError

WINDOW = 7  # pixels of a side, the largest odd number that digits of 8 x 8 have room for
_K1, _K2 = 0.01, 0.03  # of Wang et al., section III.B


def peak_signal_to_noise(truth: Any, found: Any) -> np.ndarray:
    """The peak signal-to-noise ratio of each image, in decibels; higher = nearer to the truth.

        PSNR = 10 log10(1 / MSE),  MSE = mean_i (x_i - clip(x^_i, 0, 1))^2

    The peak is 1, the range of pixels; what is found is cut to it, as whoever shows it does.
    Infinite where both are equal: of many images see `pooled_peak_signal_to_noise`.

    Args:
        truth: Images `[N, H, W, C]` in [0, 1].
        found: As many, of any real values.

    Returns:
        float64 `[N]`.

    Raises:
        UserError: for other shapes, a truth out of [0, 1], or what is not finite.

    Example:
        >>> peak_signal_to_noise(np.zeros((1, 8, 8, 1)), np.full((1, 8, 8, 1), 0.1)).round(6)
        array([20.])
    """
    truth, found = checked_images(truth, found)
    errors = np.mean(np.square(truth - found), axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return -10.0 * np.log10(errors)


def pooled_peak_signal_to_noise(truth: Any, found: Any) -> float:
    """The peak signal-to-noise ratio of all images together, in decibels.

        PSNR = 10 log10(1 / MSE),  MSE the mean over the pixels of all images

    The mean of `peak_signal_to_noise` is infinite as soon as one image is found exactly, such as
    one whose blanked patch was black before; this is not. Where both are finite it is the lower.

    Args:
        truth: Images `[N, H, W, C]` in [0, 1].
        found: As many, of any real values.

    Raises:
        UserError: as `peak_signal_to_noise`.
    """
    truth, found = checked_images(truth, found)
    with np.errstate(divide="ignore"):
        return float(-10.0 * np.log10(np.mean(np.square(truth - found))))


def structural_similarity(truth: Any, found: Any, window: int = WINDOW) -> np.ndarray:
    """The structural similarity index of each image, at most 1; higher = nearer to the truth.

        SSIM = mean over windows and channels of
               (2 m_x m_y + c_1) (2 s_xy + c_2) / ((m_x^2 + m_y^2 + c_1) (s_x^2 + s_y^2 + c_2))
        c_1 = 0.01^2, c_2 = 0.03^2, the range of pixels being 1

    m, s^2 and s_xy are the means, variances and covariance of a window's pixels, the latter two
    unbiased; windows are those that lie within the image. What is found is cut to [0, 1]. It is
    what scikit-image's `structural_similarity(x, y, data_range=1, channel_axis=-1)` returns.

    Args:
        truth: Images `[N, H, W, C]` in [0, 1].
        found: As many, of any real values.
        window: Pixels of a window's side, at least 2. Default 7.

    Returns:
        float64 `[N]`.

    Raises:
        UserError: as `peak_signal_to_noise`, and for images that are smaller than a window.

    Example:
        >>> x = np.eye(8)[None, :, :, None]
        >>> structural_similarity(x, x)
        array([1.])

    References:
        Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, 2004, "Image Quality Assessment:
        From Error Visibility to Structural Similarity", IEEE Transactions on Image Processing 13,
        eq. 13 and 17. Departure: windows are squares of equal weights; the paper's are 11 x 11
        Gaussians, which small images have no room for.
    """
    truth, found = checked_images(truth, found)
    positive_int("window", window, minimum=2)
    if min(truth.shape[1:3]) < window:
        raise UserError(
            f"structural_similarity() compares windows of {window} x {window} pixels, and the "
            f"images have {truth.shape[1]} x {truth.shape[2]}. Take a smaller window."
        )
    x, y = (
        np.lib.stride_tricks.sliding_window_view(images, (window, window), axis=(1, 2))
        for images in (truth, found)
    )
    axes = (-2, -1)
    mean_x, mean_y = x.mean(axes), y.mean(axes)
    unbiased = window**2 / (window**2 - 1)
    variance_x, variance_y = unbiased * x.var(axes), unbiased * y.var(axes)
    covariance = unbiased * ((x * y).mean(axes) - mean_x * mean_y)
    c1, c2 = _K1**2, _K2**2
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    likeness /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return likeness.mean(axis=(1, 2, 3))


def checked_images(truth: Any, found: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns both as float64, what is found cut to [0, 1].

    Raises:
        UserError: for anything but as many images of pixels as are found.
    """
    truth, found = np.asarray(truth, np.float64), np.asarray(found, np.float64)
    if truth.ndim != 4 or 0 in truth.shape or truth.shape != found.shape:
        raise UserError(
            f"The true images have the shape {truth.shape} and those found {found.shape}; expected "
            "[N, H, W, C] of both, N at least 1."
        )
    if not (np.all(np.isfinite(truth)) and truth.min() >= 0.0 and truth.max() <= 1.0):
        raise UserError(
            f"The true images hold values from {truth.min():g} to {truth.max():g}; expected "
            "pixels in [0, 1]. Divide bytes by 255."
        )
    if not np.all(np.isfinite(found)):
        raise UserError("The images found hold values that are not finite.")
    return truth, np.clip(found, 0.0, 1.0)
