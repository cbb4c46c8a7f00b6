"""Resizing by areas: a new pixel is the mean of what it covers, fractions of pixels included."""

import numpy as np
import tensorflow as tf


def by_area(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize one image, uint8 `[H, W, C]` -> `[height, width, C]`, rounded to bytes.

    The mean over the image is kept, so nothing of a thin line is lost when it is made smaller.
    Larger images look blocky. (Pillow's BOX filter weights pixels by 0 or 1 and is not this.)
    """
    if image.shape[:2] == (height, width):
        return image
    with tf.device("CPU:0"):  # one image is not worth the way to an accelerator
        resized = tf.image.resize(image, (height, width), method="area").numpy()
    return np.rint(resized).astype(np.uint8)
