"""Codes without a code book: a few levels in each of a few dimensions."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE, positive_int, positive_ints
from tfvae.distributions.straight_through import rounded
from tfvae.errors import UserError
from tfvae.noise import Noise
from tfvae.quantisers.base import Quantised, Quantiser

_MARGIN = 1e-3  # above 0, so that artanh(o / h) is finite wherever o / h is near 1
_LARGEST_TABLE = 2**16  # codes
_SMALLEST = 1e-6  # mean square of features that are looked at; of a dead network all are 0


@keras.saving.register_keras_serializable("tfvae")
class FiniteScalar(Quantiser):
    """z_i = round(h_i tanh(x_i + s_i) - o_i), one of L_i whole numbers: finite scalar quantisation.

        x = W features / sqrt(mean of their squares, of an example) + b
        h_i = (L_i - 1) (1 + 0.001) / 2,   o_i = 1/2 for even L_i and else 0,   s_i = artanh(o_i / h_i)
        k   = sum_i (z_i + floor(L_i / 2)) L_1 ... L_(i-1),    vector  z_i / floor(L_i / 2)

    Choose it over `VectorQuantised` for large code books: nothing has to be kept alive, there is
    no term in the loss, and no state. The gradient goes straight through the rounding.

    Features are divided by their size because those of a network that has not learned are small:
    all x would be of the middle level, whose vector is 0, and a decoder of relu units that starts
    without biases makes 0 of it, and a gradient of 0.

    Args:
        levels: L_i of each dimension, at least 3: of 2, this shift would make the lower one that of
            x below -3.8 alone, which stays unused; K is their product. Default (8, 5, 5, 5), whose
            1000 codes the paper recommends.
        **kwargs: Keras layer arguments.

    Shapes: features `[B, ..., F]` -> indices `[B, ...]`, vectors `[B, ..., D]` in [-1, 1], D the
        number of levels; no terms.

    Raises:
        UserError: for levels below 3, or a product that 32 bits do not hold.

    Example:
        >>> import numpy as np
        >>> FiniteScalar((3, 3)).lookup(np.array([0, 4, 8])).numpy().tolist()
        [[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]]

    References:
        F. Mentzer, D. Minnen, E. Agustsson, M. Tschannen, 2023, "Finite Scalar Quantization: VQ-VAE
        Made Simple", arXiv:2309.15505, section 3 and appendix A.1. Departure: 1 + 0.001 and artanh,
        so that x = 0 is a level itself; the paper's code has 1 - 0.001 and tan. Features are
        divided by their size.
    """  # noqa: E501

    def __init__(self, levels: Sequence[int] = (8, 5, 5, 5), **kwargs: Any):
        super().__init__(**kwargs)
        self.levels = positive_ints("levels", levels)
        for i, level in enumerate(self.levels):
            positive_int(f"levels[{i}]", level, minimum=3)
        self.vector_size = len(self.levels)
        self.num_codes = math.prod(self.levels)
        if self.num_codes > LARGEST_SIZE:
            raise UserError(
                f"levels {self.levels} make {self.num_codes:,} codes; expected at most "
                f"{LARGEST_SIZE:,}."
            )
        found = np.array(self.levels)
        self._halves = (found // 2).astype("float32")
        self._radix = np.cumprod([1, *self.levels[:-1]]).astype("int32")
        # A runtime refuses to gather what is not there, where arithmetic finds another code.
        self._table = None
        if self.num_codes <= _LARGEST_TABLE:
            every = self._digits(np.arange(self.num_codes, dtype="int32"))
            self._table = self._scaled(every.astype("float32"))

    def call(
        self,
        features: tf.Tensor,
        noise: Noise | None = None,
        num_rows: Any = None,
        training: bool = False,
    ) -> Quantised:
        """Returns the codes of features `[B, ..., F]`, of whatever size they are."""
        places = list(range(1, features.shape.rank))
        square = tf.reduce_mean(tf.square(features), axis=places, keepdims=True)
        unit = features * tf.math.rsqrt(square + _SMALLEST)
        return super().call(unit, noise, num_rows, training)

    def quantise(
        self, inputs: tf.Tensor, noise: Noise | None, num_rows: Any, training: bool
    ) -> Quantised:
        """Returns the codes of numbers `[B, ..., D]`."""
        bounded = self.bounded(inputs)
        whole = tf.round(bounded)
        digits = tf.cast(whole + self._halves, tf.int32)
        indices = tf.reduce_sum(digits * self._radix, axis=-1)
        return Quantised(indices, rounded(tf.stop_gradient(whole), bounded) / self._halves)

    def bounded(self, inputs: tf.Tensor) -> tf.Tensor:
        """Returns real numbers that round to the levels of each dimension."""
        levels = np.array(self.levels, "float32")
        half = (levels - 1.0) * np.float32((1.0 + _MARGIN) / 2.0)
        offset = np.where(levels % 2 == 0, np.float32(0.5), np.float32(0.0))
        return tf.tanh(inputs + np.arctanh(offset / half)) * half - offset

    def lookup(self, indices: tf.Tensor) -> tf.Tensor:
        """Returns the vectors of codes."""
        if self._table is not None:
            return tf.gather(tf.constant(self._table), indices)
        return self._scaled(tf.cast(self._digits(tf.convert_to_tensor(indices)), tf.float32))

    def _digits(self, indices: Any) -> Any:
        """z + floor(L / 2) of each dimension, of an array or a tensor."""
        return indices[..., np.newaxis] // self._radix % np.array(self.levels, "int32")

    def _scaled(self, digits: Any) -> Any:
        return (digits - self._halves) / self._halves

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "levels": list(self.levels)}
