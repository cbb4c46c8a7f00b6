"""Many training or test steps in one compiled program, on data that stay on the device."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.training.devices import accelerators
from tfvae.training.resident import ResidentData, ResidentEpoch

Logs = dict[str, tf.Tensor]


class DeviceLoop:
    """Runs a step over the batches of a `ResidentEpoch`, as many as asked for in one program.

    The loop, the gathering of rows, scaling and binarisation are part of the program, so nothing
    returns to the host between two steps. It is compiled once for each batch size and data set's
    key, not for each count of steps. The smaller batch that ends an epoch is left to TensorFlow's
    own graph executor, which is ready four times sooner than XLA.

    Args:
        step: `train_step` or `test_step` of a built model.
        jit_compile: whether XLA compiles the program.
    """

    def __init__(self, step: Callable[[Any], Logs], jit_compile: bool):
        self._step = step
        self._jit_compile = jit_compile
        self._programs: dict[tuple[Any, ...], Callable[..., Logs]] = {}

    def __call__(self, epoch: ResidentEpoch, count: int) -> Logs:
        """Takes `count` batches, fewer at the epoch's end, and returns the last step's logs."""
        logs = None
        for run in epoch.take(count):
            program, arguments = self.program(epoch, *run)
            logs = program(*arguments)
        if logs is None:
            raise StopIteration
        return logs

    def program(
        self, epoch: ResidentEpoch, first: int, count: int, size: int
    ) -> tuple[Callable[..., Logs], tuple]:
        """Returns the program that runs so many batches, and its arguments."""
        numbers = map(tf.constant, (epoch.number, first, count))
        arguments = (epoch.data.columns(), epoch.order, *numbers)
        # A loop of unknown length asks an accelerator's host whether to go on after each step.
        fixed = count if accelerators() else None
        key = (epoch.data.key, size, fixed)
        if key not in self._programs:
            program = self.loop(epoch.data, size, fixed)
            self._programs[key] = program.get_concrete_function(*arguments)
        return self._programs[key], arguments

    def loop(self, data: ResidentData, size: int, fixed: int | None) -> Any:
        """Returns the `tf.function` of (columns, order, epoch, first, count) for one batch size."""
        step = tf.function(self._step).get_concrete_function(_spec(data, size))
        empty = tf.nest.map_structure(
            lambda log: tf.zeros(log.shape, log.dtype), step.structured_outputs
        )

        @tf.function(jit_compile=self._jit_compile and size == data.batch_size, autograph=False)
        def program(columns: Any, order: Any, epoch: Any, first: Any, count: Any) -> Any:
            def body(i: Any, logs: Any) -> Any:
                return i + 1, step(data.batch(columns, order, epoch, first + i, size))

            end = count if fixed is None else fixed
            return tf.while_loop(lambda i, logs: i < end, body, (tf.constant(0), empty))[1]

        return program


def _spec(data: ResidentData, size: int) -> Any:
    """The structure of one batch."""
    specs = {
        name: tf.TensorSpec((size, *field.shape), field.dtype)
        for name, field in data.recipe.fields.items()
    }
    return next(iter(specs.values())) if data.recipe.bare else specs
