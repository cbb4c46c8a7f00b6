"""Canvases that hold several digits of one class, in two sizes: what is near and what is far.

A canvas has two by two cells. A cell holds one large digit, or two by two small ones, each with
equal probability; where a digit is smaller than its place, it lies anywhere within it. All digits
of a canvas are of the class that is its label.
"""

import numpy as np

from tfvae.data.catalogue import DatasetSpec
from tfvae.data.rows import Columns, Rows
from tfvae.data.sources.handwritten import handwritten_digits
from tfvae.data.splits import Split

_SEED, _TEST_SEED = 19060046, 19060047
_SMALL = 4  # in each cell
_CELLS = 4  # of a canvas
_MOST, _MOST_TEST = 20_000, 2_000  # of MNIST: as many of the digits' images have a canvas


def read(spec: DatasetSpec, test_fraction: float | None = None) -> Split:
    """Reads the digits and draws canvases, one for each digit, of which it is one, or 20,000."""
    found = handwritten_digits(spec, test_fraction)
    size = spec.fields["x"].shape[0]
    parts = ((found.train, _SEED, _MOST), (found.test, _TEST_SEED, _MOST_TEST))
    return Split(spec, *(_drawn(columns, size, seed, most) for columns, seed, most in parts))


def drawn_canvases(
    large: np.ndarray, small: np.ndarray, labels: np.ndarray, size: int, seed: int, count: int
) -> np.ndarray:
    """Returns canvases, uint8 `[N, size, size]`: number i is of the class of digit i.

    Args:
        large: Digits as large as they are to be, `[M, s, s]`, s at most half of `size`; uint8.
        small: The same digits, `[M, t, t]`, t at most a quarter of `size`; uint8.
        labels: Their classes, `[M]`.
        size: Of a canvas, a multiple of 4.
        seed: Of what is drawn.
        count: N, at most M.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    of_class = {label: np.flatnonzero(labels == label) for label in np.unique(labels)}
    canvases = np.zeros((count, size, size), "uint8")
    half, quarter = size // 2, size // 4
    for number, canvas in enumerate(canvases):
        same = of_class[labels[number]]
        chosen = generator.choice(same, (_CELLS, _SMALL))
        chosen[0, 0] = number
        is_large = generator.random(_CELLS) < 0.5
        shifts = generator.random((_CELLS, _SMALL, 2))
        for cell in range(_CELLS):
            top, left = half * (cell // 2), half * (cell % 2)
            if is_large[cell]:
                _put(canvas, large[chosen[cell, 0]], top, left, half, shifts[cell, 0])
                continue
            for place in range(_SMALL):
                row, column = top + quarter * (place // 2), left + quarter * (place % 2)
                digit = small[chosen[cell, place]]
                _put(canvas, digit, row, column, quarter, shifts[cell, place])
    return canvases


def _put(
    canvas: np.ndarray, digit: np.ndarray, top: int, left: int, room: int, shift: np.ndarray
) -> None:
    """Puts a digit into a square of a canvas, at shifts that are shares of the room it leaves."""
    side = len(digit)
    row, column = (int(share * (room - side + 1)) for share in shift)
    canvas[top + row : top + row + side, left + column : left + column + side] = digit


def _drawn(columns: Columns, size: int, seed: int, most: int) -> Columns:
    rows, labels = columns.rows["x"], np.concatenate([*columns.rows["label"].chunks()])
    ink = np.concatenate([chunk[..., 0] for chunk in rows.chunks()])
    if ink.shape[1] <= size // 4:  # as small as the small ones are to be
        large, small = _doubled(ink), ink
    else:
        large, small = ink, _halved(ink)
    count = min(most, len(ink))
    canvases = drawn_canvases(_as_bytes(large), _as_bytes(small), labels, size, seed, count)
    own = columns.rows["label"].field
    label = Rows(labels[:count].astype(np.int32), own)
    return Columns({"x": Rows(canvases[..., np.newaxis]), "label": label})


def _as_bytes(images: np.ndarray) -> np.ndarray:
    return np.rint(255 * images).astype("uint8")


def _doubled(ink: np.ndarray) -> np.ndarray:
    """Images twice as large, of linear interpolation between the middles of pixels."""
    for axis in (1, 2):
        before, behind = (_moved(ink, by, axis) for by in (1, -1))
        pairs = np.stack([0.75 * ink + 0.25 * before, 0.75 * ink + 0.25 * behind], axis=axis + 1)
        ink = pairs.reshape([2 * n if i == axis else n for i, n in enumerate(ink.shape)])
    return ink


def _moved(ink: np.ndarray, by: int, axis: int) -> np.ndarray:
    """Images moved by a pixel, whose edge stays."""
    places = np.clip(np.arange(ink.shape[axis]) - by, 0, ink.shape[axis] - 1)
    return np.take(ink, places, axis=axis)


def _halved(ink: np.ndarray) -> np.ndarray:
    """The means of blocks of 2 x 2 pixels."""
    count, height, width = ink.shape
    return ink.reshape(count, height // 2, 2, width // 2, 2).mean(axis=(2, 4))
