"""The model that the whole family shares."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

import tfvae
from tfvae.checks import int32, positive_int, real
from tfvae.data.fields import Field, by_name, input_shapes
from tfvae.errors import UserError, UserRuntimeError
from tfvae.inference.inference import Inference
from tfvae.models.capabilities import Batch, Decodes, Encodes, Generates, require
from tfvae.noise import Noise, training_noise
from tfvae.objectives.base import Nats
from tfvae.random import bits, word
from tfvae.suggestions import nearest
from tfvae.training.phases import Phase, optimizer_of
from tfvae.training.programs import compiled
from tfvae.training.replicas import own_rows
from tfvae.training.trainer import Trainer
from tfvae.training.xla import xla_pays

_NO_LOSS = (
    "{name}={value!r} was passed to compile(), but the model's loss is its objective's: terms per "
    "example that `call` gives to `add_loss`. Pass an objective to the constructor instead, such "
    "as VAE(..., objective=tfvae.objectives.ELBO(kl_weight=4.0)), and compile(optimizer=...)."
)


class LatentVariableModel(Trainer):
    """A Keras model whose loss is a sum of named nats.

    A subclass gives `fields()` and `loss_terms(batch, training)`, and names what that reports to
    this constructor. `call`, the only place that adds losses and updates trackers, is shared. What
    else a model can do, it has the methods of `tfvae.models.capabilities` for.

    Args:
        names: What `loss_terms` reports, in the order it is logged.
        seed: Seed of every draw while training and of unseeded samples, any int32, or None for one
            that `keras.utils.set_random_seed` governs.
        **kwargs: Keras model arguments.

    Raises:
        UserError: if a subclass lacks `fields` or `loss_terms`.
    """

    def __init__(self, names: Sequence[str], seed: int | None = None, **kwargs: Any):
        for method in ("fields", "loss_terms"):
            if getattr(type(self), method) is getattr(LatentVariableModel, method):
                raise UserError(
                    f"{type(self).__name__} is a LatentVariableModel without {method}(); define it."
                )
        # Keras enters an autocast scope for any mixed policy, autocast=False or not, and rounds the
        # prior's and the heads' weights in it. The networks keep the policies they were made with.
        kwargs.setdefault("dtype", "float32")
        super().__init__(autocast=False, **kwargs)
        self.seed = None if seed is None else int32("seed", seed)
        # A weight, because Keras 3.15 does not save the state of a SeedGenerator: a run that goes
        # on from a checkpoint would draw its first noise again.
        first = random.randint(1, 10**9) if seed is None else self.seed  # as Keras' generator does
        self.seed_state = self.add_weight(
            shape=(2,),
            initializer=lambda shape, dtype: tf.constant([first, 0], dtype),
            trainable=False,
            dtype="int64",
            aggregation="none",
            name="seed_state",
        )
        self.num_examples = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="num_examples", dtype="float32"
        )
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}

    def fields(self) -> dict[str, Field]:
        """Returns what an example holds, by name; the field that is modelled first."""
        raise NotImplementedError

    def conditions(self) -> dict[str, Field]:
        """Returns the fields that the model is given and does not generate."""
        return {}

    def loss_terms(self, batch: Batch, training: bool) -> Nats:
        """Returns the nats of a batch: terms, watched values, a reconstruction."""
        raise NotImplementedError

    def weight(self, name: str) -> tf.Tensor | float:
        """Returns the factor of a term in the loss."""
        return 1.0

    def term_weight(self, name: str) -> keras.Variable:
        """Returns the variable behind the factor of a term, for schedules.

        Raises:
            UserError: if the term has none.
        """
        weights = getattr(getattr(self, "objective", None), "term_weights", {})
        if name not in weights:
            known = f"It has those of {', '.join(weights)}." if weights else "It has none."
            raise UserError(
                f"{self.name} has no weight of a term {name!r} to change.{nearest(name, weights)} "
                f"{known}"
            )
        return weights[name]

    def phases(self) -> Sequence[Phase]:
        """Returns who learns from what: one phase for everything, unless a subclass says more."""
        return [Phase("model", self.trainable_variables, tuple(self.trackers))]

    def build(self, input_shape: Any) -> None:
        """Makes all weights, by evaluating the loss of one example; a subclass may do it directly.

        Args:
            input_shape: of a batch of the model's one field, or a dict of shapes.
        """
        example = {
            name: tf.zeros([1, *field.shape], field.dtype)
            for name, field in self.fields().items()
            if not field.optional
        }
        before = tf.identity(self.seed_state)
        self.loss_terms(example, training=False)
        self.seed_state.assign(before)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Adds the weighted terms to the loss, tracks all unweighted, returns a reconstruction."""
        nats = self.loss_terms(self.named(inputs), training)
        self.term_names = tuple(nats.terms)
        for name, value in nats.terms.items():
            loss = tf.reduce_mean(value)
            if name in nats.surrogates:  # the value of one, the gradient of the other
                surrogate = tf.reduce_mean(nats.surrogates[name])
                loss = surrogate + tf.stop_gradient(loss - surrogate)
            self.add_loss(self.weight(name) * loss)
        for name, value in {**nats.terms, **nats.watched}.items():
            self.trackers[name].update_state(value)
        return nats.reconstruction

    def named(self, inputs: Any) -> dict[str, tf.Tensor]:
        """Returns a batch by the names of its fields, each in the field's type."""
        fields = self.fields()
        batch = by_name(inputs, fields, "the batch")
        return {name: tf.cast(value, fields[name].dtype) for name, value in batch.items()}

    def begin_training(self, num_examples: int) -> None:
        """Notes N, the size of the training set, which objectives may want to know."""
        self.num_examples.assign(num_examples)

    def with_noise(self, inference: Inference, batch: Batch) -> Inference:
        """Returns the inference of a batch with the noise of this step and N: for an objective."""
        seed, rows = self.next_seed(), own_rows(batch)

        def noise(num_samples: int) -> Noise:
            return training_noise(seed, num_samples, rows.computed, rows.first)

        return replace(inference, noise=noise, num_examples=tf.convert_to_tensor(self.num_examples))

    def next_seed(self) -> tf.Tensor:
        """Returns a fresh seed, int32 `[2]`, the same on all replicas."""
        state = tf.identity(self.seed_state)
        self.seed_state.assign(state + tf.constant([0, 1], tf.int64))
        return tf.cast(state, tf.int32)

    def compile(self, optimizer: Any = "adam", **kwargs: Any) -> None:
        """Configures training; the arguments are those of `keras.Model.compile`.

        The loss is the objective's and the logged values are its nats, so `loss`, `loss_weights`,
        `metrics` and `weighted_metrics` are refused.

        Args:
            optimizer: as for Keras, or a mapping from the names of the model's phases.
            **kwargs: as for Keras.

        Raises:
            UserError: if one of these is passed, or the mapping does not name the phases.
        """
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            value = kwargs.pop(name, None)
            if value is not None:
                raise UserError(_NO_LOSS.format(name=name, value=value))
        optimizer = optimizer_of(optimizer, [phase.name for phase in self.phases()])
        if hasattr(optimizer, "bind"):
            optimizer.bind(self.phases)
        super().compile(optimizer=optimizer, **kwargs)

    def _resolve_auto_jit_compile(self) -> bool:
        # Keras 3.15 turns jit_compile="auto" off where there is only a CPU.
        return self._distribute_strategy is None and xla_pays(self)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as a saved model was; Keras asks for this of a model with its own compile."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def reconstruct(self, inputs: Any) -> Any:
        """Returns the mean of x at the code of each example: deterministic."""
        require(self, "reconstruct()", Encodes, Decodes)
        batch = self.named(inputs)
        return self.decode(self.encode(batch), self.given(batch))

    def given(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns the part of a batch that the model is given and does not generate."""
        return {name: batch[name] for name in self.conditions() if name in batch}

    def sample(
        self,
        num_samples: int,
        seed: int | None = None,
        temperature: float = 1.0,
        **conditions: Any,
    ) -> tf.Tensor:
        """Draws codes from the prior and returns the mean of x at each.

        The draws come from `tfvae.noise`: the exported decoders make the same of the same seed.
        `decoder(z).sample()` draws x as well.

        Args:
            num_samples: How many, at least 1.
            seed: Any int32. None takes the next of the model's generator, and so differs each time.
            temperature: Factor on the prior's standard deviation, at least 0; 1 is the prior.
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
        return draw(
            tf.constant(num_samples, tf.int32),
            word(seed, "seed"),
            tf.constant(temperature, tf.float32),
            self._checked_conditions(conditions, num_samples),
        )

    def log_likelihood(self, data: Any, num_samples: int = 5000, **options: Any) -> Any:
        """Estimates log p(x) of each example by importance sampling.

        See `tfvae.evaluation.log_likelihood`, whose arguments these are.
        """
        return tfvae.evaluation.log_likelihood(self, data, num_samples=num_samples, **options)

    def _checked_conditions(
        self, conditions: dict[str, Any], num_samples: int
    ) -> dict[str, tf.Tensor]:
        wanted = self.conditions()
        for name in conditions:
            if name not in wanted:
                raise UserError(
                    f"sample() was given {name!r}, which is no condition of {type(self).__name__}."
                    f"{nearest(name, wanted)} Expected {', '.join(wanted) or 'none'}."
                )
        found = {}
        for name, field in wanted.items():
            if name not in conditions:
                raise UserError(f"sample() needs {name}=, one value or {num_samples}, {field}.")
            value = tf.cast(tf.convert_to_tensor(conditions[name]), field.dtype)
            one = value.shape.rank == len(field.shape)
            if tuple(value.shape[0 if one else 1 :]) != field.shape or (
                not one and value.shape[0] != num_samples
            ):
                raise UserError(
                    f"sample() received {name} of shape {tuple(value.shape)}; expected "
                    f"{field.shape}, or {(num_samples, *field.shape)} for {num_samples} samples."
                )
            found[name] = tf.broadcast_to(value, [num_samples, *field.shape]) if one else value
        return found

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise UserRuntimeError(
                f"{what} needs a built model. Train it, call it on a batch, or build it: "
                f"model.build({input_shapes(self.fields())})."
            )


def _sample(
    model: Any,
    num_samples: tf.Tensor,
    seed: tf.Tensor,
    temperature: tf.Tensor,
    conditions: dict[str, tf.Tensor],
) -> tf.Tensor:
    """The mean of x at each of `num_samples` codes of the prior."""
    noise = Noise(seed, row=tf.range(num_samples), temperature=temperature)
    return model.decode(model.generate(noise, conditions), conditions)
