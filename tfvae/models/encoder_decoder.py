"""Encoder and decoder: q(z|x) and p(x|z)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.data.fields import Field
from tfvae.data.validate import check_array
from tfvae.errors import UserError
from tfvae.heads.base import Head
from tfvae.models.network_and_head import NetworkAndHead

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class Encoder(NetworkAndHead):
    """q(z|x): examples to a distribution of latent codes.

    Shapes: `x [..., B, *event]` -> batch `[..., B]`, event `[D]`.

    Example:
        >>> import numpy as np
        >>> from tfvae import heads, networks
        >>> encoder = Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(2))
        >>> encoder(np.zeros((3, 8, 8, 1), "float32")).batch_shape.as_list()
        [3]
    """

    x: Field | None = None  # what the model of this encoder takes, once that is built

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns q(z|x).

        Raises:
            UserError: called directly, for examples that the model of this encoder would refuse in
                `fit`: another shape, another range, values that are not finite.
            UserTypeError: the same, for numbers of another kind.
        """
        if self.x is not None and tf.executing_eagerly() and not _symbolic(inputs):
            _check_examples(np.asarray(inputs), self.x, f"{self.name}(x): x")
        return super().__call__(inputs, *args, **kwargs)

    def of_pseudo_inputs(self) -> "PseudoEncoder":
        """Returns what a prior is given of this encoder."""
        return PseudoEncoder(self)


@dataclass(frozen=True)
class PseudoEncoder:
    """q(z|u) of any u, such as pseudo-inputs: they are learned, and keep no range of examples.

    Args:
        encoder: whose weights it has.
    """

    encoder: Encoder

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns q(z|u); `training` None is that of the layer that calls."""
        return NetworkAndHead.__call__(self.encoder, inputs, training=training)

    def parameters(self, inputs: Any) -> dict[str, tf.Tensor]:
        """Returns the parameters of q(z|u), `[..., B, *]` each."""
        return self.encoder.parameters(inputs)

    @property
    def head(self) -> Head:
        """What makes distributions of parameters, and draws from them."""
        return self.encoder.head

    @property
    def input_event(self) -> Any:
        """The shape of one u, or a dict of such."""
        return self.encoder.input_event


@keras.saving.register_keras_serializable("tfvae")
class Decoder(NetworkAndHead):
    """p(x|z): latent codes to a distribution of x.

    Shapes: `z [..., B, D]` -> batch `[..., B]`, event that of the head.

    Example:
        >>> import numpy as np
        >>> from tfvae import heads, networks
        >>> decoder = Decoder(networks.MLP([16]), heads.IndependentBernoulli((8, 8, 1)))
        >>> decoder(np.zeros((5, 3, 2), "float32")).batch_shape.as_list()
        [5, 3]
    """

    code_axes = 1
    """Of a code, behind whatever sample axes: 1 of a vector, 3 of a map of vectors."""

    def input_event_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Returns the shape of a code, `(D,)` of a vector."""
        return tuple(input_shape[-self.code_axes :])

    def checked_examples(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Returns the shape of a batch of examples, `(None, *event)`.

        Raises:
            UserError: unless they have the shape that the head makes.
        """
        event = tuple(shape[1:])
        if event != self.event_shape:
            raise UserError(
                f"The examples have shape {event} and the decoder's head makes "
                f"{self.event_shape}. Give the head the shape of one example; grey images need a "
                "last axis of size 1: images[..., None]."
            )
        return (None, *event)

    def check(self, distribution: tfd.Distribution | None) -> None:
        """Refuses a likelihood without a mean."""
        try:
            None if distribution is None else distribution.mean()
        except NotImplementedError:
            raise UserError(
                f"{type(self.head).__name__} makes a {type(distribution).__name__} whose mean() "
                "has no closed form, and E[x|z] is what a model decodes. Use a distribution that "
                "has a mean, or derive one that defines _mean()."
            ) from None


def check_nothing_shared(encoder: NetworkAndHead, decoder: NetworkAndHead) -> None:
    """Refuses layers that both hold: each builds them for inputs of its own, and saves them."""
    own = {id(layer): layer for layer in encoder._flatten_layers(include_self=False)}
    for layer in decoder._flatten_layers(include_self=False):
        if id(layer) in own:
            raise UserError(
                f"The encoder and the decoder share the {type(layer).__name__} {layer.name!r}. "
                "Make one for each: their inputs differ, and a file would hold two of it."
            )


def _symbolic(inputs: Any) -> bool:
    return any(isinstance(x, keras.KerasTensor) for x in keras.tree.flatten(inputs))


def _check_examples(array: np.ndarray, field: Field, what: str) -> None:
    """Checks examples `[..., B, *shape]` of a field, whose sample axes count as rows."""
    event = len(field.shape)
    if array.ndim > event + 1 and array.shape[array.ndim - event :] == field.shape:
        array = array.reshape(-1, *field.shape)
    check_array(array, field, what)
