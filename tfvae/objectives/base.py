"""The seam between distributions and the loss."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions


class Nats(NamedTuple):
    """What an objective makes of a batch.

    Attributes:
        terms: Name -> `[B]` nats. Their weighted sum is the loss of each example.
        watched: Name -> `[B]` nats that are logged and not minimised.
        reconstruction: `[B, ...]`, the likelihood's mean at the first draw of z.
    """

    terms: dict[str, tf.Tensor]
    watched: dict[str, tf.Tensor]
    reconstruction: tf.Tensor


class Objective(keras.layers.Layer):
    """(x, q(z|x), p(z), decoder, seed) -> named nats per example.

    A Keras layer because some objectives own variables (a KL weight, a learned baseline). It is
    used through `nats`, never called; it adds no losses and touches no optimiser.
    """

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all terms and watched values, in the order they are logged."""
        raise NotImplementedError

    def weight(self, name: str) -> tf.Tensor | float:
        """Returns the factor of a term in the loss, 1 unless a subclass says otherwise."""
        return 1.0

    def nats(
        self,
        x: tf.Tensor,
        posterior: tfd.Distribution,
        prior: tfd.Distribution,
        decoder: Callable[..., tfd.Distribution],
        seed: tf.Tensor,
        training: bool = False,
    ) -> Nats:
        """Evaluates the objective.

        Args:
            x: `[B, H, W, C]`.
            posterior: q(z|x), batch shape `[B]`.
            prior: p(z), batch shape `[]` or `[B]`.
            decoder: `z [S, B, D]` -> p(x|z) with batch shape `[S, B]`.
            seed: Stateless seed, int32 `[2]`, for every draw.
            training: Whether the decoder trains.
        """
        raise NotImplementedError
