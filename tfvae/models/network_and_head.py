"""A network and a head, from tensors to a distribution."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import instance_of
from tfvae.complaints import is_users, whole_tracebacks
from tfvae.errors import UserError, UserTypeError
from tfvae.heads.base import Head
from tfvae.heads.contract import check_head
from tfvae.models.configuration import serialize_part
from tfvae.training.replicas import own_rows

tfd = tfp.distributions


class NetworkAndHead(keras.layers.Layer):
    """A conditional distribution: `head(network(inputs))`, with any leading sample axes.

    Inputs are a tensor `[..., B, *event]`, or a dict of such for a network that takes one: all are
    folded to one batch axis for the network, and the head's parameters unfolded again. An input
    without the sample axes of the others is the same for all samples; a network that has
    `repeats_rows`, as `networks.UNet`, is given images of that kind once.

    The network computes in its own dtype policy; inputs reach it in float32, but for whole numbers
    of type int32 (labels, tokens), which stay what they are, and the head returns to float32.

    Args:
        network: Any Keras layer or model, tensor or dict of tensors -> features.
        head: A `tfvae.heads.Head`, features -> distribution.
        **kwargs: Keras layer arguments.

    Raises:
        UserTypeError: if the network is no Keras layer or the head no `Head`.
    """

    input_event: tuple[int | None, ...] | dict[str, tuple[int | None, ...]]

    def __init__(self, network: keras.layers.Layer, head: Head, **kwargs: Any):
        # Autocasting would round the inputs, and a decoder's z, to bfloat16 before the network
        # has a say; networks cast for themselves. A mixed policy would round the head's weights.
        kwargs.setdefault("dtype", "float32")
        super().__init__(autocast=False, **kwargs)
        hint = "tfvae.networks.MLP([200, 200]), or any Keras layer or model"
        self.network = instance_of("network", network, keras.layers.Layer, hint)
        self.head = instance_of("head", head, Head, "see tfvae.heads")
        # A name, or names by those of the inputs.
        self.input_dtypes: Any = None

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw."""
        return self.head.event_shape

    def input_event_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Returns the shape of one input, of a batch of this shape."""
        return _behind_batch(input_shape)

    def build(self, input_shape: Any) -> None:
        """Builds the network, by a symbolic call, and the head, unless they are built.

        Args:
            input_shape: of a batch, or a dict of such. All are float32; `build_for` a batch, or a
                first call on one, knows of whole numbers too.
        """
        if isinstance(input_shape, Mapping):
            self.input_event = {name: _behind_batch(s) for name, s in input_shape.items()}
            dtypes = self.input_dtypes or dict.fromkeys(input_shape, "float32")
            inputs = {name: _symbol(e, dtypes[name]) for name, e in self.input_event.items()}
        else:
            self.input_event = self.input_event_shape(input_shape)
            inputs = _symbol(self.input_event, self.input_dtypes or "float32")
        self.input_dtypes = keras.tree.map_structure(lambda x: x.dtype, inputs)
        try:
            # Neither `build` nor `compute_output_shape` may be asked of a layer that a user brings:
            # Keras lets both be left out, and then warns or raises. A call does both for any layer.
            with whole_tracebacks():
                features = self.network(inputs)
        except (ValueError, TypeError) as error:
            if not is_users(error):
                raise
            advice = ""
            if isinstance(inputs, Mapping):
                advice = " networks.SideBySide() in front of it makes one tensor of a dict."
            raise UserError(
                f"{self.name}: the network {self.network.name!r} does not take inputs of shape "
                f"{keras.tree.map_structure(lambda x: tuple(x.shape), inputs)}. Keras said: "
                f"{error}{advice}"
            ) from error
        if not isinstance(features, keras.KerasTensor):
            raise UserTypeError(
                f"{self.name}: the network {self.network.name!r} returns {features!r}; expected "
                "one tensor of features. The head makes the distribution."
            )
        if len(features.shape) < 2 or features.shape[0] is not None:
            raise UserError(
                f"{self.name}: the network {self.network.name!r} returns shape "
                f"{tuple(features.shape)} for inputs of shape "
                f"{keras.tree.map_structure(lambda x: tuple(x.shape), inputs)}; expected features "
                "(None, F), one row for each example: keep the batch axis, and give a single "
                "number an axis of its own, as Dense(1) or keepdims=True do."
            )
        if not self.head.built:
            self.head.build(features.shape)
        self.check(check_head(self.head, tuple(features.shape)))

    def check(self, distribution: tfd.Distribution | None) -> None:
        """Refuses a distribution of two rows that is of no use here; None is not known."""

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Builds for a first batch: Keras tells `build` its shapes, and not its types."""
        if any(isinstance(x, keras.KerasTensor) for x in keras.tree.flatten(inputs)):
            raise UserTypeError(
                f"{self.name} returns a distribution, on which no Keras layer can be built. Use "
                "vae.code_model(), a Keras model from x to its code that shares these weights."
            )
        if not self.built:
            self.build_for(inputs)
        self._check_names(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def _check_names(self, inputs: Any) -> None:
        """Refuses a tensor where the network was built for several by name, and the reverse."""
        wanted = set(self.input_event) if isinstance(self.input_event, Mapping) else None
        found = set(inputs) if isinstance(inputs, Mapping) else None
        if found != wanted:
            received = "one tensor" if found is None else f"a dict of {', '.join(sorted(found))}"
            expected = "one tensor" if wanted is None else f"a dict of {', '.join(sorted(wanted))}"
            raise UserTypeError(f"{self.name} received {received}; expected {expected}.")

    def build_for(self, inputs: Any) -> None:
        """Builds for a batch, or a dict of tensors, of these shapes and types."""
        inputs = keras.tree.map_structure(
            lambda x: x if hasattr(x, "dtype") else tf.convert_to_tensor(x), inputs
        )
        self.input_dtypes = keras.tree.map_structure(_type, inputs)
        if isinstance(inputs, Mapping):
            self.build({name: (None, *x.shape[1:]) for name, x in inputs.items()})
        else:
            self.build((None, *inputs.shape[1:]))

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the shapes and the types that this was built for; None before that."""
        config = super().get_build_config()
        return None if config is None else {**config, "input_dtypes": self.input_dtypes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds for these shapes and types."""
        self.input_dtypes = config.get("input_dtypes")
        super().build_from_config(config)

    def parameters(self, inputs: Any) -> dict[str, tf.Tensor]:
        """Returns the distribution's parameters as tensors `[..., B, *]`: what is exported."""
        inputs = self._cast(inputs)
        if not self._has_sample_axes(inputs):
            return self.head.parameters(self.features(inputs))
        leading, folded = self._folded(inputs)
        return {
            name: tf.reshape(value, tf.concat([leading, value.shape[1:]], axis=0))
            for name, value in self.head.parameters(self.network(folded)).items()
        }

    def parameters_of_each(
        self, inputs: Mapping[str, tf.Tensor], each: Mapping[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """Returns the parameters of all B inputs beside each of K others, `[K, B, *]`.

        A network that has `of_each(inputs, each)`, as `networks.MLP`, does the inputs' share of the
        work once; others are given all pairs.

        Args:
            inputs: Some of the tensors by name, `[B, ...]`.
            each: The rest, `[K, ...]`.
        """
        if not hasattr(self.network, "of_each"):
            pairs = {name: value[:, tf.newaxis] for name, value in each.items()}
            return self.parameters({**inputs, **pairs})
        cast = self._cast({**inputs, **each})
        features = self.network.of_each(*({n: cast[n] for n in part} for part in (inputs, each)))
        leading = tf.shape(features)[:2]
        rows = tf.cast(tf.reshape(features, [-1, features.shape[-1]]), tf.float32)
        return {
            name: tf.reshape(value, tf.concat([leading, value.shape[1:]], axis=0))
            for name, value in self.head.parameters(rows).items()
        }

    def features(self, inputs: Any) -> tf.Tensor:
        """Returns the network's features of inputs `[B, ...]`, which the head reads in float32."""
        return tf.cast(self.network(self._cast(inputs)), tf.float32)

    def with_features(
        self, inputs: Any, training: bool = False
    ) -> tuple[tfd.Distribution, tf.Tensor]:
        """Returns the distribution, and the features that it is made of, `[..., B, *]`."""
        inputs = self._cast(inputs)
        leading, folded = self._folded(inputs)
        features = tf.cast(self.network(folded), tf.float32)

        def unfolded(value: tf.Tensor) -> tf.Tensor:
            return tf.reshape(value, tf.concat([leading, value.shape[1:]], axis=0))

        parameters = self.head.parameters(features)
        found = self.head.distribution(**{n: unfolded(v) for n, v in parameters.items()})
        found = self.head.in_training(found, own_rows(inputs).share) if training else found
        return found, unfolded(features)

    def call(self, inputs: Any, training: bool = False) -> tfd.Distribution:
        """Returns the distribution; `training` reaches the network through Keras."""
        inputs = self._cast(inputs)
        if self._has_sample_axes(inputs):
            found = self.head.distribution(**self.parameters(inputs))
        else:
            found = self.head(self.network(inputs))
        return self.head.in_training(found, own_rows(inputs).share) if training else found

    def _cast(self, inputs: Any) -> Any:
        """The inputs in the types that the network was built for."""
        if not isinstance(inputs, Mapping):
            return tf.cast(inputs, self.input_dtypes)
        return {name: tf.cast(x, self.input_dtypes[name]) for name, x in inputs.items()}

    def _events(self) -> list[tuple[int | None, ...]]:
        """The shape of one input, of each tensor in the order of `tf.nest.flatten`."""
        if isinstance(self.input_event, Mapping):
            return [self.input_event[name] for name in sorted(self.input_event)]
        return [self.input_event]

    def _has_sample_axes(self, inputs: Any) -> bool:
        pairs = zip(tf.nest.flatten(inputs), self._events(), strict=True)
        return any(x.shape.rank > len(event) + 1 for x, event in pairs)

    def _folded(self, inputs: Any) -> tuple[tf.Tensor, Any]:
        """The leading axes that all inputs share, and the inputs with one in their place."""
        tensors, events = tf.nest.flatten(inputs), self._events()
        leading = tf.constant([], tf.int32)
        for x, event in zip(tensors, events, strict=True):
            leading = tf.broadcast_dynamic_shape(leading, tf.shape(x)[: x.shape.rank - len(event)])
        folded, repeats = [], getattr(self.network, "repeats_rows", False)
        for x, event in zip(tensors, events, strict=True):
            as_given = repeats and len(event) == 3 and x.shape.rank == 4
            if len(tensors) > 1 and not as_given:
                x = tf.broadcast_to(x, tf.concat([leading, event], axis=0))
            folded.append(tf.reshape(x, [-1, *event]))
        return leading, tf.nest.pack_sequence_as(inputs, folded)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns the shape of one draw for each input: what `model.summary()` shows."""
        if isinstance(input_shape, Mapping):
            return (next(iter(input_shape.values()))[0], *self.event_shape)
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
    def from_config(cls, config: dict[str, Any]) -> "NetworkAndHead":
        """Creates one from `get_config`."""
        deserialize = keras.saving.deserialize_keras_object
        parts = {part: deserialize(config[part]) for part in ("network", "head")}
        return cls(**{**config, **parts})


def _behind_batch(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    return tuple(shape[1:])


def _symbol(event: tuple[int | None, ...], dtype: str) -> keras.KerasTensor:
    return keras.KerasTensor((None, *event), dtype)


def _type(x: Any) -> str:
    """Whole numbers as fields have them are themselves; all else is float32 to a network."""
    return "int32" if keras.backend.standardize_dtype(x.dtype) == "int32" else "float32"
