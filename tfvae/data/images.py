"""What a source returns, and what users get as arrays."""

import numbers
from dataclasses import dataclass

import numpy as np

from tfvae.data.catalogue import DatasetSpec
from tfvae.data.rows import Rows
from tfvae.errors import UserError

SPLIT_SEED = 20131220  # fixed for all runs, so that their test sets are comparable


@dataclass(frozen=True)
class Split:
    """Training and held-out rows of one source, before batching. What a source's `read` returns."""

    spec: DatasetSpec
    train: Rows
    test: Rows
    train_labels: np.ndarray | None = None
    test_labels: np.ndarray | None = None


@dataclass(frozen=True)
class ImageArrays:
    """A data set in NumPy arrays, neither scaled nor binarised.

    Attributes:
        spec: the catalogue's entry; for a file or folder, one made from what was found.
        train, test: `[N, H, W, C]`, uint8 (a pixel is value / 255) or float32 in [0, 1].
        train_labels, test_labels: int64 `[N]`, or None where the source has none.
    """

    spec: DatasetSpec
    train: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray | None
    test_labels: np.ndarray | None

    @property
    def mean_image(self) -> np.ndarray:
        """Mean of the training images, float32 `[H, W, C]` in [0, 1]."""
        return Rows(self.train).mean()


def hold_out(
    spec: DatasetSpec, rows: Rows, labels: np.ndarray | None, fraction: float, what: str
) -> Split:
    """Split rows that come without a test set; the same rows are held out for every run seed.

    Raises:
        ValueError: `fraction` is not inside (0, 1), or there are fewer than two images.
    """
    if not isinstance(fraction, numbers.Real) or not 0 < fraction < 1:
        raise UserError(
            f"test_fraction is {fraction!r}; expected a number above 0 and below 1, such as 0.1."
        )
    if len(rows) < 2:
        raise UserError(
            f"{what} holds {len(rows)} image; expected at least 2, one to train on and one to hold "
            "out. Bring more images."
        )
    held = min(max(1, round(fraction * len(rows))), len(rows) - 1)
    order = np.random.Generator(np.random.PCG64(SPLIT_SEED)).permutation(len(rows))
    test, train = np.sort(order[:held]), np.sort(order[held:])
    pick = (lambda part: None) if labels is None else (lambda part: labels[part])
    return Split(spec, rows.subset(train), rows.subset(test), pick(train), pick(test))
