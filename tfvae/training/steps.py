"""Many training or test steps in one compiled program, behind Keras' own `fit` and `evaluate`."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.data.resident import Chunk, ResidentBatches, ResidentEpoch
from tfvae.training.devices import accelerators

Logs = dict[str, tf.Tensor]


class ScannedSteps:
    """Runs a step over the batches of a `ResidentEpoch`, as many as asked for in one program.

    The loop, the gathering of rows, scaling and binarisation are part of the program, so nothing
    returns to the host between two steps. It is compiled once for each batch size and recipe, not
    for each count of steps. The smaller batch that ends an epoch is left to TensorFlow's own graph
    executor, which is ready four times sooner than XLA.

    Args:
        step: `train_step` or `test_step` of a built model.
        jit_compile: whether XLA compiles the program.
    """

    def __init__(self, step: Callable[[tf.Tensor], Logs], jit_compile: bool):
        self._step = step
        self._jit_compile = jit_compile
        self._programs: dict[tuple[Any, ...], Callable[..., Logs]] = {}

    def __call__(self, epoch: ResidentEpoch, count: int) -> Logs:
        """Takes `count` batches, fewer at the epoch's end, and returns the last step's logs."""
        logs = None
        for chunk in epoch.take(count):
            program, arguments = self.program(epoch.batches, chunk)
            logs = program(*arguments)
        if logs is None:
            raise StopIteration
        return logs

    def program(self, batches: ResidentBatches, chunk: Chunk) -> tuple[Callable[..., Logs], tuple]:
        """Returns the program that runs a chunk, compiled when first called, and its arguments."""
        numbers = (chunk.epoch, chunk.first, chunk.count)
        arguments = (batches.pixels(), chunk.order, *map(tf.constant, numbers))
        # A loop of unknown length asks an accelerator's host whether to go on after each step.
        fixed = chunk.count if accelerators() else None
        key = (batches.recipe, batches.batch_size, chunk.size, fixed)
        if key not in self._programs:
            program = self._loop(batches, chunk.size, fixed)
            self._programs[key] = program.get_concrete_function(*arguments)
        return self._programs[key], arguments

    def _loop(self, batches: ResidentBatches, size: int, fixed: int | None) -> Any:
        spec = tf.TensorSpec((size, *batches.image_shape), tf.float32)
        step = tf.function(self._step).get_concrete_function(spec)
        empty = tf.nest.map_structure(
            lambda log: tf.zeros(log.shape, log.dtype), step.structured_outputs
        )

        @tf.function(jit_compile=self._jit_compile and size == batches.batch_size, autograph=False)
        def program(pixels, order, epoch, first, count):
            def body(i, logs):
                return i + 1, step(batches.images(pixels, order, epoch, first + i, size))

            end = count if fixed is None else fixed
            return tf.while_loop(lambda i, logs: i < end, body, (tf.constant(0), empty))[1]

        return program
