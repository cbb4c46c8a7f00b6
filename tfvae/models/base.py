"""The model that the whole family shares."""

import random
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import int32
from tfvae.errors import UserError
from tfvae.objectives.base import Nats
from tfvae.training.trainer import Trainer
from tfvae.training.xla import xla_pays

_NO_LOSS = (
    "{name}={value!r} was passed to compile(), but the model's loss is its objective's: terms per "
    "example that `call` gives to `add_loss`. Pass an objective to the constructor instead, such "
    "as VAE(..., objective=tfvae.objectives.ELBO(kl_weight=4.0)), and compile(optimizer=...)."
)


class LatentVariableModel(Trainer):
    """A Keras model whose loss is a sum of named nats per example.

    Subclasses implement `loss_terms`, and nothing else that trains: `call`, the only place that
    adds losses and updates trackers, is shared.

    Args:
        names: What `loss_terms` reports, in the order it is logged.
        seed: Seed of every draw while training and of unseeded samples, any int32, or None for one
            that `keras.utils.set_random_seed` governs.
        **kwargs: Keras model arguments.
    """

    def __init__(self, names: Sequence[str], seed: int | None = None, **kwargs: Any):
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
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}

    def loss_terms(self, inputs: tf.Tensor, training: bool) -> Nats:
        """Returns the nats per example of a batch: terms, watched values, a reconstruction."""
        raise NotImplementedError

    def weight(self, name: str) -> tf.Tensor | float:
        """Returns the factor of a term in the loss."""
        return 1.0

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Adds the weighted terms to the loss, tracks all unweighted, returns a reconstruction."""
        if isinstance(inputs, dict):
            inputs = inputs["x"]
        nats = self.loss_terms(inputs, training)
        for name, value in nats.terms.items():
            self.add_loss(self.weight(name) * tf.reduce_mean(value))
        for name, value in {**nats.terms, **nats.watched}.items():
            self.trackers[name].update_state(value)
        return nats.reconstruction

    def next_seed(self) -> tf.Tensor:
        """Returns a fresh stateless seed, int32 `[2]`, that no other replica has."""
        state = tf.identity(self.seed_state)
        self.seed_state.assign(state + tf.constant([0, 1], tf.int64))
        replica = tf.distribute.get_replica_context()
        own = state[1]
        if replica is not None:  # None where Keras only infers shapes, outside of all replicas
            number = tf.cast(replica.replica_id_in_sync_group, tf.int64)
            own = own * replica.num_replicas_in_sync + number
        return tf.cast(tf.stack([state[0], own]), tf.int32)

    def compile(self, optimizer: Any = "adam", **kwargs: Any) -> None:
        """Configures training; the arguments are those of `keras.Model.compile`.

        The loss is the objective's and the logged values are its nats, so `loss`, `loss_weights`,
        `metrics` and `weighted_metrics` are refused.

        Raises:
            ValueError: if one of these is passed.
        """
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            value = kwargs.pop(name, None)
            if value is not None:
                raise UserError(_NO_LOSS.format(name=name, value=value))
        super().compile(optimizer=optimizer, **kwargs)

    def _resolve_auto_jit_compile(self) -> bool:
        # Keras 3.15 turns jit_compile="auto" off where there is only a CPU.
        return self._distribute_strategy is None and xla_pays(self)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as a saved model was; Keras asks for this of a model with its own compile."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)
