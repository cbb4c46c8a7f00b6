"""The seam between an example and which of its entries are seen."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.errors import UserError


class MissingProcess(keras.layers.Layer):
    """p(s|x) = prod_i Bernoulli(s_i; sigmoid(l_i(x))): whether each entry of x is seen.

    The part of a `MissingDataVAE` for entries that are missing because of what they are. A subclass
    gives `logits(x)`, makes its weights in `build((None, *event))`, registers itself with Keras,
    and returns its constructor arguments from `get_config()`.

    Args:
        **kwargs: Keras layer arguments.

    Raises:
        UserError: if a subclass lacks `logits`.

    References:
        N. B. Ipsen, P.-A. Mattei, J. Frellsen, 2021, "not-MIWAE: Deep Generative Modelling with
        Missing not at Random Data", ICLR, arXiv:2006.12871, section 2.
    """

    def __init__(self, **kwargs: Any):
        if type(self).logits is MissingProcess.logits:
            raise UserError(
                f"{type(self).__name__} is a MissingProcess without logits(); define it."
            )
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def build(self, x_shape: Sequence[int | None]) -> None:
        """Makes the weights, for x of a shape `(None, *event)`."""

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Returns l, the log-odds that each entry of whole x `[..., *event]` is seen, as x."""
        raise NotImplementedError

    def log_prob(self, x: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
        """Returns log p(s|x), nats.

        Args:
            x: Whole examples, `[..., B, *event]`.
            seen: s, 1 for what is seen and 0 for the rest, `[B, *event]`.

        Returns:
            `[..., B]`.
        """
        logits = self.logits(x)
        found = tf.math.log_sigmoid(tf.where(seen > 0, logits, -logits))
        return tf.reduce_sum(found, axis=list(range(-(seen.shape.rank - 1), 0)))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Returns the probability that each entry is seen."""
        return tf.sigmoid(self.logits(x))
