"""The seam between features and probability."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import positive_ints

tfd = tfp.distributions


class Head(keras.layers.Layer):
    """Turns features into a distribution, in float32, and owns the constraints that takes.

    A head works in two steps, so that leading sample axes cost nothing and an exported file can
    hold plain tensors: `parameters(features)` gives named tensors with one batch axis, and
    `distribution(**parameters)` makes the TFP distribution from them, with any leading axes.

    The dtype defaults to float32 whatever the global policy: bfloat16 keeps 8 bits of mantissa,
    too few for log-densities that are summed over hundreds of pixels.

    Args:
        event_shape: Shape of one draw, positive integers.
        **kwargs: `name`, `dtype` and what else a Keras layer takes.

    Shapes: features `[N, ...]` -> a distribution with batch shape `[N]`, event shape `event_shape`.

    Raises:
        ValueError: if `event_shape` is empty or holds anything but positive integers.
    """

    def __init__(self, event_shape: Sequence[int], **kwargs: Any):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.supports_masking = True  # features may come with a mask, which says nothing here
        self.event_shape = positive_ints("event_shape", event_shape)

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the distribution's parameters, float32 tensors with one leading batch axis."""
        raise NotImplementedError

    def distribution(self, **parameters: tf.Tensor) -> tfd.Distribution:
        """Returns the distribution with these parameters, which may have any leading axes."""
        raise NotImplementedError

    def call(self, features: tf.Tensor) -> tfd.Distribution:
        """Returns the distribution that the features describe."""
        return self.distribution(**self.parameters(features))

    def compute_output_shape(self, features_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Returns the shape of one draw for each row of features."""
        return (features_shape[0], *self.event_shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "event_shape": list(self.event_shape)}


def latent_config(config: dict[str, Any]) -> dict[str, Any]:
    """Says `latent_size` where the base class says `event_shape`: latent heads take the former."""
    config["latent_size"] = config.pop("event_shape")[0]
    return config
