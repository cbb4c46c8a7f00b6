"""Rows of images, resident or read when asked for, and the containers that hold them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfvae.data.catalogue import DatasetSpec

CHUNK = 4096


class Rows:
    """Images by row number: resident in memory. `FetchedRows` is the kind for data that are too large.

    Pixels are uint8, read as value / 255, or float32 in [0, 1].

    Args:
        array: `[N, H, W, C]`, checked by the source that made it.
    """

    def __init__(self, array: np.ndarray):
        self._array = array
        self._tensor = None
        self.image_shape = tuple(int(size) for size in array.shape[1:])
        self.dtype = np.dtype(array.dtype)

    def __len__(self) -> int:
        return len(self._array)

    @property
    def resident(self) -> bool:
        """Whether the pixels lie in memory."""
        return True

    def read(self, indices) -> np.ndarray:
        """NumPy rows `[len(indices), H, W, C]`."""
        return self._array[indices]

    def gather(self, indices: tf.Tensor) -> tf.Tensor:
        """The same in TensorFlow operations, for pipelines."""
        return tf.gather(self.tensor(), indices)

    def tensor(self) -> tf.Tensor:
        """All rows as one tensor in host memory, made once."""
        if self._tensor is None:
            with tf.init_scope(), tf.device("CPU:0"):
                self._tensor = tf.constant(self._array)
        return self._tensor

    def subset(self, indices: np.ndarray) -> "Rows":
        """The rows with these numbers."""
        return Rows(self._array[indices])

    def mean(self) -> np.ndarray:
        """Mean image, float32 `[H, W, C]` in [0, 1], summed in float64 a chunk at a time."""
        total = np.zeros(self.image_shape, np.float64)
        for start in range(0, len(self), CHUNK):
            rows = self.read(np.arange(start, min(start + CHUNK, len(self))))
            total += rows.sum(axis=0, dtype=np.float64)
        scale = 255.0 if self.dtype == np.uint8 else 1.0
        return (total / (scale * len(self))).astype(np.float32)


class FetchedRows(Rows):
    """Images that are fetched a batch at a time, so that memory does not grow with the data.

    Args:
        fetch: row numbers (int64 array) -> `[n, H, W, C]`; called from pipeline threads.
        indices: the rows that belong to this set, as `fetch` numbers them.
        image_shape: `(H, W, C)`.
        dtype: uint8 or float32.
    """

    def __init__(self, fetch: Callable, indices: np.ndarray, image_shape: tuple, dtype):
        self._fetch = fetch
        self._indices = np.asarray(indices, np.int64)
        self.image_shape = tuple(image_shape)
        self.dtype = np.dtype(dtype)

    def __len__(self) -> int:
        return len(self._indices)

    @property
    def resident(self) -> bool:
        """Whether the pixels lie in memory."""
        return False

    def read(self, indices) -> np.ndarray:
        """NumPy rows `[len(indices), H, W, C]`."""
        return self._fetch(self._indices[indices])

    def gather(self, indices: tf.Tensor) -> tf.Tensor:
        """The same in TensorFlow operations, for pipelines."""
        rows = tf.numpy_function(self.read, [indices], tf.as_dtype(self.dtype), stateful=False)
        rows.set_shape([indices.shape[0], *self.image_shape])
        return rows

    def tensor(self) -> tf.Tensor:
        """All rows as one tensor: for rows that are fetched, this fills the memory."""
        return tf.constant(self.read(np.arange(len(self))))

    def subset(self, indices: np.ndarray) -> "FetchedRows":
        """The rows with these numbers."""
        return FetchedRows(self._fetch, self._indices[indices], self.image_shape, self.dtype)


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
    """A data set in NumPy arrays, pixels as stored: uint8 (read as value / 255) or float32 in [0, 1].

    Attributes:
        spec: the catalogue's entry; for a file or folder, one made from what was found.
        train, test: `[N, H, W, C]`.
        train_labels, test_labels: int64 `[N]`, or None where the source has none.
    """

    spec: DatasetSpec
    train: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray | None
    test_labels: np.ndarray | None

    @property
    def mean_image(self) -> np.ndarray:
        """Mean of the training images, float32 `[H, W, C]` in [0, 1]; an output bias starts from it."""
        return Rows(self.train).mean()


def hold_out(
    spec: DatasetSpec, rows: Rows, labels: np.ndarray | None, fraction: float, what: str
) -> Split:
    """Split rows that come without a test set; the same rows are held out for every run seed.

    Raises:
        ValueError: `fraction` is not inside (0, 1), or there are fewer than two images.
    """
    if not 0 < fraction < 1:
        raise ValueError(
            f"test_fraction is {fraction}; expected a number between 0 and 1 (exclusive), such as 0.1."
        )
    if len(rows) < 2:
        raise ValueError(
            f"{what} holds {len(rows)} image; expected at least 2, one to train on and one to hold out. "
            "Bring more images."
        )
    held = min(max(1, round(fraction * len(rows))), len(rows) - 1)
    order = np.random.Generator(np.random.PCG64(SPLIT_SEED)).permutation(len(rows))
    test, train = np.sort(order[:held]), np.sort(order[held:])
    pick = (lambda part: None) if labels is None else (lambda part: labels[part])
    return Split(spec, rows.subset(train), rows.subset(test), pick(train), pick(test))


SPLIT_SEED = 20131220  # fixed for all runs, so that their test sets are comparable
