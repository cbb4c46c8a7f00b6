"""Rows of images by number: resident in memory, or fetched a batch at a time."""

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

CHUNK = 4096


class Rows:
    """Images by row number, resident in memory; `FetchedRows` is the kind for more than that holds.

    Pixels are uint8, read as value / 255, or float32 in [0, 1].

    Args:
        array: `[N, H, W, C]`, checked by the source that made it.
    """

    def __init__(self, array: np.ndarray):
        self._array = array
        self._tensor = None
        self._on_device = None
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
            self._array = np.asarray(self._tensor)  # shares its memory: one copy of the pixels
        return self._tensor

    def on_device(self) -> tf.Tensor:
        """All rows as one tensor on the device that computes, copied once."""
        if self._on_device is None:
            with tf.init_scope():
                self._on_device = tf.identity(self.tensor())
        return self._on_device

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels."""
        return len(self) * math.prod(self.image_shape) * self.dtype.itemsize

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
