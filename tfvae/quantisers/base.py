"""The seam between features and integer codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf

from tfvae.errors import UserError
from tfvae.noise import Noise


@dataclass(frozen=True)
class Quantised:
    """What a quantiser makes of features `[B, ..., F]`.

    Attributes:
        indices: The codes, int32 `[B, ...]`, from 0 to K - 1.
        vectors: What they stand for, float32 `[B, ..., D]`, with a gradient for the features.
        terms: Name -> what the loss has more of, `[B]`, summed over the positions of an example.
    """

    indices: tf.Tensor
    vectors: tf.Tensor
    terms: Mapping[str, tf.Tensor] = field(default_factory=dict)


class Quantiser(keras.layers.Layer):
    """Features at each position -> one of K codes, and the vector that it stands for.

    A subclass gives `num_codes`, `vector_size`, `quantise(inputs, ...)` and `lookup(indices)`.
    The features are projected to `num_inputs` numbers at each position, D unless a subclass says
    otherwise, so that networks need not know of it.

    The dtype defaults to float32 whatever the global policy: which code is the nearest is decided
    by small differences of distances.

    Args:
        **kwargs: `name`, `dtype` and what else a Keras layer takes.

    Shapes: features `[B, ..., F]` -> `Quantised(indices [B, ...], vectors [B, ..., D], terms)`.

    Raises:
        UserError: if a subclass lacks `quantise` or `lookup`.
    """

    term_factors: Mapping[str, float] = MappingProxyType({})
    """The names of its terms, and the factor that each has in the loss to begin with."""

    num_codes: int
    """K, the number of codes."""

    vector_size: int
    """D, the numbers in the vector that a code stands for."""

    def __init__(self, **kwargs: Any):
        for method in ("quantise", "lookup"):
            if getattr(type(self), method) is getattr(Quantiser, method):
                raise UserError(
                    f"{type(self).__name__} is a Quantiser without {method}(); define it."
                )
        kwargs.setdefault("dtype", "float32")
        super().__init__(autocast=False, **kwargs)
        self.projection: Any = None  # made by build, which knows the features

    @property
    def num_inputs(self) -> int:
        """How many numbers at each position `quantise` takes: D, unless a subclass says more."""
        return self.vector_size

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Creates the projection of features of this shape."""
        if features_shape[-1] is None:
            raise UserError(
                f"{type(self).__name__} takes features whose last axis has a fixed size, received "
                f"shape {tuple(features_shape)}."
            )
        self.projection = keras.layers.Dense(
            self.num_inputs, dtype=self.dtype_policy, name="projection"
        )
        self.projection.build(tuple(features_shape))

    def call(
        self,
        features: tf.Tensor,
        noise: Noise | None = None,
        num_rows: Any = None,
        training: bool = False,
    ) -> Quantised:
        """Returns the codes of features, and in training learns of them.

        Args:
            features: `[B, ..., F]`.
            noise: Of leading shape `[1, B]`; needed in training.
            num_rows: How many rows count in what is learned, where the last stand for none.
            training: Whether a step of training asks.
        """
        return self.quantise(self.projection(features), noise, num_rows, training)

    @property
    def starts_at_data(self) -> bool:
        """Whether its first step of training is to choose codes among the vectors of its batch."""
        return False

    def check_start(self, count: int) -> None:
        """Refuses a first batch of so few vectors: of a quantiser that starts at data alone.

        Raises:
            UserError: if there are fewer than it takes.
        """

    def quantise(
        self, inputs: tf.Tensor, noise: Noise | None, num_rows: Any, training: bool
    ) -> Quantised:
        """Returns the codes of projected features `[B, ..., num_inputs]`; see `call`."""
        raise NotImplementedError

    def lookup(self, indices: tf.Tensor) -> tf.Tensor:
        """Returns the vectors `[..., D]` that codes `[...]` stand for."""
        raise NotImplementedError


def needed(noise: Noise | None) -> Noise:
    """Returns the noise of a step of training.

    Raises:
        UserError: if there is none.
    """
    if noise is None:
        raise UserError("A quantiser that trains draws: give it noise, of leading shape [1, B].")
    return noise


def code_counts(indices: tf.Tensor, num_codes: int, num_rows: Any = None) -> tf.Tensor:
    """Returns how often each code occurs, float32 `[K]`.

    Args:
        indices: `[B, ...]`, int32.
        num_codes: K.
        num_rows: How many of the rows count; None for all.
    """
    flat = tf.reshape(indices if num_rows is None else indices[:num_rows], [-1])
    return tf.math.unsorted_segment_sum(tf.ones_like(flat, tf.float32), flat, num_codes)


def sum_over_positions(values: tf.Tensor) -> tf.Tensor:
    """Returns the sums `[B]` over all axes behind the first."""
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))
