"""What a trained model is asked for: samples, reconstructions, likelihoods."""

import inspect
from typing import Any

import keras
import tensorflow as tf

import tfvae
from tfvae.checks import positive_int, real
from tfvae.data.fields import input_shapes
from tfvae.errors import UserRuntimeError
from tfvae.models.capabilities import Batch, Decodes, Encodes, Generates, require
from tfvae.models.code_model import CodeModel
from tfvae.models.conditions import checked_conditions
from tfvae.noise import Noise
from tfvae.random import bits, word
from tfvae.training.programs import compiled
from tfvae.training.trainer import Trainer

SAMPLES_AT_ONCE = 256
"""Between two updates of a progress bar."""


class Generation(Trainer):
    """Samples and reconstructions of a model that has the methods for them.

    Subclasses have `conditions`, `named` and `next_seed`; see `LatentVariableModel`.
    """

    def reconstruct(self, inputs: Any, batch_size: int | None = None, verbose: int = 0) -> Any:
        """Returns the mean of x at the code of each example: deterministic.

        Args:
            inputs: Arrays, as `fit` takes them, or a data set of batches.
            batch_size: None (default) takes arrays at once and returns a tensor. With a number, and
                of data sets, it goes in batches, as `predict` does, and returns an array.
            verbose: 1 shows a progress bar, of batches.
        """
        require(self, "reconstruct()", Encodes, Decodes)
        if batch_size is not None or _has_batches(inputs):
            return self.predict(inputs, batch_size=batch_size, verbose=verbose)
        return self.reconstruction(self.named(inputs))

    def reconstruction(self, batch: Batch) -> Any:
        """Returns the mean of x at the codes of a batch, whose tensors go by name."""
        return self.decode(self.encode(batch), self.given(batch))

    def codes(self, data: Any, batch_size: int = 128, verbose: int = 0) -> Any:
        """Returns the code of each example, float32 `[N, D]` or a dict of levels: deterministic.

        Codes that are whole numbers are int32.

        Args:
            data: What `fit` takes: arrays, or a data set of batches.
            batch_size: Examples at once.
            verbose: 1 shows a progress bar, of examples.
        """
        options = {"batch_size": batch_size, "verbose": verbose}
        found = tfvae.evaluation.latent_codes(self, data, **options)
        return tf.nest.map_structure(
            lambda level: level.astype("float32") if level.dtype.kind == "f" else level, found
        )

    def code_model(self, draw: bool = False, **kwargs: Any) -> CodeModel:
        """Returns a Keras model from x to its code, to build on; see `CodeModel`."""
        self._require_built("code_model()")
        return CodeModel(self, draw, **kwargs)

    def encoding_layers(self) -> list[keras.layers.Layer]:
        """Returns the layers that codes are made with: of any model all, unless it knows better."""
        return [self]

    def given(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns the part of a batch that the model is given and does not generate."""
        return {name: batch[name] for name in self.conditions() if name in batch}

    def sample(
        self,
        num_samples: int,
        seed: int | None = None,
        temperature: float = 1.0,
        verbose: int = 0,
        **conditions: Any,
    ) -> tf.Tensor:
        """Draws codes from the prior and returns the mean of x at each.

        The draws come from `tfvae.noise`: the exported decoders make the same of the same seed.
        `decoder(z).sample()` draws x as well.

        Args:
            num_samples: How many, at least 1.
            seed: Any int32. None takes the next of the model's generator, and so differs each time.
            temperature: Factor on the prior's standard deviation, at least 0; 1 is the prior, and
                the only one of priors without a scale.
            verbose: 1 draws some hundred at once and shows a progress bar, counted in samples; 0
                (default) draws all at once.
            **conditions: What the model is given, by field: one value for all samples, or one each.

        Returns:
            `[num_samples, ...]` in the likelihood's units. The first samples do not depend on
            `num_samples`.
        """
        require(self, "sample()", Generates, Decodes)
        num_samples = positive_int("num_samples", num_samples)
        real("temperature", temperature, minimum=0.0)
        self._require_built("sample()")
        if seed is None:
            words = self.next_seed()
            seed = bits((), words[0], words[1])
        draw = compiled(self, _sample, xla=False)  # one program for every num_samples
        key, factor = word(seed, "seed"), None
        if temperature != 1:
            factor = tf.constant(temperature, tf.float32)
        given = checked_conditions(conditions, self.conditions(), num_samples, type(self).__name__)
        size = SAMPLES_AT_ONCE if verbose else num_samples
        progress = keras.utils.Progbar(num_samples, unit_name="sample") if verbose else None
        parts = []
        for first in range(0, num_samples, size):
            end = min(first + size, num_samples)
            own = {name: values[first:end] for name, values in given.items()}
            rows = tf.constant(first, tf.int32), tf.constant(end - first, tf.int32)
            parts.append(draw(*rows, key, factor, own))
            if progress is not None:
                progress.update(end)
        return parts[0] if len(parts) == 1 else tf.concat(parts, axis=0)

    def with_prior(self, prior: Any) -> Any:
        """Returns a model that decodes draws from this prior; see `ModelWithPrior`.

        Args:
            prior: Such as `tfvae.uses.fit_aggregate(model, data)` finds for the model's codes.
        """
        return tfvae.ModelWithPrior(self, prior)

    def log_likelihood(self, data: Any, num_samples: int = 5000, **options: Any) -> Any:
        """Estimates log p(x) of each example by importance sampling.

        See `tfvae.evaluation.log_likelihood`, whose arguments these are.
        """
        return tfvae.evaluation.log_likelihood(self, data, num_samples=num_samples, **options)

    def input_shapes(self) -> Any:
        """Returns what `build` takes: the shape of a batch, or of each of its fields by name."""
        return input_shapes(self.fields())

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise UserRuntimeError(
                f"{what} needs a built model. Train it, call it on a batch, or build it: "
                f"model.build({self.input_shapes()})."
            )


def _has_batches(inputs: Any) -> bool:
    return isinstance(inputs, tf.data.Dataset | keras.utils.PyDataset) or inspect.isgenerator(
        inputs
    )


def _sample(
    model: Any,
    first: tf.Tensor,
    count: tf.Tensor,
    seed: tf.Tensor,
    temperature: tf.Tensor | None,
    conditions: dict[str, tf.Tensor],
) -> tf.Tensor:
    """The mean of x at each of `count` codes of the prior, from number `first` on."""
    noise = Noise(seed, row=first + tf.range(count), temperature=temperature)
    return model.decode(model.generate(noise, conditions), conditions)
