"""The seam between the model and its prior."""

from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import positive_int

tfd = tfp.distributions


class Prior(keras.layers.Layer):
    """p(z): a TFP distribution, rebuilt from this layer's weights on every call.

    Weights belong to the layer, because Keras does not see variables inside TFP objects.

    Args:
        latent_size: D, at least 1.
        **kwargs: Keras layer arguments. The dtype defaults to float32 whatever the global policy.

    Raises:
        ValueError: if `latent_size` is not a positive integer.
    """

    def __init__(self, latent_size: int, **kwargs: Any):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.latent_size = positive_int("latent_size", latent_size)

    def build(self, input_shape: Any = None) -> None:
        """Creates the weights, of which there are none unless a subclass says so."""

    def distribution(self) -> tfd.Distribution:
        """Returns p(z), batch shape `[]`, event shape `[D]`."""
        raise NotImplementedError

    def call(self, inputs: Any = None) -> tfd.Distribution:
        """Returns p(z)."""
        if not self.built:
            self.build()
        return self.distribution()

    def sample(
        self, num_samples: int | tf.Tensor, seed: int | tf.Tensor, temperature: float | tf.Tensor
    ) -> tf.Tensor:
        """Draws z from p(z), the same on every device, with `tfvae.random`.

        Built from operations that TFLite has, so that an exported decoder draws the same z.

        Args:
            num_samples: How many, an int or a scalar int32 tensor.
            seed: Any int32, or a scalar int32 tensor.
            temperature: Factor on each Normal's standard deviation; 1 is the prior itself.

        Returns:
            `z [num_samples, D]`. The first rows do not depend on `num_samples`.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "latent_size": self.latent_size}
