"""Entries that are missing because of their own value."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from tfvae.errors import UserError
from tfvae.missingness.base import MissingProcess

HIDES = ("either", "large", "small")


@keras.saving.register_keras_serializable("tfvae")
class SelfMasking(MissingProcess):
    """p(s_i = 1|x) = sigmoid(w_i x_i + b_i): each entry has a weight and a bias of its own.

    For values that go unreported because of what they are: high incomes, measurements beyond the
    range of an instrument. Where it is known which side is missing, say so: the data alone can
    tell the sides apart only by the shape that the likelihood assumes. `LinearMasking` lets other
    entries have a say.

    Args:
        hides: "large" (w_i = -softplus(v_i): the larger, the likelier missing), "small"
            (w_i = softplus(v_i)), or "either" (default), for a w_i of any sign, from 0 on.
        **kwargs: Keras layer arguments.

    Shapes: x `[..., *event]` -> logits of the same shape.

    Raises:
        UserError: if `hides` is none of these.

    Example:
        >>> process = SelfMasking("large")
        >>> process.build((None, 1))
        >>> [f"{float(p):.2f}" for p in process(tf.constant([[0.0], [3.0]]))[:, 0]]
        ['0.50', '0.00']

    References:
        N. B. Ipsen, P.-A. Mattei, J. Frellsen, 2021, "not-MIWAE: Deep Generative Modelling with
        Missing not at Random Data", ICLR, arXiv:2006.12871, section 3.1: "self-masking", and
        "self-masking known" where the sign is.
    """

    def __init__(self, hides: Literal["either", "large", "small"] = "either", **kwargs: Any):
        super().__init__(**kwargs)
        if hides not in HIDES:
            raise UserError(f"hides must be one of {', '.join(HIDES)}, received {hides!r}.")
        self.hides = hides

    def build(self, x_shape: Sequence[int | None]) -> None:
        """Makes a weight and a bias for each entry."""
        shape = tuple(x_shape)[1:]
        # |w| = 3 where the side is known, in standardised columns a threshold two deviations wide:
        # from a flatter one it goes on asking for larger values.
        start = 0.0 if self.hides == "either" else float(np.log(np.expm1(3.0)))
        self.raw_weight = self.add_weight(
            shape=shape, initializer=keras.initializers.Constant(start), name="raw_weight"
        )
        self.bias = self.add_weight(shape=shape, initializer="zeros", name="bias")

    @property
    def weight(self) -> tf.Tensor:
        """w, of the shape of x."""
        raw = tf.convert_to_tensor(self.raw_weight)
        if self.hides == "either":
            return raw
        return tf.nn.softplus(raw) * (-1.0 if self.hides == "large" else 1.0)

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Returns w x + b, entry by entry."""
        return self.weight * x + self.bias

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "hides": self.hides}
