"""What needs no training: filters against noise, and interpolation, to stand beside a model."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tfvae.checks import real
from tfvae.errors import UserError
from tfvae.evaluation.image_quality import pooled_peak_signal_to_noise

Filter = Callable[[np.ndarray], np.ndarray]
_SIZES = (3, 5)  # of the median's square and of patches; those that are larger find no edge
_STRENGTHS = (0.4, 0.6, 0.8, 1.0, 1.2)  # h in units of the noise
_REACH = 7  # pixels: how far patches are compared


def median_filtered(images: np.ndarray, size: int = 3) -> np.ndarray:
    """Each pixel as the median of a square around it: scikit-image's, of every channel alone.

    Args:
        images: `[N, H, W, C]`.
        size: Pixels of the square's side.

    Raises:
        UserError: where scikit-image is not installed.
    """
    skimage = required_skimage()
    square = np.ones((size, size), bool)
    median = partial(skimage.filters.median, footprint=square, behavior="ndimage")
    return _of_channels(images, median)


def non_local_means(
    images: np.ndarray, noise: float, strength: float = 0.8, size: int = 5
) -> np.ndarray:
    """Each pixel as a mean of those whose surroundings look alike: scikit-image's.

    Args:
        images: `[N, H, W, C]`.
        noise: Its standard deviation, above 0.
        strength: h, from which on patches no longer look alike, in units of the noise.
        size: Pixels of a patch's side.

    Raises:
        UserError: where scikit-image is not installed.

    References:
        A. Buades, B. Coll and J.-M. Morel, 2005, "A Non-Local Algorithm for Image Denoising",
        CVPR, pages 60 to 65; J. Darbon et al., 2008, for the noise that is taken off distances.
    """
    skimage, noise = required_skimage(), real("noise", noise, above=0.0)
    options = {"patch_size": size, "patch_distance": _REACH, "fast_mode": False}
    found = partial(
        skimage.restoration.denoise_nl_means, h=strength * noise, sigma=noise, **options
    )
    return _of_channels(images, found)


def fitted_filters(clean: np.ndarray, corrupted: np.ndarray) -> dict[str, Filter]:
    """The median filter and non-local means, each with the settings that suit these images best.

    The sizes and the strength are those of the highest PSNR, and the noise of non-local means
    is the root mean square of what the corruption changed: filters are told as much as a model that
    was trained for it.

    Args:
        clean: `[N, H, W, C]` in [0, 1].
        corrupted: The same, corrupted.

    Raises:
        UserError: where scikit-image is not installed.
    """
    noise = max(float(np.sqrt(np.mean(np.square(corrupted - clean)))), 1e-6)
    sizes = [size for size in _SIZES if size <= min(clean.shape[1:3])]
    candidates: dict[str, list[Filter]] = {
        "median": [partial(median_filtered, size=size) for size in sizes],
        "non-local means": [
            partial(non_local_means, noise=noise, strength=strength, size=size)
            for size in sizes
            for strength in _STRENGTHS
        ],
    }

    def quality(candidate: Filter) -> float:
        return pooled_peak_signal_to_noise(clean, candidate(corrupted))

    return {name: max(each, key=quality) for name, each in candidates.items()}


def bicubic(images: np.ndarray, factor: int) -> np.ndarray:
    """Larger images by Pillow's bicubic interpolation, float32 `[N, H factor, W factor, C]`.

    Args:
        images: `[N, H, W, C]`.
        factor: How many times as high and as wide.

    References:
        R. G. Keys, 1981, "Cubic Convolution Interpolation for Digital Image Processing", IEEE
        Transactions on Acoustics, Speech, and Signal Processing 29, with a = -1/2.
    """
    from PIL import Image

    size = (images.shape[2] * factor, images.shape[1] * factor)

    def larger(plane: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC))

    return _of_channels(images, larger)


def required_skimage() -> Any:
    """Returns scikit-image, its filters imported.

    Raises:
        UserError: where it is not installed.
    """
    try:
        import skimage.filters
        import skimage.restoration
    except ImportError:
        raise UserError(
            "The median filter and non-local means are scikit-image's, which is not installed. "
            "Run: pip install 'tfvae[images]'"
        ) from None
    return skimage


def _of_channels(images: np.ndarray, function: Callable[[np.ndarray], Any]) -> np.ndarray:
    """What a function of a plane `[H, W]` makes of every channel of every image, float32."""
    planes = np.moveaxis(np.asarray(images, np.float32), -1, 1)
    made = [[function(plane) for plane in image] for image in planes]
    return np.moveaxis(np.asarray(made, np.float32), 1, -1)
