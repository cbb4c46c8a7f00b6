"""Columns of a data set, row by row: resident in memory, or fetched a batch at a time."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.fields import Field

ROWS_AT_ONCE = 4096


class Rows:
    """One column by row number, resident in memory; `FetchedRows` is for more than that holds.

    Pixels may be stored as uint8, read as value / 255; everything else in the field's dtype.

    Args:
        array: `[N, *field.shape]`, checked by whoever made it.
        field: what one row is; pixels of the array's shape by default.
    """

    def __init__(self, array: np.ndarray, field: Field | None = None):
        self._array = array
        self._tensor = None
        self._on_device = None
        self.field = Field(array.shape[1:]) if field is None else field
        self.dtype = np.dtype(array.dtype)

    def __len__(self) -> int:
        return len(self._array)

    @property
    def resident(self) -> bool:
        """Whether the rows lie in memory."""
        return True

    def read(self, indices: Any) -> np.ndarray:
        """NumPy rows `[len(indices), *shape]`."""
        return self._array[indices]

    def gather(self, indices: tf.Tensor) -> tf.Tensor:
        """The same in TensorFlow operations, for pipelines."""
        return tf.gather(self.tensor(), indices)

    def tensor(self) -> tf.Tensor:
        """All rows as one tensor in host memory, made once."""
        if self._tensor is None:
            with tf.init_scope(), tf.device("CPU:0"):
                self._tensor = tf.constant(self._array)
            self._array = np.asarray(self._tensor)  # shares its memory: one copy of the rows
        return self._tensor

    def on_device(self) -> tf.Tensor:
        """All rows as one tensor on the device that computes, copied once."""
        if self._on_device is None:
            with tf.init_scope():
                self._on_device = tf.identity(self.tensor())
        return self._on_device

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return len(self) * math.prod(self.field.shape) * self.dtype.itemsize

    def subset(self, indices: np.ndarray) -> "Rows":
        """The rows with these numbers."""
        return Rows(self._array[indices], self.field)

    def chunks(self) -> Iterator[np.ndarray]:
        """All rows in the field's units, a chunk at a time: bytes are divided by 255."""
        for start in range(0, len(self), ROWS_AT_ONCE):
            rows = self.read(np.arange(start, min(start + ROWS_AT_ONCE, len(self))))
            yield rows / np.float32(255) if self.dtype == np.uint8 else rows

    def mean(self) -> np.ndarray:
        """Mean row, float32 `[*shape]` in the field's units, summed in float64."""
        total = np.zeros(self.field.shape, np.float64)
        for start in range(0, len(self), ROWS_AT_ONCE):
            rows = self.read(np.arange(start, min(start + ROWS_AT_ONCE, len(self))))
            total += rows.sum(axis=0, dtype=np.float64)
        scale = 255.0 if self.dtype == np.uint8 else 1.0
        return (total / (scale * len(self))).astype(np.float32)


class FetchedRows(Rows):
    """Rows that are fetched a batch at a time, so that memory does not grow with the data.

    Args:
        fetch: row numbers (int64 array) -> `[n, *field.shape]`; called from pipeline threads.
        indices: the rows that belong to this set, as `fetch` numbers them.
        field: what one row is.
        dtype: in which `fetch` returns them.
    """

    def __init__(self, fetch: Callable, indices: np.ndarray, field: Field, dtype: Any):
        self._fetch = fetch
        self._indices = np.asarray(indices, np.int64)
        self.field = field
        self.dtype = np.dtype(dtype)

    def __len__(self) -> int:
        return len(self._indices)

    @property
    def resident(self) -> bool:
        """Whether the rows lie in memory."""
        return False

    def read(self, indices: Any) -> np.ndarray:
        """NumPy rows `[len(indices), *shape]`."""
        return self._fetch(self._indices[indices])

    def gather(self, indices: tf.Tensor) -> tf.Tensor:
        """The same in TensorFlow operations, for pipelines."""
        rows = tf.numpy_function(self.read, [indices], tf.as_dtype(self.dtype), stateful=False)
        rows.set_shape([indices.shape[0], *self.field.shape])
        return rows

    def tensor(self) -> tf.Tensor:
        """All rows as one tensor: for rows that are fetched, this fills the memory."""
        return tf.constant(self.read(np.arange(len(self))))

    def subset(self, indices: np.ndarray) -> "FetchedRows":
        """The rows with these numbers."""
        return FetchedRows(self._fetch, self._indices[indices], self.field, self.dtype)


@dataclass(frozen=True, eq=False)
class Columns:
    """Named columns of equal length: row i of each belongs to example i.

    Attributes:
        rows: name -> column, at least one.
    """

    rows: Mapping[str, Rows]

    def __len__(self) -> int:
        return len(next(iter(self.rows.values())))

    @property
    def fields(self) -> dict[str, Field]:
        """What one row of each column is."""
        return {name: rows.field for name, rows in self.rows.items()}

    @property
    def resident(self) -> bool:
        """Whether all columns lie in memory."""
        return all(rows.resident for rows in self.rows.values())

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return sum(rows.nbytes for rows in self.rows.values())

    def gather(self, indices: tf.Tensor) -> dict[str, tf.Tensor]:
        """The rows with these numbers, as they are stored, for pipelines."""
        return {name: rows.gather(indices) for name, rows in self.rows.items()}

    def read(self) -> dict[str, np.ndarray]:
        """All rows, as they are stored."""
        everything = np.arange(len(self))
        return {name: rows.read(everything) for name, rows in self.rows.items()}

    def on_device(self) -> dict[str, tf.Tensor]:
        """All rows, as they are stored, on the device that computes."""
        return {name: rows.on_device() for name, rows in self.rows.items()}

    def subset(self, indices: np.ndarray) -> "Columns":
        """The rows with these numbers."""
        return Columns({name: rows.subset(indices) for name, rows in self.rows.items()})

    def replaced(self, **rows: Rows) -> "Columns":
        """These columns, some of them by others."""
        return Columns({**self.rows, **rows})
