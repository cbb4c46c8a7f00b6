"""The model that the whole family shares."""

import contextlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from tfvae.checks import int32
from tfvae.data.fields import Field, checked_fields, example_size
from tfvae.data.naming import by_name
from tfvae.errors import UserError
from tfvae.inference.inference import Inference
from tfvae.models.capabilities import Batch, Decodes, Encodes, Generates, Scores
from tfvae.models.codes import zero_example
from tfvae.models.contract import check_methods, check_variables, checked_names, checked_nats
from tfvae.models.frozen import KeepsFrozen
from tfvae.models.generation import Generation
from tfvae.models.saving import Saves
from tfvae.models.term_weights import ModelTermWeights
from tfvae.models.trackers import TrackedTerms
from tfvae.noise import Noise, training_noise
from tfvae.objectives.base import Nats
from tfvae.training.inputs import checked_inputs
from tfvae.training.phases import Phase
from tfvae.training.replicas import in_step, own_rows

_MOST_NUMBERS = 2**28  # a GiB in float32, of what is decoded for one example


class LatentVariableModel(ModelTermWeights, TrackedTerms, KeepsFrozen, Saves, Generation):
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

    code_interval: tuple[float, float] | None = None
    """Where codes are whole numbers, the least and the greatest: a server refuses others."""

    def __init__(self, names: Sequence[str], seed: int | None = None, **kwargs: Any):
        check_methods(self, LatentVariableModel, scores=issubclass(type(self), Scores))
        names = checked_names(type(self).__name__, names)
        # Keras enters an autocast scope for any mixed policy, autocast=False or not, and rounds the
        # prior's and the heads' weights in it. The networks keep the policies they were made with.
        kwargs.setdefault("dtype", "float32")
        super().__init__(names, autocast=False, **kwargs)
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

    def fields(self) -> dict[str, Field]:
        """Returns what an example holds, by name; the field that is modelled first."""
        raise NotImplementedError

    @property
    def discrete(self) -> bool:
        """Whether p(x) is a probability, of bits, levels or counts, and no density."""
        return False

    def conditions(self) -> dict[str, Field]:
        """Returns the fields that the model is given and does not generate."""
        return {}

    def loss_terms(self, batch: Batch, training: bool) -> Nats:
        """Returns the nats of a batch: of a model that infers, those of its `objective`."""
        if self.objective is None:
            raise UserError(
                f"{type(self).__name__} infers and has no objective. Set self.objective in its "
                "constructor, such as to tfvae.objectives.ELBO(), or define loss_terms()."
            )
        nats = self.objective.nats(self.with_noise(self.infer(batch, training), batch))
        weights = self.weight_terms()
        return replace(nats, terms={**nats.terms, **weights}) if weights else nats

    def weight_terms(self) -> dict[str, tf.Tensor]:
        """Returns nats of an example that the weights alone decide: none, without a prior on them.

        They are terms of the loss beside the objective's.
        """
        return {}

    def phases(self) -> Sequence[Phase]:
        """Returns who learns from what: one phase for everything, unless a subclass says more."""
        return [Phase("model", self.trainable_variables, tuple(self.trackers))]

    def build(self, input_shape: Any) -> None:
        """Makes all weights, by evaluating the loss of one example; a subclass may do it directly.

        Args:
            input_shape: of a batch of the model's one field, or a dict of shapes.
        """
        checked_fields(self.fields(), type(self).__name__)
        example = zero_example(self)
        # First as they are used without sample axes, from which parts learn the shape of an input.
        if isinstance(self, Encodes) and isinstance(self, Decodes):
            self.reconstruction(example)
        if isinstance(self, Generates):
            self.generate(Noise(0, row=tf.range(1)), self.given(example))
        self.check_terms()

    def check_terms(self) -> None:
        """Refuses terms that are not what they should be, by evaluating those of one example."""
        with self._seed_kept():
            self._checked(self.loss_terms(zero_example(self), training=False))
        check_variables(self)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Adds the weighted terms to the loss, tracks all unweighted, returns a reconstruction.

        In training that is the mean of x at the first draw of z; else, of a model that encodes and
        decodes, the mean of x at its code, which is not random: what `reconstruct` and `predict`
        return. The terms are estimates from draws in both, fresh ones while training and in
        `evaluate`, which is unbiased. Other calls leave the generator where it was, so their
        losses are equal too, and a look at a model does not change how its training goes on.
        """
        batch, fresh = self.named(inputs), training or in_step()
        with contextlib.nullcontext() if fresh else self._seed_kept():
            nats = self._checked(self.loss_terms(batch, training))
        self.term_names = tuple(nats.terms)
        for name, value in nats.terms.items():
            loss = nats.mean(name, value)
            if name in nats.surrogates:  # the value of one, the gradient of the other
                surrogate = nats.mean(name, nats.surrogates[name])
                loss = surrogate + tf.stop_gradient(loss - surrogate)
            self.add_loss(self.weight(name) * loss)
        for name, value in {**nats.terms, **nats.watched}.items():
            # A scalar of the batch counts as often as the batch has rows.
            weight = nats.counts.get(name) if value.shape.rank else own_rows(inputs).count
            self.trackers[name].update_state(value, sample_weight=weight)
        for name, tally in nats.tallies.items():
            self.trackers[name].update_state(tally)
        if training or not (isinstance(self, Encodes) and isinstance(self, Decodes)):
            return nats.reconstruction
        return self.reconstruction(batch)

    def _checked(self, nats: Nats) -> Nats:
        own = type(self).loss_terms is not LatentVariableModel.loss_terms
        return checked_nats(self if own else self.objective, nats, tuple(self.trackers))

    def named(self, inputs: Any) -> dict[str, tf.Tensor]:
        """Returns a batch by the names of its fields, each in the field's type.

        Raises:
            UserError: called directly, for what `fit` would refuse; in a compiled step it has been
                checked.
        """
        fields = self.fields()
        if tf.executing_eagerly():
            checked_inputs(inputs, fields, "the batch")  # gradients by what was passed go on
        batch = by_name(inputs, fields, "the batch")
        return {name: tf.cast(value, fields[name].dtype) for name, value in batch.items()}

    def begin_training(self, num_examples: int) -> None:
        """Notes N, the size of the training set, which objectives may want to know."""
        self.num_examples.assign(num_examples)

    def with_noise(self, inference: Inference, batch: Batch) -> Inference:
        """Returns an inference with the noise of this step, p(z) and N: for an objective.

        Raises:
            UserError: if the objective follows the gradient through draws that have none.
        """
        if self.objective is not None:
            self.objective.check_path(inference.proposal, "this posterior")
        seed, rows = self.next_seed(), own_rows(batch)

        numbers, strata = example_size(self.fields()), 1
        if self.objective is not None and self.objective.stratified:
            strata = inference.proposal.strata

        def noise(num_samples: int) -> Noise:
            if num_samples * strata * numbers > _MOST_NUMBERS:
                of_each = f" of each of {strata} components" if strata > 1 else ""
                raise UserError(
                    f"num_samples={num_samples:,} draws{of_each} for examples of {numbers:,} "
                    f"numbers are more than are trained on at once, {_MOST_NUMBERS:,} numbers for "
                    "each example. Take fewer."
                )
            return training_noise(seed, num_samples, rows.computed, rows.first)

        def generate(noise: Noise) -> Any:
            return self.generate(noise, self.given(batch))

        return replace(
            inference,
            noise=noise,
            generate=generate if isinstance(self, Generates) else None,
            num_examples=tf.convert_to_tensor(self.num_examples),
            batch=batch,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments that all models share; a subclass adds its own."""
        return {**super().get_config(), "seed": self.seed}

    @contextlib.contextmanager
    def _seed_kept(self) -> Iterator[None]:
        """Sets the generator back to where it was."""
        before = tf.identity(self.seed_state)
        try:
            yield
        finally:
            self.seed_state.assign(before)

    def next_seed(self) -> tf.Tensor:
        """Returns a fresh seed, int32 `[2]`, the same on all replicas."""
        state = tf.identity(self.seed_state)
        self.seed_state.assign(state + tf.constant([0, 1], tf.int64))
        return tf.cast(state, tf.int32)
