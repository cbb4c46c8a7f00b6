"""What autoregressive steps share: each dimension moves as those before it say."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfvae.checks import positive_int, positive_ints
from tfvae.distributions.pushforward import Moved
from tfvae.flows.base import FlowStep
from tfvae.networks.masked import MADE


class Autoregressive(FlowStep):
    """y_i = exp(s_i) z_i + t_i with s, t of MADE(z; c): s_i and t_i read z_1 .. z_{i-1} alone.

    From z to y all dimensions move at once; from y to z one at a time, in D passes.

    Args:
        units: Widths of the hidden layers of MADE.
        activation: Of these layers, a Keras activation.
        context_size: C, how many numbers of the encoder it takes; 0 for none.
        reverse: Whether the last dimension comes first, as in every second step.
        **kwargs: Keras layer arguments.
    """

    def __init__(
        self,
        units: Sequence[int] = (64,),
        activation: Any = "relu",
        context_size: int = 0,
        reverse: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = positive_ints("units", units)
        self.activation = keras.activations.get(activation)
        self.context_size = positive_int("context_size", context_size, minimum=0)
        self.reverse = bool(reverse)
        self.network = MADE(
            self.units,
            2,
            self.activation,
            self.context_size,
            self.reverse,
            dtype=self.dtype_policy,
            name="network",
        )

    @abstractmethod
    def log_scale_and_shift(self, numbers: tuple[tf.Tensor, tf.Tensor]) -> tuple:
        """Returns s and t, given the two numbers of MADE for each entry, all `[..., D]`."""

    def context_numbers(self, latent_size: int) -> int:
        """Returns `context_size`."""
        return self.context_size

    def build(self, z_shape: tuple[int | None, int]) -> None:
        """Builds MADE."""
        self.network.build(z_shape)

    def at_once(self, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        """Returns y of z, and log|det dy/dz|."""
        log_scale, shift = self._numbers(z, context)
        return Moved(tf.exp(log_scale) * z + shift, tf.reduce_sum(log_scale, axis=-1))

    def one_by_one(self, y: tf.Tensor, context: tf.Tensor | None) -> Moved:
        """Returns z of y, and log|det dz/dy|.

        In pass k the k-th entry of z is found; those behind it stay 0 until they can be.
        """
        order = self.network.order(y.shape[-1]).astype(np.int32)

        def found(number: tf.Tensor, z: tf.Tensor, _: tf.Tensor) -> tuple:
            log_scale, shift = self._numbers(z, context)
            z = tf.where(order <= number, tf.exp(-log_scale) * (y - shift), 0.0)
            return number + 1, z, log_scale

        size = y.shape[-1]
        zeros = tf.zeros_like(y)
        _, z, log_scale = tf.while_loop(
            lambda number, *_: number <= size,
            found,
            (tf.constant(1), zeros, zeros),
            maximum_iterations=size,
            parallel_iterations=1,
        )
        return Moved(z, -tf.reduce_sum(log_scale, axis=-1))

    def _numbers(self, z: tf.Tensor, context: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        return self.log_scale_and_shift(tf.split(self.network(z, context), 2, axis=-1))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "units": list(self.units),
            "activation": keras.activations.serialize(self.activation),
            "context_size": self.context_size,
            "reverse": self.reverse,
        }
