"""Many training or test steps in one compiled program, behind Keras' own `fit` and `evaluate`."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.data.resident import Chunk, ResidentBatches, ResidentEpoch


class ScannedSteps:
    """Runs a step over the batches of a `ResidentEpoch`, as many as asked for in one program.

    The loop, the gathering of rows, scaling and binarisation are part of the program, so nothing
    returns to the host between two steps. It is compiled once for each batch size and recipe, not
    for each count of steps.

    Args:
        step: `train_step` or `test_step` of a built model.
        jit_compile: whether XLA compiles the program.
    """

    def __init__(self, step: Callable[[tf.Tensor], dict[str, tf.Tensor]], jit_compile: bool):
        self._step = step
        self._jit_compile = jit_compile
        self._programs: dict[tuple[Any, ...], Callable[..., dict[str, tf.Tensor]]] = {}

    def __call__(self, epoch: ResidentEpoch, count: int) -> dict[str, tf.Tensor]:
        """Takes `count` batches, fewer at the epoch's end, and returns the last step's logs."""
        logs = None
        for chunk in epoch.take(count):
            logs = self._run(epoch.batches, chunk)
        if logs is None:
            raise StopIteration
        return logs

    def _run(self, batches: ResidentBatches, chunk: Chunk) -> dict[str, tf.Tensor]:
        key = (batches.recipe, batches.batch_size, chunk.size)
        if key not in self._programs:
            self._programs[key] = self._program(batches, chunk.size)
        # A tensor, because a Python number is compiled in, and again for the last chunk. On an
        # accelerator a number, because a loop of unknown length asks the host after each step.
        count = chunk.count if tf.config.list_logical_devices("GPU") else tf.constant(chunk.count)
        return self._programs[key](
            batches.pixels(), chunk.order, tf.constant(chunk.epoch), tf.constant(chunk.first), count
        )

    def _program(self, batches: ResidentBatches, size: int) -> Callable[..., dict[str, tf.Tensor]]:
        spec = tf.TensorSpec((size, *batches.image_shape), tf.float32)
        step = tf.function(self._step).get_concrete_function(spec)
        empty = tf.nest.map_structure(
            lambda log: tf.zeros(log.shape, log.dtype), step.structured_outputs
        )

        @tf.function(jit_compile=self._jit_compile, autograph=False)
        def program(pixels, order, epoch, first, count):
            def body(i, logs):
                return i + 1, step(batches.images(pixels, order, epoch, first + i, size))

            return tf.while_loop(lambda i, logs: i < count, body, (tf.constant(0), empty))[1]

        return program
