"""Digits on textured backgrounds, whose ink four annotators draw each in a style of their own.

An image has as many rows as there are styles, one after another: the same image, and as x the mask
of one style. All styles are equally likely, so that the true law of the masks of an image is known.
"""

import numpy as np
import tensorflow as tf
from scipy import ndimage

import tfvae.random
from tfvae.data.catalogue import DatasetSpec
from tfvae.data.rows import Columns, Rows
from tfvae.data.sources.handwritten import handwritten_digits
from tfvae.data.splits import Split

STYLES = ("thin", "thick", "filled", "partial")
_SEED, _TEST_SEED = 18060503, 18060504  # of the backgrounds
_SMOOTHING = np.array([0.25, 0.5, 0.25], "float32")


def read(spec: DatasetSpec, test_fraction: float | None = None) -> Split:
    """Read the digits and draw images and masks; rows of one image are in one part."""
    found = handwritten_digits(spec, test_fraction)
    size = spec.fields["x"].shape[0]
    return Split(
        spec, _annotated(found.train, size, _SEED), _annotated(found.test, size, _TEST_SEED)
    )


def style_masks(ink: np.ndarray) -> np.ndarray:
    """Returns the masks of all styles of images of ink, bool `[N, 4, H, W]`: functions of the ink.

    thick is all that is within a pixel of ink, diagonally too; thin the ridges of the ink along
    rows and columns; filled all that lies in a row between its first and its last pixel of ink;
    partial the ink without the upper third of its rows.

    Args:
        ink: `[N, H, W]`, values in [0, 1] with one of at least a half in each image.
    """
    plain = ink >= 0.5
    thick = ndimage.maximum_filter(plain, size=(1, 3, 3), mode="constant")
    smooth = np.where(plain, _smoothed(ink), 0.0)
    padded = np.pad(smooth, ((0, 0), (1, 1), (1, 1)))
    middle = padded[:, 1:-1, 1:-1]
    along_rows = (middle >= padded[:, 1:-1, :-2]) & (middle > padded[:, 1:-1, 2:])
    along_columns = (middle >= padded[:, :-2, 1:-1]) & (middle > padded[:, 2:, 1:-1])
    thin = plain & (along_rows | along_columns)
    before = np.logical_or.accumulate(plain, axis=2)
    behind = np.logical_or.accumulate(plain[:, :, ::-1], axis=2)[:, :, ::-1]
    rows = np.asarray(plain.any(axis=2))
    first = rows.argmax(axis=1)
    last = rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)
    kept = np.greater_equal(
        np.arange(rows.shape[1]), (first + (last - first + 1) // 3)[:, np.newaxis]
    )
    partial = plain & kept[:, :, np.newaxis]
    return np.stack([thin, thick, before & behind, partial], axis=1)


def textured(ink: np.ndarray, seed: int) -> np.ndarray:
    """Returns images of ink on stripes and noise, float32 `[N, H, W]` in [0, 1].

    The direction, the width and the phase of the stripes are drawn for each image. Image i is the
    same however many there are.
    """
    shape = ink.shape[1:]
    turn, width, phase = np.moveaxis(tfvae.random.uniform((len(ink), 3), seed).numpy(), 1, 0)
    angle, wave = np.pi * turn, 2 * np.pi / (3 + 5 * width)
    steps = (np.cos(angle) * wave, np.sin(angle) * wave)
    rows, columns = (s[:, None, None] * p for s, p in zip(steps, np.indices(shape), strict=True))
    stripes = 0.5 + 0.5 * np.sin(rows + columns + 2 * np.pi * phase[:, None, None])
    noise = tfvae.random.uniform((len(ink), *shape), seed, stream=1).numpy()
    background = 0.45 * stripes + 0.2 * noise
    return ((1 - ink) * background + ink * (0.7 + 0.3 * noise)).astype("float32")


def _annotated(columns: Columns, size: int, seed: int) -> Columns:
    """The rows of all images in all styles, as bytes."""
    stored = columns.rows["x"]
    images, masks = [], []
    for number, chunk in enumerate(stored.chunks()):
        ink = _enlarged(chunk[..., 0], size)
        seed_of_chunk = int(tf.bitcast(tfvae.random.bits((), seed, number), tf.int32))
        image = np.rint(255 * textured(ink, seed_of_chunk)).astype("uint8")
        images.append(np.repeat(image, len(STYLES), axis=0)[..., np.newaxis])
        found = style_masks(ink).reshape(-1, size, size, 1)
        masks.append(found.astype("uint8") * np.uint8(255))
    return Columns({"x": Rows(np.concatenate(masks)), "image": Rows(np.concatenate(images))})


def _enlarged(ink: np.ndarray, size: int) -> np.ndarray:
    """Ink with each pixel as many times as fit into the size, smoothed where that is not once."""
    times = size // ink.shape[1]
    if times == 1:
        return ink
    return _smoothed(ink.repeat(times, axis=1).repeat(times, axis=2))


def _smoothed(ink: np.ndarray) -> np.ndarray:
    once = ndimage.convolve1d(ink, _SMOOTHING, axis=1, mode="constant")
    return ndimage.convolve1d(once, _SMOOTHING, axis=2, mode="constant")
