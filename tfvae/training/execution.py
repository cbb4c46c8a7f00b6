"""How a `fit` or `evaluate` is executed: where its data lie, and how many steps run at once."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.trainers.data_adapters.data_adapter import DataAdapter  # Keras accepts others' own

from tfvae.data.epochs import provenance
from tfvae.data.resident import ResidentBatches, resident, resident_array
from tfvae.errors import UserError
from tfvae.training.devices import accelerators

# One program's steps on data that stay on the device. Two cores, 784-200-200-50, batch 128: of the
# speed at 400 steps, 8 have 88 %, 20 have 94 %, 100 all. Between programs, progress is reported and
# `stop_training` noticed.
STEPS = 100
STREAMED_STEPS = 16  # Keras' own loop, which holds one batch at a time
_AHEAD = 2  # batches on their way to an accelerator
_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
_TEST_HOOKS = ("on_test_batch_begin", "on_test_batch_end")


class OnDevice(DataAdapter):
    """Hands `ResidentBatches` through Keras to the step functions."""

    def __init__(self, batches: ResidentBatches):
        self.batches = batches

    def get_tf_dataset(self) -> ResidentBatches:
        """Returns what Keras iterates over: one `ResidentEpoch` an epoch."""
        return self.batches

    @property
    def num_batches(self) -> int:
        """Batches of an epoch."""
        return self.batches.num_batches

    @property
    def batch_size(self) -> int:
        """Rows of a batch."""
        return self.batches.batch_size


class ResumeEpochs(keras.callbacks.Callback):
    """Makes a restored run see the epochs that it would have seen.

    `keras.callbacks.BackupAndRestore` sets the epoch to go on with when training begins, so this
    has to come after it. Images of an array have no epochs of their own: the optimiser's count of
    steps, which is restored with the weights, stands for them.
    """

    def __init__(self, data: OnDevice | tf.data.Dataset, initial_epoch: int):
        super().__init__()
        self.initial_epoch = initial_epoch
        self.from_array = isinstance(data, OnDevice) and data.batches.from_array
        self.num_batches = data.num_batches if self.from_array else None
        source = data.batches.source if isinstance(data, OnDevice) else provenance(data)
        self.epochs = getattr(source, "epochs", None)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Tells the data which epoch comes next."""
        if self.epochs is None:
            return
        epoch = self.model._initial_epoch or self.initial_epoch
        if self.from_array:
            epoch = max(epoch, int(self.model.optimizer.iterations) // self.num_batches)
        self.epochs.resume_at(epoch)


def on_device(x: Any, batch_size: int | None, shuffled: bool, seed: int) -> Any:
    """Returns x as `OnDevice` if it can be, and as it is otherwise."""
    batches = None
    if isinstance(x, tf.data.Dataset):
        batches = resident(x)
    elif isinstance(x, np.ndarray | tf.Tensor) and x.dtype in (np.float32, np.float64, np.float16):
        batches = resident_array(np.asarray(x), batch_size or 32, shuffled, seed)
    return x if batches is None else OnDevice(batches)


def ahead(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns a data set whose batches are on the accelerator before a step asks for them.

    Without an accelerator it is returned as it is. TensorFlow wants this to be the last step of a
    pipeline and forgets how many batches there are.
    """
    devices = accelerators()
    if not devices:
        return dataset
    moved = dataset.apply(tf.data.experimental.prefetch_to_device(devices[0], _AHEAD))
    moved.cardinality = dataset.cardinality
    moved._tfvae_provenance = provenance(dataset)
    return moved


def split(images: Any, fraction: float) -> tuple[Any, Any]:
    """Returns training and validation images as Keras splits them: the last ones validate."""
    if not hasattr(images, "shape"):
        raise UserError(
            f"validation_split={fraction} needs an array of images, received a "
            f"{type(images).__name__}. Pass validation_data=, such as dataset.take(n), and train "
            "on dataset.skip(n)."
        )
    first = math.floor(len(images) * (1.0 - fraction))
    if not 0 < first < len(images):
        raise UserError(
            f"validation_split={fraction} leaves {first} of {len(images)} images to train on; "
            "expected at least one to train on and one to validate. Choose a fraction in (0, 1)."
        )
    return images[:first], images[first:]


def steps_at_once(data: Any, callbacks: Any, *counts: int | None) -> int:
    """Returns how many steps one execution runs: the more, the less time is lost between them.

    Args:
        data: what the steps run on.
        callbacks: of the call; one that looks at batches has to see each.
        *counts: `steps_per_epoch` and the like. Keras runs whole executions, so the result divides
            those that are given.
    """
    if any(_looks_at_batches(callback) for callback in _listed(callbacks)):
        return 1
    if isinstance(data, OnDevice):
        most = min(STEPS, data.num_batches)
    elif isinstance(data, tf.data.Dataset):
        most = max(1, min(STREAMED_STEPS, int(data.cardinality())))
    else:
        return 1
    asked = math.gcd(*(int(count) for count in counts if count is not None))
    return next(steps for steps in range(most, 0, -1) if asked % steps == 0)


def _listed(callbacks: Any) -> list[keras.callbacks.Callback]:
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
