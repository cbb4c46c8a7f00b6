"""Keras' `fit` and `evaluate` as fast as the machine: the same interface, other step functions."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.data.resident import ResidentEpoch
from tfvae.training.execution import (
    OnDevice,
    ResumeEpochs,
    ahead,
    on_device,
    split,
    steps_at_once,
)
from tfvae.training.steps import ScannedSteps


class DeviceTrainer(keras.Model):
    """A Keras model that trains on data which stay on the device, many steps in one program.

    `fit` and `evaluate` take what Keras takes and log what Keras logs. Data sets of
    `tfvae.data.load` and arrays, up to `tfvae.data.resident.LIMIT_BYTES`, are put on the device
    once, and their batches are made inside the compiled step; everything else (other pipelines,
    larger data, `steps_per_epoch`, distribution strategies, `run_eagerly`) goes Keras' own way,
    the first three with batches copied to a GPU ahead of the steps.
    """

    _auto_steps = False  # until compiled: a model predicts, and is loaded, without that

    def compile(
        self,
        *args: Any,
        steps_per_execution: int | str = "auto",
        **kwargs: Any,
    ) -> None:
        """Configures training; see `keras.Model.compile`.

        Args:
            *args: as for Keras.
            steps_per_execution: "auto" (default) runs many steps at once, unless a callback of
                your own looks at every batch. It is a divisor of `steps_per_epoch`,
                `validation_steps` and `steps`, so choose numbers that many divide.
            **kwargs: as for Keras.

        Raises:
            ValueError: if `steps_per_execution` is neither "auto" nor a positive integer.
        """
        self._auto_steps = steps_per_execution == "auto"
        steps = 1 if self._auto_steps else positive_int("steps_per_execution", steps_per_execution)
        super().compile(*args, steps_per_execution=steps, **kwargs)

    def get_compile_config(self) -> dict[str, Any] | None:
        """Returns the arguments of `compile`, with "auto" where that was asked for."""
        config = super().get_compile_config()
        if config and self._auto_steps:
            config["steps_per_execution"] = "auto"
        return config

    def fit(self, x: Any = None, **kwargs: Any) -> keras.callbacks.History:
        """Trains; see `keras.Model.fit`."""
        batch_size, callbacks = kwargs.get("batch_size"), kwargs.get("callbacks")
        if kwargs.get("validation_split") and kwargs.get("validation_data") is None:
            x, kwargs["validation_data"] = split(x, kwargs.pop("validation_split"))
        whole = kwargs.get("steps_per_epoch") is None
        x = self._on_device(x, batch_size, whole, kwargs.get("shuffle", True))
        if kwargs.get("validation_data") is not None:
            kwargs["validation_data"] = self._on_device(
                kwargs["validation_data"],
                kwargs.get("validation_batch_size") or batch_size,
                whole=kwargs.get("validation_steps") is None,
            )
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            given = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else callbacks
            resume = ResumeEpochs(x, kwargs.get("initial_epoch", 0))
            kwargs["callbacks"] = [*(given or ()), resume]
        counts = [kwargs.get("steps_per_epoch")]
        if kwargs.get("validation_data") is not None:
            counts.append(kwargs.get("validation_steps"))
        with self._steps(steps_at_once(x, callbacks, *counts)):
            return super().fit(x, **kwargs)

    def evaluate(self, x: Any = None, **kwargs: Any) -> Any:
        """Returns the logged values; see `keras.Model.evaluate`."""
        if kwargs.get("_use_cached_eval_dataset"):  # from `fit`, which has chosen all of this
            return super().evaluate(x, **kwargs)
        x = self._on_device(x, kwargs.get("batch_size"), whole=kwargs.get("steps") is None)
        with self._steps(steps_at_once(x, kwargs.get("callbacks"), kwargs.get("steps"))):
            return super().evaluate(x, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> Any:
        """Returns the predictions; see `keras.Model.predict`."""
        with self._steps(1):
            return super().predict(x, **kwargs)

    @contextlib.contextmanager
    def _steps(self, count: int) -> Iterator[None]:
        """Sets the steps of an execution for a while: a callback may evaluate while fit runs."""
        before = self.steps_per_execution
        # Keras 3.15 cannot run several steps at once on several replicas of a data set.
        if self._auto_steps and self._distribute_strategy is None:
            self.steps_per_execution = count
        try:
            yield
        finally:
            self.steps_per_execution = before

    def _on_device(
        self, x: Any, batch_size: int | None, whole: bool, shuffled: bool = False
    ) -> Any:
        """x as it is best executed: on the device if whole epochs are asked for and it fits."""
        if not self.compiled or self.run_eagerly or self._distribute_strategy is not None:
            return x
        if whole:
            x = on_device(x, batch_size, shuffled, seed=int(self.seed_state[0]))
        if isinstance(x, OnDevice):
            if not self.built:
                self.build((None, *x.batches.image_shape))
            if not self.optimizer.built:
                self.optimizer.build(self.trainable_variables)
        return ahead(x) if isinstance(x, tf.data.Dataset) else x

    def _make_function(self, step: Callable[..., Any]) -> Callable[[Any], Any]:
        """Keras' hook: from a step to what runs `steps_per_execution` of them on an iterator."""
        scanned = ScannedSteps(step, self.jit_compile)
        streamed: dict[int, Callable[[Any], Any]] = {}  # Keras compiles the count in

        def function(iterator: Any) -> Any:
            count = self.steps_per_execution
            if isinstance(iterator, ResidentEpoch):
                return scanned(iterator, count)
            if count not in streamed:
                streamed[count] = super(DeviceTrainer, self)._make_function(step)
            return streamed[count](iterator)

        return function
