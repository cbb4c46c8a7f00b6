"""What models of an encoder and a decoder share."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import instance_of
from tfvae.corruptions import Corruption
from tfvae.data.fields import Field
from tfvae.errors import UserTypeError
from tfvae.models.base import LatentVariableModel
from tfvae.models.capabilities import Batch
from tfvae.models.codes import zero_example
from tfvae.models.configuration import serialize_part
from tfvae.models.encoder_decoder import Decoder, Encoder, check_nothing_shared
from tfvae.noise import Noise, training_noise
from tfvae.training.replicas import own_rows

tfd = tfp.distributions

NOTHING: Batch = MappingProxyType({})  # no conditions


class Autoencoding(LatentVariableModel):
    """A model of x with an `Encoder` and a `Decoder`: encodes, decodes, and draws x from p(x|z).

    A subclass gives `loss_terms` or `infer`, takes the posterior from `posterior_of`, and names its
    constructor's parts in `parts`; what it has besides these two it builds in `build_others`.

    Args:
        encoder: `Encoder(network, head)`.
        decoder: `Decoder(network, head)`.
        names: Of its terms; see `LatentVariableModel`.
        corruption: What the encoder sees in x's place while training; None for x itself.
        seed: See `LatentVariableModel`.
        **kwargs: Keras model arguments.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: if the parts share layers, or x can't be corrupted so.
    """

    parts: tuple[str, ...] = ("encoder", "decoder", "corruption")
    """The constructor's arguments that are objects, for the configuration."""

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        names: Sequence[str],
        corruption: Corruption | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        instance_of("encoder", encoder, Encoder, "tfvae.Encoder(network, head)")
        instance_of("decoder", decoder, Decoder, "tfvae.Decoder(network, head)")
        check_nothing_shared(encoder, decoder)
        if not isinstance(corruption, Corruption | None):
            raise UserTypeError(
                f"corruption must be one of tfvae.corruptions, or None, received {corruption!r}."
            )
        super().__init__(names, seed=seed, **kwargs)
        self.encoder, self.decoder, self.corruption = encoder, decoder, corruption
        if corruption is not None:
            corruption.check(self.fields()["x"])

    @property
    def latent_size(self) -> int:
        """D, the number of latent dimensions."""
        return self.encoder.event_shape[0]

    def zero_code(self) -> Any:
        """Returns a code of zeros, of one example."""
        return tf.zeros([1, self.latent_size])

    def fields(self) -> dict[str, Field]:
        """Returns x: of the decoder's shape, within the likelihood's support."""
        return {"x": self.decoder.head.field}

    @property
    def discrete(self) -> bool:
        """Whether the likelihood is of bits, levels or counts."""
        return self.decoder.head.discrete

    def build(self, input_shape: Any) -> None:
        """Builds every part for examples of this shape, `(None, *event)`."""
        if isinstance(input_shape, Mapping):
            input_shape = input_shape["x"]
        shape = self.decoder.checked_examples(input_shape)
        # Where the encoder takes something else than x, only the one who wrote that can check it.
        if type(self).encoder_inputs is Autoencoding.encoder_inputs:
            self.encoder.x = self.fields()["x"]
        example = zero_example(self)
        z = self.zero_code()
        for part, inputs in (
            (self.encoder, self.encoder_inputs(example)),
            (self.decoder, self.decoder_inputs(z, self.given(example))),
        ):
            if not part.built:
                part.build_for(inputs)
        self.build_others(shape)
        # Layers that a part made in its constructor and does not build itself: by using them, now,
        # since the optimizer and the file know only weights that are there.
        if not all(layer.built for layer in self._flatten_layers(include_self=False)):
            super().build(input_shape)
        else:
            self.check_terms()

    def build_others(self, shape: tuple[int | None, ...]) -> None:
        """Builds what a subclass has besides an encoder and a decoder, for batches of a shape."""

    def encoder_inputs(self, batch: Batch) -> Any:
        """Returns what the encoder takes of a batch: x; a conditional model says more."""
        return batch["x"]

    def decoder_inputs(self, z: tf.Tensor, conditions: Batch) -> Any:
        """Returns what the decoder takes: z as its head shows it; a conditional model adds."""
        return self.encoder.head.embedded(z)

    def posterior_of(self, batch: Batch, training: bool = False) -> tfd.Distribution:
        """Returns what the encoder makes of a batch: in training, of x as it is corrupted."""
        if self.corruption is None or not training:
            return self.encoder(self.encoder_inputs(batch), training=training)
        seen = self.encoder_inputs(self.corrupted(batch))
        return self.encoder.of_pseudo_inputs()(seen, training=training)  # it may leave x's range

    def corrupted(self, batch: Batch) -> Batch:
        """Returns a batch with x as the encoder sees it in training, with noise of this step."""
        if self.corruption is None:
            return batch
        rows = own_rows(batch)
        noise = training_noise(self.next_seed(), 1, rows.computed, rows.first)
        return {**batch, "x": self.corruption.checked(batch["x"], noise)}

    def corrupted_fields(self) -> dict[str, Field]:
        """Returns the fields of a batch whose x is as the encoder may see it in training."""
        found = self.fields()
        if self.corruption is None:
            return found
        return {**found, "x": self.corruption.corrupted_field(found["x"])}

    def counted(self, batch: Batch) -> tf.Tensor | None:
        """Returns what of x its likelihood is of, 1 or 0 of x's shape: None, all, of most models.

        A model of rows that are partly seen says what is; all that uses log p(x|z) follows.
        """
        return None

    def log_prob_of(self, likelihood: tfd.Distribution, batch: Batch) -> tf.Tensor:
        """Returns log p(x|z) `[..., B]` of the entries of a batch that count."""
        return self.decoder.head.log_prob_of(likelihood, batch["x"], self.counted(batch))

    def encoding_layers(self) -> list[keras.layers.Layer]:
        """Returns the encoder."""
        return [self.encoder]

    def encode(self, batch: Any, batch_size: int = 128, verbose: int = 0) -> Any:
        """Returns the point estimate of z, `[B, D]`: of a Normal its mean.

        Args:
            batch: Tensors by field, at once. Anything else that `fit` takes, arrays and data sets,
                goes in batches and gives an array: see `codes`.
            batch_size: Examples at once, of arrays and data sets.
            verbose: 1 shows a progress bar of these.
        """
        if not isinstance(batch, Mapping) or not all(map(tf.is_tensor, batch.values())):
            return self.codes(batch, batch_size=batch_size, verbose=verbose)
        return self.code_of(batch)

    def code_of(self, batch: Batch) -> Any:
        """Returns `encode` of tensors by field."""
        return self.encoder.head.code(self.encoder(self.encoder_inputs(batch)))

    def encoder_outputs(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns the posterior's parameters, and what its head makes of them."""
        return self.outputs_of(self.features(batch))

    def features(self, batch: Batch) -> tf.Tensor:
        """Returns the encoder network's features."""
        return self.encoder.features(self.encoder_inputs(batch))

    def outputs_of(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the posterior's parameters of features, and what its head makes of them."""
        return self.encoder.head.outputs(self.encoder.head.parameters(features))

    def decode(self, z: tf.Tensor, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns E[x|z] of codes `[..., D]`."""
        return self.decoder(self.decoder_inputs(z, conditions)).mean()

    def decoder_outputs(self, z: tf.Tensor, conditions: Batch = NOTHING) -> dict[str, tf.Tensor]:
        """Returns the likelihood's parameters, and what its head makes of them."""
        parameters = self.decoder.parameters(self.decoder_inputs(z, conditions))
        return self.decoder.head.outputs(parameters)

    def emit(self, noise: Noise, z: tf.Tensor, conditions: Batch = NOTHING) -> tf.Tensor:
        """Returns x ~ p(x|z) of codes `[..., D]`, as the noise says."""
        likelihood = self.decoder(self.decoder_inputs(z, conditions))
        return self.decoder.head.draw(likelihood, noise).z

    def adapt(self, mean: Any) -> None:
        """Starts the decoder at the mean of the training data; see `LikelihoodHead.adapt`."""
        self.decoder.head.adapt(mean)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        parts = {name: getattr(self, name) for name in self.parts}
        serialized = {
            name: None if part is None else serialize_part(part, self.built)
            for name, part in parts.items()
        }
        return {**super().get_config(), **serialized}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Autoencoding":
        """Creates one from `get_config`."""
        restored = {
            part: keras.saving.deserialize_keras_object(config[part], custom_objects)
            for part in cls.parts
        }
        return cls(**{**config, **restored})
