"""Depthwise convolutions by TensorFlow's kernels and by XLA, timed in turns.

    python -m tests.benchmark.depthwise [BATCH]

times the convolution of `GenerativeCell` with its gradients, for the maps of the presets: by
TensorFlow's own kernel, by XLA's, and as a sum over shifted maps, which XLA makes one loop of.
Prints the median milliseconds of each, and the fastest. `tfvae.training.xla` chooses by it: a model
with depthwise convolutions is not compiled by XLA on a CPU.
"""

import statistics
import sys
import time

import tensorflow as tf

ROUNDS, SIDE = 7, 5
# Height and width, and the channels inside a cell: of digits-nvae, mnist-nvae, mnist-nvae-paper.
MAPS = ((4, 96), (8, 96), (4, 192), (7, 96), (7, 192), (14, 64), (14, 384))


def kernel_of_tensorflow(x, kernel):
    """TensorFlow's operation, which XLA has one of its own for."""
    return tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME")


def sum_of_shifts(x, kernel):
    """The same, a product for each pixel of the kernel."""
    height, width = x.shape[1:3]
    edge = [SIDE // 2, SIDE // 2]
    padded = tf.pad(x, [[0, 0], edge, edge, [0, 0]])
    return tf.add_n(
        [
            padded[:, i : i + height, j : j + width] * kernel[i, j, :, 0]
            for i in range(SIDE)
            for j in range(SIDE)
        ]
    )


WAYS = {
    "TensorFlow": (kernel_of_tensorflow, False),
    "XLA": (kernel_of_tensorflow, True),
    "shifts, XLA": (sum_of_shifts, True),
}


def step(convolution, xla):
    """The gradients of a sum of squares, by maps and by kernel."""

    @tf.function(jit_compile=xla)
    def run(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch((x, kernel))
            loss = tf.reduce_sum(convolution(x, kernel) ** 2)
        return tape.gradient(loss, (x, kernel))

    return run


def milliseconds(batch, side, channels):
    """The median of each way, after a call that compiles."""
    inputs = (
        tf.random.normal([batch, side, side, channels]),
        tf.random.normal([SIDE, SIDE, channels, 1]),
    )
    steps = {name: step(*way) for name, way in WAYS.items()}
    taken = {name: [] for name in WAYS}
    for turn in range(1 + ROUNDS):
        for name, run in steps.items():
            begun = time.perf_counter()
            for value in run(*inputs):
                value.numpy()
            if turn:
                taken[name].append(1000 * (time.perf_counter() - begun))
    return {name: statistics.median(times) for name, times in taken.items()}


def main(batch=128):
    """Prints the times."""
    for side, channels in MAPS:
        found = milliseconds(batch, side, channels)
        times = ", ".join(f"{name} {ms:.2f}" for name, ms in found.items())
        print(f"{batch}x{side}x{side}x{channels}: {times} ms; {min(found, key=found.get)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
