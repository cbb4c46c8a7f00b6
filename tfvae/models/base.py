"""The model that the whole family shares."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

import tfvae
from tfvae.checks import int32, positive_int, real
from tfvae.data.fields import Field, input_shapes, required
from tfvae.data.naming import by_name
from tfvae.errors import UserError, UserRuntimeError
from tfvae.inference.inference import Inference
from tfvae.models.capabilities import Batch, Decodes, Encodes, Generates, Scores, require
from tfvae.models.conditions import checked_conditions
from tfvae.noise import Noise, training_noise
from tfvae.objectives.base import Nats, TermWeights
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


NO_PATH = (
    "{0} follows the gradient through z, and the draws of {1} have none: it would train on the KL "
    "alone. Use a head whose draws are differentiable, or an objective that needs no path."
)


class LatentVariableModel(TermWeights, Trainer):
    """A Keras model whose loss is a sum of named nats.

    A subclass gives `fields()`, and `loss_terms(batch, training)`, or `infer()` and an attribute
    `objective`; what the terms are called it tells this constructor. `call`, the only place that
    adds losses and updates trackers, is shared. What else a model can do, it has the methods of
    `tfvae.models.capabilities` for.

    Args:
        names: What `loss_terms` reports, in the order it is logged.
        seed: Seed of every draw while training and of unseeded samples, any int32, or None for one
            that `keras.utils.set_random_seed` governs.
        **kwargs: Keras model arguments.

    Raises:
        UserError: if a subclass lacks `fields` or `loss_terms`.
    """

    def __init__(self, names: Sequence[str], seed: int | None = None, **kwargs: Any):
        own = type(self)
        if own.fields is LatentVariableModel.fields:
            raise UserError(f"{own.__name__} is a LatentVariableModel without fields(); define it.")
        if own.loss_terms is LatentVariableModel.loss_terms and not issubclass(own, Scores):
            raise UserError(
                f"{own.__name__} is a LatentVariableModel without loss_terms(); define it, or "
                "infer() and give the model an objective."
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
        """Returns the nats of a batch: of a model that infers, those of its `objective`."""
        return self.objective.nats(self.with_noise(self.infer(batch, training), batch))

    def weight(self, name: str) -> tf.Tensor | float:
        """Returns the factor of a term in the loss: the model's own, or that of its objective."""
        objective = getattr(self, "objective", None)
        if name in self.term_weights or objective is None:
            return super().weight(name)
        return objective.weight(name)

    def term_weight(self, name: str) -> keras.Variable:
        """Returns the variable behind the factor of a term, for schedules.

        Raises:
            UserError: if the term has none.
        """
        weights = {**getattr(getattr(self, "objective", None), "term_weights", {})}
        weights |= self.term_weights
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
            for name, field in required(self.fields()).items()
        }
        before = tf.identity(self.seed_state)
        # First as they are used without sample axes, from which parts learn the shape of an input.
        if isinstance(self, Encodes) and isinstance(self, Decodes):
            self.decode(self.encode(example), self.given(example))
        if isinstance(self, Generates):
            self.generate(Noise(0, row=tf.range(1)), self.given(example))
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
            if name not in self.trackers:
                raise UserError(
                    f"{type(self).__name__} reports {name!r}, which is none of the names that it "
                    f"was made with: {', '.join(self.trackers)}.{nearest(name, self.trackers)}"
                )
            # A scalar of the batch counts as often as the batch has rows.
            weight = None if value.shape.rank else own_rows(inputs).count
            self.trackers[name].update_state(value, sample_weight=weight)
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
        """Returns the inference of a batch with the noise of this step and N: for an objective.

        Raises:
            UserError: if the objective follows the gradient through draws that have none.
        """
        objective = getattr(self, "objective", None)
        pathwise = objective is not None and objective.pathwise
        if pathwise and not inference.proposal.reparameterised:
            raise UserError(NO_PATH.format(type(objective).__name__, "this posterior"))
        seed, rows = self.next_seed(), own_rows(batch)

        def noise(num_samples: int) -> Noise:
            return training_noise(seed, num_samples, rows.computed, rows.first)

        return replace(inference, noise=noise, num_examples=tf.convert_to_tensor(self.num_examples))

    def next_seed(self) -> tf.Tensor:
        """Returns a fresh seed, int32 `[2]`, the same on all replicas."""
        state = tf.identity(self.seed_state)
        self.seed_state.assign(state + tf.constant([0, 1], tf.int64))
        return tf.cast(state, tf.int32)

    def compile(self, optimizer: Any = "adam", **kwargs: Any) -> None:  # type: ignore[override]
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
            checked_conditions(conditions, self.conditions(), num_samples, type(self).__name__),
        )

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
