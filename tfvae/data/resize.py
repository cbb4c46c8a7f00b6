"""Resizing by areas: a new pixel is the mean of what it covers, fractions of pixels included."""

import functools

import numpy as np


def by_area(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize one image, uint8 `[H, W, C]` -> `[height, width, C]`, rounded to bytes.

    The mean over the image is kept, so nothing of a thin line is lost when it is made smaller.
    Larger images look blocky. (Pillow's BOX filter weights pixels by 0 or 1 and is not this.)
    """
    if image.shape[:2] == (height, width):
        return image
    rows, columns = _weights(height, image.shape[0]), _weights(width, image.shape[1])
    planes = [rows @ plane @ columns.T for plane in np.moveaxis(image, -1, 0)]
    return np.rint(np.stack(planes, axis=-1)).astype(np.uint8)


@functools.lru_cache(maxsize=64)
def _weights(new: int, old: int) -> np.ndarray:
    """`[new, old]`: share of old pixel j in new pixel i; each row adds up to one."""
    edges = np.linspace(0, old, new + 1)
    upper = np.minimum(edges[1:, None], np.arange(1, old + 1))
    lower = np.maximum(edges[:-1, None], np.arange(old))
    return np.maximum(upper - lower, 0) * (new / old)
