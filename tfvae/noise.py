"""The noise of draws: every number a function of a seed, a stream and a row alone."""

from typing import Any

import tensorflow as tf

import tfvae.random

# Streams of parts begin here, out of the way of those that count draws from 0 on and down from -1.
_PARTS = 0x40000000
EMISSION = 0x08000003
"""The part that draws x given a z that was drawn with the noise itself, whose heads, priors and
levels count their parts from 0."""


class Noise:
    """Standard normal and uniform numbers for as many draws as its leading shape has entries.

    Seed, stream and row are tensors whose shapes broadcast to that leading shape; which of them
    counts what decides on what a draw depends:

        training     seed of the step,      stream = draw `[S, 1]`, row = example `[B]`   -> [S, B]
        evaluation   seed of the example `[B]`, stream = draw `[S, 1]`                    -> [S, B]
        sampling     seed of the user,      row = sample `[N]`                            -> [N]
        a server     seed of the request `[B]`, row = sample `[S, 1]`                     -> [S, B]

    So a draw changes neither with the number of its neighbours nor with the way they are cut into
    chunks, batches or replicas, and Python, a served file and a phone make the same.

    Args:
        seed: int32 or uint32, any shape.
        stream: likewise.
        row: int32, at least 0, any shape. Numbers of one seed and stream lie row by row.
        temperature: factor on all normal numbers, a float or a float32 tensor whose shape
            broadcasts to the leading one; None or 1.0 for none. What is drawn of uniform numbers
            has to heed it by itself, see `widened`.

    Example:
        >>> Noise(seed=7, row=tf.range(4)).normal(3).shape.as_list()
        [4, 3]
    """

    def __init__(self, seed: Any, stream: Any = 0, row: Any = 0, temperature: Any = None):
        self.seed, self.stream = _words(seed, "seed"), _words(stream, "stream")
        self.row = row
        no_factor = isinstance(temperature, int | float) and temperature == 1
        self.temperature = None if no_factor else temperature
        # One stream is drawn as such, and its axes added behind: in the shape `[1, B, size]` XLA
        # makes the numbers anew wherever they are used, which doubles the time of a step with a
        # full covariance (D = 50, batch 128: 9.5 ms against 6.3).
        self._given, self._axes = self.stream, 0
        if self.seed.shape.rank == 0 and set(self.stream.shape.as_list()) == {1}:
            self._axes = max(0, self.stream.shape.rank - _rank(row))
            self.stream = tf.reshape(self.stream, [])

    def normal(self, size: int) -> tf.Tensor:
        """Returns standard normal numbers `[*leading, size]`, times the temperature."""
        numbers = tfvae.random.normals_at(self._positions(size), self.seed, self.stream)
        return self.widened(self._with_axes(numbers))

    def widened(self, numbers: tf.Tensor, ndims: int = 1) -> tf.Tensor:
        """Returns numbers `[*leading, ...]`, with `ndims` axes behind, times the temperature."""
        if self.temperature is None:
            return numbers
        temperature = tf.convert_to_tensor(self.temperature, tf.float32)
        return numbers * temperature[(..., *[tf.newaxis] * ndims)]

    def uniform(self, size: int) -> tf.Tensor:
        """Returns uniform numbers in (0, 1), `[*leading, size]`."""
        return tfvae.random.uniforms_of(self._bits(size))

    def words(self) -> tf.Tensor:
        """Returns a random 32-bit word for each draw, uint32 `[*leading]`."""
        return self._bits(1)[..., 0]

    def part(self, number: int) -> "Noise":
        """Returns noise unrelated to this one and to that of other numbers, for another latent."""
        seed = tfvae.random.words(
            tf.zeros([1], tf.int32), self.seed, tf.constant(_PARTS + number, tf.uint32)
        )[0]
        return Noise(tf.squeeze(seed, -1), self._given, self.row, self.temperature)

    def stateless_seed(self) -> tf.Tensor:
        """Returns a seed, int32 `[2]`, for samplers that make all draws in one call."""
        words = tf.reshape(self._bits(2), [-1, 2])[0]
        return tf.bitcast(words, tf.int32)

    def _bits(self, size: int) -> tf.Tensor:
        words = tfvae.random.words(self._positions(size), self.seed, self.stream)[0]
        return self._with_axes(words)

    def _with_axes(self, numbers: tf.Tensor) -> tf.Tensor:
        return numbers[(tf.newaxis,) * self._axes] if self._axes else numbers

    def _positions(self, size: int) -> tf.Tensor:
        if isinstance(self.row, int):
            return self.row * size + tf.range(size)
        return self.row[..., tf.newaxis] * size + tf.range(size)


class KeptNoise(Noise):
    """The same noise, whose numbers are made once for all who ask: for draws that share them.

    XLA finds that they are equal as well, but takes longer to compile a step.

    Args:
        noise: of which the numbers are.
    """

    def __init__(self, noise: Noise):
        vars(self).update(vars(noise))
        self._kept: dict[tuple[str, int], tf.Tensor] = {}

    def normal(self, size: int) -> tf.Tensor:
        """Returns standard normal numbers `[*leading, size]`, times the temperature."""
        return self._once("normal", size)

    def uniform(self, size: int) -> tf.Tensor:
        """Returns uniform numbers in (0, 1), `[*leading, size]`."""
        return self._once("uniform", size)

    def _once(self, kind: str, size: int) -> tf.Tensor:
        if (kind, size) not in self._kept:
            self._kept[kind, size] = getattr(super(), kind)(size)
        return self._kept[kind, size]


def training_noise(seed: tf.Tensor, num_samples: int, rows: Any, first_row: Any = 0) -> Noise:
    """The noise `[S, B]` of a step.

    Args:
        seed: of the step, int32 `[2]`.
        num_samples: S.
        rows: B.
        first_row: the place of the batch's first row in the batch of all replicas.
    """
    key = tfvae.random.bits((), seed[0], seed[1])
    return Noise(key, tf.range(num_samples)[:, tf.newaxis], first_row + tf.range(rows))


def example_noise(seeds: tf.Tensor, first: Any, num_samples: Any) -> Noise:
    """The noise `[S, B]` of draws number `first` and on of examples that have seeds of their own.

    Args:
        seeds: `[B]`; see `example_seeds`.
        first: number of the first draw.
        num_samples: S.
    """
    return Noise(seeds, (first + tf.range(num_samples))[:, tf.newaxis])


def example_seeds(seed: Any, first: Any, count: int) -> tf.Tensor:
    """Returns a seed for each of `count` examples from number `first` on, uint32 `[count]`."""
    return Noise(seed, first + tf.range(count)).words()


def _rank(row: Any) -> int:
    return row.shape.rank if tf.is_tensor(row) else 0


def _words(value: Any, name: str) -> tf.Tensor:
    if tf.is_tensor(value) and value.shape.rank != 0:
        return tf.cast(value, tf.uint32)
    return tfvae.random.word(value, name)
