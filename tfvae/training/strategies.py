"""Keras' loops under a `tf.distribute` strategy, around the steps of its replicas."""

import contextlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.errors import UserError
from tfvae.training.steps import Steps


class OnReplicas(Steps):
    """Keras' loops under a strategy; without one, they are Keras' own.

    Keras 3.15 reduces the logs of several workers along an axis that scalars do not have
    (keras-team/keras 20585), cannot run several steps at once on replicas, and builds a model from
    the mean over replicas of the first batch, which fails where their parts differ in size.
    """

    def _make_function(self, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Keras' hook: from a step to what runs `steps_per_execution` of them on an iterator."""
        strategy = self._distribute_strategy
        if strategy is None:
            return super()._make_function(step)

        def one(batch: Any) -> Any:
            logs = strategy.run(step, args=(batch,))  # the same on all replicas
            return tf.nest.map_structure(
                lambda log: strategy.experimental_local_results(log)[0], logs
            )

        run = self._graph(one)
        take = self._graph(lambda iterator: one(iterator.get_next()))

        def function(iterator: Any) -> Any:
            if not isinstance(iterator, tf.distribute.DistributedIterator):
                return run(next(iterator))
            logs = take(iterator)
            with contextlib.suppress(tf.errors.OutOfRangeError):  # the last execution is shorter
                for _ in range(self.steps_per_execution - 1):
                    logs = take(iterator)
            return logs

        return function

    def make_predict_function(self, force: bool = False) -> None:
        """Keras' hook: makes what predicts a list of batches, on each worker all rows in order."""
        strategy = self._distribute_strategy
        if strategy is None:
            super().make_predict_function(force)
            return
        if self.predict_function is not None and not force:  # type: ignore[has-type]
            return

        def predict(batches: Any) -> Any:
            outputs = [strategy.run(self.predict_step, args=(batch,)) for batch in batches]
            outputs = tf.nest.map_structure(lambda part: strategy.gather(part, axis=0), outputs)
            return tf.nest.map_structure(lambda *rows: tf.concat(rows, axis=0), *outputs)

        self.predict_function = self._graph(predict)

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Keras' hook: makes what is not made yet. The model is, from its fields."""
        if self._distribute_strategy is not None and not self.optimizer.built:
            with self._distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def _graph(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if self.run_eagerly:
            return function
        return tf.function(function, autograph=False, reduce_retracing=True)


def check_scope(model: Steps) -> None:
    """Raises `UserError` unless a model is compiled under the strategy that it was made under."""
    scope = tf.distribute.get_strategy() if tf.distribute.has_strategy() else None
    if scope is not model._distribute_strategy:
        made = "outside of it" if model._distribute_strategy is None else "in a strategy's scope"
        here = "outside of it" if scope is None else "in a strategy's scope"
        raise UserError(
            f"The model was made {made} and compile() called {here}. Do both in one scope: "
            "with strategy.scope(): model = tfvae.VAE(...); model.compile(...)."
        )
