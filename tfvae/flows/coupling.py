"""What coupling steps share: half of the dimensions move as the other half says."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int, positive_ints
from tfvae.distributions.pushforward import Moved
from tfvae.flows.base import FlowStep
from tfvae.networks.conditioner import Conditioner


class Coupling(FlowStep):
    """z = (a, b) -> (a, g(b; a, c)), g invertible in each entry of b: both ways are one pass.

    A subclass gives `numbers_per_entry`, and `move` and `undo` of b, given these numbers.

    Args:
        units: Widths of the hidden layers of the network of a and c.
        activation: Of these layers, a Keras activation.
        context_size: C, how many numbers of the encoder it takes; 0 for none.
        flipped: Whether the first half moves, as in every second step.
        **kwargs: Keras layer arguments.
    """

    minimum_size = 2

    def __init__(
        self,
        units: Sequence[int] = (64,),
        activation: Any = "relu",
        context_size: int = 0,
        flipped: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = positive_ints("units", units)
        self.activation = keras.activations.get(activation)
        self.context_size = positive_int("context_size", context_size, minimum=0)
        self.flipped = bool(flipped)

    @property
    @abstractmethod
    def numbers_per_entry(self) -> int:
        """How many numbers move one entry."""

    @abstractmethod
    def move(self, b: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns g(b) and log|dg/db|, both `[..., E]`, given numbers `[..., E, n]`."""

    @abstractmethod
    def undo(self, b: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns g^-1(b) and log|dg^-1/db|, both `[..., E]`."""

    def context_numbers(self, latent_size: int) -> int:
        """Returns `context_size`."""
        return self.context_size

    def build(self, z_shape: tuple[int | None, int]) -> None:
        """Makes the network."""
        kept, moved = self._sizes(z_shape[-1])
        self.network = Conditioner(
            self.units,
            moved * self.numbers_per_entry,
            self.activation,
            self.context_size,
            dtype=self.dtype_policy,
            name="network",
        )
        self.network.build((None, kept))

    def forward(self, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        """Returns f(z) and its log-determinant."""
        return self._by(self.move, z, context)

    def inverse(self, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        """Returns f^-1(z) and its log-determinant."""
        return self._by(self.undo, z, context)

    def _by(self, change: Any, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        kept_size, moved_size = self._sizes(z.shape[-1])
        if self.flipped:
            b, a = z[..., :moved_size], z[..., moved_size:]
        else:
            a, b = z[..., :kept_size], z[..., kept_size:]
        numbers = self.network(a, context)
        shape = [moved_size, self.numbers_per_entry]
        numbers = tf.reshape(numbers, tf.concat([tf.shape(numbers)[:-1], shape], axis=0))
        b, log_slopes = change(b, numbers)
        halves = [b, a] if self.flipped else [a, b]
        return Moved(tf.concat(halves, axis=-1), tf.reduce_sum(log_slopes, axis=-1))

    def moves(self, latent_size: int) -> slice:
        """Returns which of the dimensions move."""
        kept, moved = self._sizes(latent_size)
        return slice(moved) if self.flipped else slice(kept, None)

    def _sizes(self, latent_size: int) -> tuple[int, int]:
        """How many dimensions stay, and how many move; flipped, those that moved stay."""
        half = latent_size // 2
        return (latent_size - half, half) if self.flipped else (half, latent_size - half)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "units": list(self.units),
            "activation": keras.activations.serialize(self.activation),
            "context_size": self.context_size,
            "flipped": self.flipped,
        }
