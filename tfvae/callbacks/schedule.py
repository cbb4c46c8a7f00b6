"""What changes over time, once an epoch."""

from typing import Any

import keras


class VariableSchedule(keras.callbacks.Callback):
    """Sets a variable of the loss at the beginning of each epoch.

    Subclasses say which, and what it is as a function of time in epochs, t. Epoch e trains with the
    schedule's value in its middle, t = e + 1/2: the staircase has the ramp's mean. One value an
    epoch, because a callback that acts on batches would keep `fit` from running many of them at
    once; and a function of the epoch alone, so that a run that was interrupted goes on with the
    value that it would have had (`fit(..., initial_epoch=e)`).

    The value is logged under the name of its variable, such as `kl_weight`; put this callback
    before those that read the logs, such as `keras.callbacks.CSVLogger`.
    """

    @property
    def variable(self) -> keras.Variable:
        """What is set, of the model that is trained.

        Raises:
            UserError: if the model has none.
        """
        raise NotImplementedError

    def value(self, t: float) -> float:
        """Returns the value at time t, in epochs since training began."""
        raise NotImplementedError

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Refuses a model whose loss has no such variable."""
        _ = self.variable

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the variable: an assignment, which compiles nothing anew."""
        self.variable.assign(self.value(epoch + 0.5))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs the value that the epoch was trained with."""
        if logs is not None:
            logs[self.variable.name] = float(self.variable)
