"""How many steps one execution runs, and which epoch a run that goes on sees."""

import math
from typing import Any

import keras
import tensorflow as tf

from tfvae.data.loaded import LoadedSet
from tfvae.training.resident import ResidentData

# One program's steps on data that stay on the device. Two cores, 784-200-200-50, batch 128: of the
# speed at 400 steps, 8 have 88 %, 20 have 94 %, 100 all. Between programs, progress is reported and
# `stop_training` noticed.
STEPS = 100
STREAMED_STEPS = 16  # Keras' own loop, which holds one batch at a time
_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
_TEST_HOOKS = ("on_test_batch_begin", "on_test_batch_end")


class ResumeEpochs(keras.callbacks.Callback):
    """Makes a restored run see the epochs that it would have seen.

    `keras.callbacks.BackupAndRestore` sets the epoch to go on with when training begins, so this
    has to come after it. Arrays have no epochs of their own: the optimiser's count of steps, which
    is restored with the weights, stands for them.
    """

    def __init__(self, data: Any, initial_epoch: int):
        super().__init__()
        self.initial_epoch = initial_epoch
        self.from_array = isinstance(data, ResidentData) and data.from_array
        self.recipe = data.recipe if isinstance(data, ResidentData | LoadedSet) else None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Tells the data which epoch comes next."""
        if self.recipe is None or self.recipe.epochs is None:
            return
        epoch = self.model._initial_epoch or self.initial_epoch
        if self.from_array:
            epoch = max(
                epoch, int(self.model.optimizer.iterations.numpy()) // self.recipe.num_batches
            )
        self.recipe.epochs.resume_at(epoch)


def steps_at_once(data: Any, callbacks: Any, *counts: int | None) -> int:
    """Returns how many steps one execution runs: the more, the less time is lost between them.

    Args:
        data: what the steps run on.
        callbacks: of the call; one that looks at batches has to see each.
        *counts: `steps_per_epoch` and the like. Keras runs whole executions, so the result divides
            those that are given.
    """
    if any(_looks_at_batches(callback) for callback in as_list(callbacks)):
        return 1
    if isinstance(data, ResidentData):
        most = min(STEPS, data.num_batches)
    elif isinstance(data, tf.data.Dataset):
        most = max(1, min(STREAMED_STEPS, int(data.cardinality())))
    else:
        return 1
    asked = math.gcd(*(int(count) for count in counts if count is not None))
    return next(steps for steps in range(most, 0, -1) if asked % steps == 0)


def as_list(callbacks: Any) -> list[keras.callbacks.Callback]:
    """Returns the callbacks of a call, in whichever form Keras takes them, as a list."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks.callbacks
    return [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks or ())


def _looks_at_batches(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback would miss batches that run unseen. Keras' own count them all the same."""
    for hook in (*_BATCH_HOOKS, *_TEST_HOOKS):
        function = getattr(callback, hook)
        function = getattr(function, "__func__", function)
        if not getattr(function, "__module__", "").startswith("keras."):
            return True
    frequencies = (getattr(callback, name, "epoch") for name in ("save_freq", "update_freq"))
    return any(isinstance(frequency, int) and frequency for frequency in frequencies)
