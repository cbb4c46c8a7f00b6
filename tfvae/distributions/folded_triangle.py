"""The factor of a full covariance, kept and applied without its zeros."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfvae.distributions.triangular import solve_adjoint


class Fold(NamedTuple):
    """How the strictly lower triangle of a D x D matrix fills a rectangle R x C.

    A short row and a long one share each row of the rectangle: row i from the left, and row C - i,
    backwards, from the right. For even D, C = D - 1 and i = 0, 1, ..; for odd D, C = D and
    i = 1, 2, .. (row 0 of the triangle is empty).

    Attributes:
        from_left: bool `[R, C]`, true where the short row's entries are.
        index: int32 `[D * D]`, for each entry of the matrix 1 + its place in the rectangle, or 0.
    """

    from_left: np.ndarray
    index: np.ndarray  # type: ignore[assignment]  # a tuple has index()


@lru_cache
def fold(size: int) -> Fold:
    """Returns the fold of a D x D matrix, D at least 2."""
    odd = size % 2
    columns = size - 1 + odd
    short = np.arange((size - odd) // 2) + odd
    across = np.arange(columns)
    index = np.zeros((size, size), np.int32)
    for row, i in enumerate(short):
        places = 1 + row * columns + across
        index[i, :i] = places[:i]
        index[columns - i, : columns - i] = places[i:][::-1]
    return Fold(across < short[:, np.newaxis], index.ravel())


class FoldedTriangle(tf.linalg.LinearOperatorLowerTriangular):
    """L = diag(s) (I + N), N strictly lower, applied from the D (D - 1) / 2 entries of N.

    Products with one vector an example, and squared norms of the rows, read the entries where the
    layer before wrote them. Products with several vectors unfold N. Whatever else a linear
    operator does works on the dense matrix. A compiled program that does not ask for these never
    makes them: at D = 200 and batch 128 each has 20 MB.

    Args:
        diagonal: s, positive, `[B, D]`, D at least 2.
        entries: of N, `[B, D (D - 1) / 2]`, in the order of `fold`.
    """

    def __init__(self, diagonal: tf.Tensor, entries: tf.Tensor):
        self._from_left = fold(diagonal.shape[-1]).from_left
        self._diagonal = diagonal
        self._entries = tf.reshape(entries, [-1, *self._from_left.shape])
        super().__init__(
            tf.linalg.diag(diagonal) + diagonal[:, :, tf.newaxis] * self._below(),
            is_non_singular=True,
            is_self_adjoint=False,
            is_positive_definite=False,
        )

    def __getitem__(self, slices: Any) -> tf.linalg.LinearOperatorLowerTriangular:
        """Returns TensorFlow's own operator for part of the batch."""
        whole = tf.linalg.LinearOperatorLowerTriangular(self.tril, is_non_singular=True)
        return whole[slices]

    def row_squares(self) -> tf.Tensor:
        """Returns sum_j L_ij^2 `[B, D]`, the variances of L eps."""
        return tf.square(self._diagonal) * (1.0 + self._row_sums(tf.square(self._entries)))

    def solve_adjoint(self, x: tf.Tensor) -> tf.Tensor:
        """Returns L^-T x of `x [S, B, D]`."""
        solved = solve_adjoint(self._below(), tf.transpose(x, [1, 0, 2]))
        return tf.transpose(solved, [1, 0, 2]) / self._diagonal

    def _matvec(self, x: tf.Tensor, adjoint: bool = False) -> tf.Tensor:
        if adjoint or x.shape.rank not in (2, 3):
            return super()._matvec(x, adjoint=adjoint)
        if x.shape.rank == 2:
            return self._diagonal * (x + self._of_one(x))
        if x.shape[0] == 1:
            return self._matvec(x[0])[tf.newaxis]
        rows = tf.matmul(tf.transpose(x, [1, 0, 2]), tf.linalg.matrix_transpose(self._below()))
        return self._diagonal * (x + tf.transpose(rows, [1, 0, 2]))

    def _of_one(self, x: tf.Tensor) -> tf.Tensor:
        """N x of `x [B, D]`."""
        used = x[:, : self._from_left.shape[1]]
        factors = tf.where(
            self._from_left, used[:, tf.newaxis], tf.reverse(used, [1])[:, tf.newaxis]
        )
        return self._row_sums(self._entries * factors)

    def _below(self) -> tf.Tensor:
        """N `[B, D, D]`, without a gather, whose gradient adds entry by entry."""
        short = tf.where(self._from_left, self._entries, 0.0)
        long = tf.reverse(tf.where(self._from_left, 0.0, self._entries), [1, 2])
        empty = [tf.zeros_like(short[:, :1])] * (self._diagonal.shape[-1] % 2)
        below = tf.concat([*empty, short, long], axis=1)
        return tf.pad(below, [[0, 0], [0, 0], [0, self._diagonal.shape[-1] - below.shape[-1]]])

    def _diag_part(self) -> tf.Tensor:
        return self._diagonal

    def _log_abs_determinant(self) -> tf.Tensor:
        return tf.reduce_sum(tf.math.log(self._diagonal), axis=-1)

    def _row_sums(self, rectangle: tf.Tensor) -> tf.Tensor:
        """Sums `[B, D]` over the triangle's rows, of numbers laid out as the entries are."""
        short = tf.reduce_sum(tf.where(self._from_left, rectangle, 0.0), axis=-1)
        long = tf.reduce_sum(tf.where(self._from_left, 0.0, rectangle), axis=-1)
        empty = [tf.zeros_like(short[:, :1])] * (self._diagonal.shape[-1] % 2)
        return tf.concat([*empty, short, tf.reverse(long, [1])], axis=-1)


def dense(diagonal: tf.Tensor, entries: tf.Tensor) -> tf.Tensor:
    """Returns L `[B, D, D]`, by one gather with a constant index, which TFLite has, too."""
    size = diagonal.shape[-1]
    padded = tf.pad(entries, [[0, 0], [1, 0]])
    below = tf.reshape(tf.gather(padded, fold(size).index, axis=1), [-1, size, size])
    return tf.linalg.diag(diagonal) + diagonal[:, :, tf.newaxis] * below
