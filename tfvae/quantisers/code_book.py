"""The arithmetic of code books: nearest codes, and what a batch teaches them."""

from typing import Any, NamedTuple

import tensorflow as tf

from tfvae.noise import Noise
from tfvae.quantisers.base import code_counts
from tfvae.replica import one_of_several

_PARTS = {"start": 1, "restarts": 2}  # of a step's noise


class CodeBook(NamedTuple):
    """The state of a code book of K codes.

    Attributes:
        codes: `[K, D]`.
        counts: How many vectors of a batch a code is the nearest of, a moving average, `[K]`.
        sums: The sum of these vectors, likewise, `[K, D]`.
    """

    codes: tf.Tensor
    counts: tf.Tensor
    sums: tf.Tensor


def nearest_codes(vectors: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
    """Returns the index of the code at the least Euclidean distance of each vector, int32 `[N]`.

    |x - e|^2 = |x|^2 - 2 (x e - |e|^2 / 2): one matrix product, and no differences `[N, K, D]`.

    Args:
        vectors: `[N, D]`.
        codes: `[K, D]`.
    """
    halves = 0.5 * tf.reduce_sum(tf.square(codes), axis=1)
    distances = halves - tf.matmul(vectors, codes, transpose_b=True)
    return tf.argmin(distances, axis=1, output_type=tf.int32)


def sums_of_codes(
    vectors: tf.Tensor, indices: tf.Tensor, num_codes: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns how many vectors each code has, `[K]`, and their sum, `[K, D]`, of all replicas."""
    own, replica = _own_sums(vectors, indices, num_codes), one_of_several()
    return own if replica is None else tuple(replica.all_reduce("SUM", list(own)))


def _own_sums(
    vectors: tf.Tensor, indices: tf.Tensor, num_codes: int
) -> tuple[tf.Tensor, tf.Tensor]:
    sums = tf.math.unsorted_segment_sum(vectors, indices, num_codes)
    return code_counts(indices, num_codes), sums


def moved(
    book: CodeBook, counts: tf.Tensor, sums: tf.Tensor, decay: float, epsilon: float
) -> CodeBook:
    """Returns a code book after a batch: each code the moving mean of the vectors it is nearest of.

        N_k <- d N_k + (1 - d) n_k,   m_k <- d m_k + (1 - d) sum of x,   e_k = m_k / N'_k

    N'_k = (N_k + epsilon) / (N + K epsilon) N is smoothed (Laplace). A code that has had no vector
    for so long that its count is 0 stays where it is.

    Args:
        book: Before the batch.
        counts: n_k, `[K]`.
        sums: Of the batch's vectors, `[K, D]`.
        decay: d.
        epsilon: Of the smoothing.
    """
    counts = decay * book.counts + (1.0 - decay) * counts
    sums = decay * book.sums + (1.0 - decay) * sums
    total, size = tf.reduce_sum(counts), book.counts.shape[0]
    smoothed = (counts + epsilon) / (total + size * epsilon) * total
    used = counts > 0.0
    means = sums / tf.where(used, smoothed, 1.0)[:, tf.newaxis]
    return CodeBook(tf.where(used[:, tf.newaxis], means, book.codes), counts, sums)


def restarted(book: CodeBook, vectors: tf.Tensor, share: float, noise: Noise) -> CodeBook:
    """Returns a code book whose dead codes are vectors of the batch, drawn anew.

    They get the mean count: with one that is just not dead, they would have to be the nearest of
    enough vectors of the very next batch, or be drawn once more.

    Args:
        book: After the batch.
        vectors: Of the batch, of all replicas, `[N, D]`.
        share: A code is dead whose count is below this share of the mean count.
        noise: Of the step.
    """
    mean = tf.reduce_mean(book.counts)
    dead = book.counts < share * mean
    size, count = book.counts.shape[0], tf.shape(vectors)[0]
    chosen = tf.gather(vectors, _below(count, size, noise, "restarts"))
    rows = dead[:, tf.newaxis]
    return CodeBook(
        tf.where(rows, chosen, book.codes),
        tf.where(dead, mean, book.counts),
        tf.where(rows, mean * chosen, book.sums),
    )


def k_means(vectors: tf.Tensor, num_codes: int, iterations: int, noise: Noise) -> CodeBook:
    """Returns a code book by Lloyd's iterations from K of the vectors, drawn without repetition.

    Args:
        vectors: `[N, D]`; of fewer than K, some are taken more than once.
        num_codes: K.
        iterations: How many; a cluster that is left empty keeps its code.
        noise: Of the step.
    """
    positions = tf.shape(vectors)[0]
    order = Noise(noise.part(_PARTS["start"]).seed, row=tf.range(positions)).uniform(1)[:, 0]
    order = tf.argsort(order, direction="DESCENDING")
    codes = tf.gather(vectors, tf.gather(order, tf.range(num_codes) % positions))

    def lloyd(i: tf.Tensor, book: CodeBook) -> tuple[tf.Tensor, CodeBook]:
        counts, sums = _own_sums(vectors, nearest_codes(vectors, book.codes), num_codes)
        return i + 1, moved(book, counts, sums, decay=0.0, epsilon=0.0)

    book = CodeBook(codes, tf.zeros([num_codes]), tf.zeros_like(codes))
    return tf.while_loop(lambda i, book: i < iterations, lloyd, (tf.constant(0), book))[1]


def of_all_replicas(vectors: tf.Tensor) -> tf.Tensor:
    """Returns the vectors `[N, D]` of all replicas, the same on each."""
    replica = one_of_several()
    return vectors if replica is None else replica.all_gather(vectors, axis=0)


def _below(count: Any, size: int, noise: Noise, part: str) -> tf.Tensor:
    """`size` numbers from 0 to `count` - 1, int32."""
    uniform = Noise(noise.part(_PARTS[part]).seed, row=tf.range(size)).uniform(1)[:, 0]
    numbers = tf.cast(uniform * tf.cast(count, tf.float32), tf.int32)
    return tf.minimum(numbers, count - 1)  # where the product is rounded up
