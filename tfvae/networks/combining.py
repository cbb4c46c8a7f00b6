"""Features of two ways as one: those that go up to a level, and those that come down to it."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from tfvae.errors import UserError


@keras.saving.register_keras_serializable("tfvae")
class Combine(keras.layers.Layer):
    """What comes from below, and a projection of what comes from above added to it.

        y = below + P above + p                                      as NVAE has it
        y = below + sigmoid(G_b below + G_a above + g) (P above + p)     gated

    For features `[..., F]`, of vectors or at each place of maps: P, G_b and G_a act on the last
    axis.

    Args:
        gated: Whether each number of the projection has a gate that both sides open. Default False.
        **kwargs: Keras layer arguments.

    Shapes: `{"below": [..., F], "above": [..., E]} -> [..., F]`; leading axes broadcast.

    Raises:
        UserError: if maps are of different sizes.

    Example:
        >>> import numpy as np
        >>> below, above = np.zeros((3, 4, 4, 8), "f"), np.zeros((5, 3, 4, 4, 6), "f")
        >>> Combine(gated=True)({"below": below, "above": above}).shape.as_list()
        [5, 3, 4, 4, 8]

    References:
        A. Vahdat and J. Kautz, 2020, "NVAE", arXiv:2007.03898, figure 2 and the authors' code
        (the sum). The gate is that of gated networks, A. van den Oord et al., 2016,
        arXiv:1606.05328, eq. 2, without its tanh.
    """

    def __init__(self, gated: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.gated = bool(gated)

    def build(self, input_shape: Mapping[str, Any]) -> None:
        """Creates the projection, and the gate."""
        below, above = (tuple(input_shape[name]) for name in ("below", "above"))
        places = min(len(below), len(above)) - 1  # a vector has none, whatever its leading axes
        if below[-places:-1] != above[-places:-1] and places > 1:
            raise UserError(
                f"Features of shape {below[-places:]} go up to a level and {above[-places:]} come "
                "down to it. Give the networks of both ways the same strides, or combine='none'."
            )
        self.project = self._dense("project", below[-1], above)
        if self.gated:
            self.gate_above = self._dense("gate_above", below[-1], above)
            self.gate_below = self._dense("gate_below", below[-1], below, use_bias=False)

    def call(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns the features of both."""
        below, above = inputs["below"], inputs["above"]
        added = self.project(above)
        if self.gated:
            added *= tf.sigmoid(self.gate_above(above) + self.gate_below(below))
        return below + added

    def compute_output_shape(self, input_shape: Mapping[str, Any]) -> tuple[int | None, ...]:
        """Returns the shape of what comes from above, of as many features as from below."""
        return (*input_shape["above"][:-1], input_shape["below"][-1])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "gated": self.gated}

    def _dense(self, name: str, units: int, shape: Any, **options: Any) -> keras.layers.Dense:
        layer = keras.layers.Dense(units, dtype=self.dtype_policy, name=name, **options)
        layer.build(shape)
        return layer
