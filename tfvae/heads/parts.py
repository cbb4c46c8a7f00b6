"""What heads share that lay vectors of several kinds behind one another."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import instance_of
from tfvae.data.fields import Field
from tfvae.distributions.blocks import Blocks
from tfvae.errors import UserError, UserTypeError
from tfvae.heads.base import Head

tfd = tfp.distributions


class HeadOfParts(Head):
    """Heads of vectors by name, which read the same features: their draws are one vector.

    Args:
        what: The argument that holds the heads, for messages.
        example: Of such an argument.
        parts: Heads by name, in order; the names stand before those of parameters.
        **kwargs: Keras layer arguments.

    Raises:
        UserTypeError: if `parts` is no dict of heads.
        UserError: if it is empty, a head's draws are no vectors, or one name begins another.
    """

    def __init__(self, what: str, example: str, parts: Mapping[str, Head], **kwargs: Any):
        if not isinstance(parts, Mapping) or not parts:
            raise UserTypeError(
                f"{what} is {parts!r}; expected a dict of heads by name, such as {example}."
            )
        for name, head in parts.items():
            instance_of(f"{what}[{name!r}]", head, Head, f"such as those of {example}")
            if len(head.event_shape) != 1:
                raise UserError(
                    f"{what}[{name!r}] has draws of shape {head.event_shape}; expected vectors, "
                    "(number of columns,)."
                )
            if longer := [other for other in parts if other.startswith(f"{name}_")]:
                raise UserError(
                    f"The names {name!r} and {longer[0]!r} would stand before the same names of "
                    f"parameters. Give the {what} names of which none begins another."
                )
        super().__init__((sum(h.event_shape[0] for h in parts.values()),), **kwargs)
        self.names, self.parts = tuple(parts), list(parts.values())
        self.discrete = all(head.discrete for head in self.parts)

    @property
    def field(self) -> Field:
        """What the entries hold."""
        parts = tuple(head.field for head in self.parts)
        return Field(self.event_shape, interval=None, parts=parts)

    def build(self, features_shape: Any) -> None:
        """Builds the heads for features of this shape."""
        for head in self.parts:
            head.build(features_shape)

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the parameters of all, their names behind those of the heads."""
        return self._joined([head.parameters(features) for head in self.parts])

    def distribution(self, **parameters: tf.Tensor) -> tfd.Distribution:
        """Returns the law of independent vectors behind one another."""
        own = zip(self.parts, self._divided(parameters), strict=True)
        return Blocks([head.distribution(**found) for head, found in own])

    def from_outputs(self, outputs: Mapping[str, tf.Tensor]) -> tfd.Distribution:
        """Returns the distribution that a served file's `outputs` describe."""
        own = zip(self.parts, self._divided(outputs), strict=True)
        return Blocks([head.from_outputs(found) for head, found in own])

    def outputs_of_parts(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns what served files return of each head, their names behind those of the heads."""
        own = zip(self.parts, self._divided(parameters), strict=True)
        return self._joined([head.outputs(its) for head, its in own])

    def _joined(self, found: list[dict[str, tf.Tensor]]) -> dict[str, tf.Tensor]:
        own = zip(self.names, found, strict=True)
        return {f"{name}_{key}": value for name, its in own for key, value in its.items()}

    def _divided(self, named: Mapping[str, tf.Tensor]) -> list[dict[str, tf.Tensor]]:
        starts = [f"{name}_" for name in self.names]
        return [
            {key.removeprefix(s): value for key, value in named.items() if key.startswith(s)}
            for s in starts
        ]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments but the parts, of which a subclass says the name."""
        config = super().get_config()
        del config["event_shape"]
        return config

    def parts_config(self) -> dict[str, Any]:
        """Returns the configurations of the parts by name."""
        return serialized_parts(dict(zip(self.names, self.parts, strict=True)))


def serialized_parts(parts: Mapping[str, keras.layers.Layer]) -> dict[str, Any]:
    """Returns the configurations of layers by name, without their shapes: their owner builds."""
    found = {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
    for config in found.values():
        config.pop("build_config", None)
    return found


def made_parts(configs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the layers that `serialized_parts` described."""
    return {n: keras.saving.deserialize_keras_object(config) for n, config in configs.items()}
