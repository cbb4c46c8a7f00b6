"""Encoder and decoder: a network and a head, from tensor to distribution."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import instance_of
from tfvae.errors import UserError, UserTypeError
from tfvae.heads.base import Head

tfd = tfp.distributions


def serialize_part(part: keras.layers.Layer, owner_built: bool) -> dict[str, Any]:
    """Returns a part's configuration, for an owner whose `build` builds it.

    If the owner is built, Keras' note of how to build the part is left out: Keras would call its
    `build`, which a user's layer need not have, and outside of the owner, whose name would be
    missing in the paths of the weights.
    """
    config = keras.saving.serialize_keras_object(part)
    if owner_built:
        config.pop("build_config", None)
    return config


class Conditional(keras.layers.Layer):
    """A conditional distribution: `head(network(inputs))`, with any leading sample axes.

    Inputs `[..., B, *event]` are folded to one batch axis for the network, and the head's
    parameters unfolded again. The network computes in its own dtype policy; inputs reach it in
    float32 and the head returns to float32.

    Args:
        network: Any Keras layer or model, tensor -> features.
        head: A `tfvae.heads.Head`, features -> distribution.
        **kwargs: Keras layer arguments.

    Raises:
        TypeError: if the network is no Keras layer or the head no `Head`.
    """

    def __init__(self, network: keras.layers.Layer, head: Head, **kwargs: Any):
        # Autocasting would round the inputs, and a decoder's z, to bfloat16 before the network
        # has a say; networks cast for themselves. A mixed policy would round the head's weights.
        kwargs.setdefault("dtype", "float32")
        super().__init__(autocast=False, **kwargs)
        hint = "tfvae.networks.MLP([200, 200]), or any Keras layer or model"
        self.network = instance_of("network", network, keras.layers.Layer, hint)
        self.head = instance_of("head", head, Head, "see tfvae.heads")

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw."""
        return self.head.event_shape

    def input_event_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Returns the shape of one input, of a batch of this shape."""
        return tuple(input_shape[1:])

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Builds the network, by a symbolic call, and the head, unless they are built."""
        self.input_event = self.input_event_shape(input_shape)
        shape = (None, *self.input_event)
        try:
            # Neither `build` nor `compute_output_shape` may be asked of a layer that a user brings:
            # Keras lets both be left out, and then warns or raises. A call does both for any layer.
            features = self.network(keras.KerasTensor(shape, dtype="float32"))
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{self.name}: the network {self.network.name!r} does not take inputs of shape "
                f"{shape}. Keras said: {error}"
            ) from error
        if not isinstance(features, keras.KerasTensor):
            raise UserTypeError(
                f"{self.name}: the network {self.network.name!r} returns {features!r}; expected "
                "one tensor of features. The head makes the distribution."
            )
        if not self.head.built:
            self.head.build(features.shape)

    def parameters(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the distribution's parameters as tensors `[..., B, *]`: what is exported."""
        inputs = tf.cast(inputs, tf.float32)
        if not self._has_sample_axes(inputs):
            return self.head.parameters(self.network(inputs))
        leading = tf.shape(inputs)[: inputs.shape.rank - len(self.input_event)]
        folded = self.network(tf.reshape(inputs, [-1, *self.input_event]))
        return {
            name: tf.reshape(value, tf.concat([leading, value.shape[1:]], axis=0))
            for name, value in self.head.parameters(folded).items()
        }

    def call(self, inputs: tf.Tensor, training: bool = False) -> tfd.Distribution:
        """Returns the distribution; `training` reaches the network through Keras."""
        if self._has_sample_axes(inputs):
            return self.head.distribution(**self.parameters(inputs))
        return self.head(self.network(tf.cast(inputs, tf.float32)))

    def _has_sample_axes(self, inputs: tf.Tensor) -> bool:
        return inputs.shape.rank > len(self.input_event) + 1

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Returns the shape of one draw for each input: what `model.summary()` shows."""
        axes = len(self.input_event_shape(input_shape))
        return (*input_shape[: len(input_shape) - axes], *self.event_shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "network": serialize_part(self.network, self.built),
            "head": serialize_part(self.head, self.built),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Conditional":
        """Creates one from `get_config`."""
        deserialize = keras.saving.deserialize_keras_object
        parts = {part: deserialize(config[part]) for part in ("network", "head")}
        return cls(**{**config, **parts})


@keras.saving.register_keras_serializable("tfvae")
class Encoder(Conditional):
    """q(z|x): images to a distribution of latent codes.

    Shapes: `x [..., B, H, W, C]` -> batch `[..., B]`, event `[D]`.

    Example:
        >>> import numpy as np
        >>> from tfvae import heads, networks
        >>> encoder = Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(2))
        >>> encoder(np.zeros((3, 8, 8, 1), "float32")).batch_shape.as_list()
        [3]
    """


@keras.saving.register_keras_serializable("tfvae")
class Decoder(Conditional):
    """p(x|z): latent codes to a distribution of images.

    Shapes: `z [..., B, D]` -> batch `[..., B]`, event `[H, W, C]`.

    Example:
        >>> import numpy as np
        >>> from tfvae import heads, networks
        >>> decoder = Decoder(networks.MLP([16]), heads.IndependentBernoulli((8, 8, 1)))
        >>> decoder(np.zeros((5, 3, 2), "float32")).batch_shape.as_list()
        [5, 3]
    """

    def input_event_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Returns `(D,)`: a code is a vector, whatever sample axes come before it."""
        return (input_shape[-1],)
