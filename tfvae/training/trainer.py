"""Keras' `fit`, `evaluate` and `predict` on named fields, as fast as the machine."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from tfvae.data.fields import Fields
from tfvae.data.rows import Columns
from tfvae.training.batchwise import OnBatches
from tfvae.training.device_loop import DeviceLoop
from tfvae.training.executions import ResumeEpochs, as_list, steps_at_once
from tfvae.training.inputs import are_arrays, check_counts, checked_inputs, refuse_extra, split
from tfvae.training.placing import accepted, distributed, is_distributed, placed
from tfvae.training.replicas import filled, unfilled
from tfvae.training.resident import (
    ResidentData,
    ResidentEpoch,
    first_rows,
    num_rows,
    recipe_of,
)


class Trainer(OnBatches):
    """A Keras model that learns from named fields: with Keras' interface, and other step functions.

    What enters is checked against `fields()`, and what would be ignored is refused. Data sets of
    `tfvae.data.load` and arrays, up to `tfvae.training.resident.LIMIT_BYTES`, are put on the device
    once, and a `DeviceLoop` makes their batches inside the compiled step, many steps in one
    program. Everything else (other pipelines, larger data, `steps_per_epoch`, `run_eagerly`) goes
    Keras' own way, the first three with batches copied to a GPU ahead of the steps.

    Made and compiled under a `tf.distribute` strategy, a model takes batches of all replicas: each
    has consecutive rows, and logs and weights are those of one device to rounding. There, XLA does
    not compile the steps.

    Subclasses have `fields`, `phases`, `call`, `reconstruct`, a `build` that is given the shape
    `(None, *shape)` of the only field or a dict of these by name, and the weight `seed_state`,
    whose first entry decides the order of arrays.
    """

    def fields(self) -> Fields:
        """Returns what one example holds, by name."""
        raise NotImplementedError

    def begin_training(self, num_examples: int) -> None:
        """Called before training, with the size of the training set, or 0 where it is not known."""

    @property
    def asks_for_first_batch(self) -> bool:
        """Whether `check_first_batch` has something to check."""
        return False

    def check_first_batch(self, rows: int) -> None:
        """Called before training, with the rows of the first batch where they can be known.

        Raises:
            UserError: if a model that asked for it can't begin with so few.
        """

    def look_at(self, columns: Columns | None, labelled: float | None = None) -> None:
        """Called before training.

        Args:
            columns: Of the training set; None where it does not say.
            labelled: The share of rows with a label in each of its batches, where
                `labelled_per_batch` decides it.
        """

    def reconstruct(self, batch: Any) -> Any:
        """Returns what `predict` does for a batch, bare or a dict as it was passed."""
        raise NotImplementedError

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> keras.callbacks.History:
        """Trains on the model's fields alone; see `keras.Model.fit` for the arguments.

        Args:
            x: An array `[N, *shape]` where the model requires one field, a dict of arrays by name,
                or batches of either: a `tf.data.Dataset`, a `keras.utils.PyDataset` or a generator.
            y: Refused: there are no targets. So are `sample_weight` and `class_weight`.
            batch_size: Rows of a batch where x is arrays, 32 by default.
            epochs: How often to go through x.
            verbose: As for Keras.
            callbacks: Of Keras, of `tfvae.callbacks`, or of your own.
            validation_split: Share of arrays that is held out, their last rows.
            validation_data: What x may be; evaluated after an epoch.
            shuffle: Whether arrays are shuffled anew in each epoch; data sets shuffle themselves.
            class_weight: Refused.
            sample_weight: Refused.
            initial_epoch: The number of the first epoch, of a training that goes on.
            steps_per_epoch: Batches of an epoch; None takes all that there are.
            validation_steps: Likewise, of the validation data.
            validation_batch_size: Rows of a batch where those are arrays; batch_size by default.
            validation_freq: Every how many epochs, or in which, as for Keras.

        Raises:
            UserTypeError: for numbers of a wrong kind, such as bytes for pixels or reals for
                labels, and data of other types.
            UserError: for targets, weights, fields that are missing or not declared, of different
                lengths, shapes or ranges, values that are not finite, and counts below 1.
        """
        kwargs: dict[str, Any] = {
            "validation_split": validation_split,
            "shuffle": shuffle,
            "initial_epoch": initial_epoch,
            "steps_per_epoch": steps_per_epoch,
            "validation_steps": validation_steps,
            "validation_batch_size": validation_batch_size,
            "validation_freq": validation_freq,
        }
        check_counts(kwargs, "steps_per_epoch", "validation_steps", "validation_batch_size")
        refuse_extra(y, sample_weight, class_weight)
        validation = validation_data
        if validation is not None:
            validation = checked_inputs(validation, self.fields(), "validation_data")
        x = accepted(self, x, batch_size)
        if validation_split and validation is None:
            x, validation = split(x, kwargs.pop("validation_split"))
        if not are_arrays(x) and getattr(x, "num_batches", None) is None:
            kwargs["shuffle"] = False  # they shuffle themselves; Keras warns of its own default
        whole = steps_per_epoch is None
        if self.asks_for_first_batch and (rows := first_rows(x, batch_size)) is not None:
            self.check_first_batch(rows)
        data = placed(self, x, batch_size, whole, kwargs["shuffle"])
        counts = [steps_per_epoch]
        if validation is not None:
            size, whole = validation_batch_size or batch_size, validation_steps is None
            validation = placed(self, validation, size, whole=whole)
            counts.append(validation_steps)
        recipe = recipe_of(data) or recipe_of(x)
        if recipe is None:
            self.look_at(None)
        else:
            self.look_at(recipe.columns, recipe.labelled_share)
        self.begin_training(num_rows(data))
        steps = steps_at_once(data, callbacks, *counts)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            source = data if isinstance(data, ResidentData) else x
            resume = ResumeEpochs(source, initial_epoch)
            callbacks = [*as_list(callbacks), resume]
        kwargs.update(callbacks=callbacks, verbose=verbose)
        kwargs["validation_data"] = None if validation is None else distributed(self, validation)
        with self._steps(steps):
            return super().fit(
                distributed(self, data, kwargs["shuffle"]),
                batch_size=batch_size,
                epochs=epochs,
                **kwargs,
            )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        **kwargs: Any,
    ) -> Any:
        """Returns the loss and the logged nats; see `keras.Model.evaluate`, and `fit` for x."""
        refuse_extra(y, kwargs.get("sample_weight"))
        check_counts(kwargs, "steps")
        if kwargs.get("_use_cached_eval_dataset"):  # from `fit`, which has prepared all of this
            return super().evaluate(x, batch_size=batch_size, verbose=verbose, **kwargs)
        x = placed(self, accepted(self, x, batch_size), batch_size, kwargs.get("steps") is None)
        with self._steps(steps_at_once(x, kwargs.get("callbacks"), kwargs.get("steps"))):
            return super().evaluate(
                distributed(self, x), batch_size=batch_size, verbose=verbose, **kwargs
            )

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: int | str = "auto", **kwargs: Any
    ) -> Any:
        """Returns the reconstruction of each example; see `keras.Model.predict`."""
        check_counts(kwargs, "steps")
        x = accepted(self, x, batch_size)
        if is_distributed(self):
            x = distributed(self, placed(self, x, batch_size, whole=True))
        with self._steps(1):
            return super().predict(x, batch_size=batch_size, verbose=verbose, **kwargs)

    def predict_step(self, data: Any) -> Any:
        """Reconstructs a batch without drawing anything."""
        x = keras.utils.unpack_x_y_sample_weight(data)[0]
        return unfilled(self.reconstruct(filled(x)), x)

    @contextlib.contextmanager
    def _steps(self, count: int) -> Iterator[None]:
        """Sets the steps of an execution for a while: a callback may evaluate while fit runs."""
        before = self.steps_per_execution  # type: ignore[has-type]
        # Keras 3.15 cannot run several steps at once on several replicas of a data set.
        if self._auto_steps and not is_distributed(self):
            self.steps_per_execution = count
        try:
            yield
        finally:
            self.steps_per_execution = before

    def _make_function(self, step: Callable[..., Any]) -> Callable[[Any], Any]:
        """Keras' hook: from a step to what runs `steps_per_execution` of them on an iterator."""
        loop = DeviceLoop(step, self.jit_compile)
        streamed: dict[int, Callable[[Any], Any]] = {}  # Keras compiles the count in

        def function(iterator: Any) -> Any:
            count = self.steps_per_execution
            if isinstance(iterator, ResidentEpoch):
                return loop(iterator, count)
            if count not in streamed:
                streamed[count] = super(Trainer, self)._make_function(step)
            return streamed[count](iterator)

        return function
