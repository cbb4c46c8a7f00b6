"""What the fused operation of `MapNormalization` gains over Keras' layer, measured in turns.

    python -m tests.benchmark.normalisation [BATCH] [SIDE] [CHANNELS]

times one normalisation and a swish of maps with their gradients, by TensorFlow's own kernels, as
models with convolutions train on a CPU. Prints milliseconds, and how much faster the layer is.
"""

import statistics
import sys
import time

import keras
import tensorflow as tf

from tfvae.networks.normalisation import MapNormalization

ROUNDS, CALLS = 9, 10


def step(layer):
    """The gradient of a swish of the layer's maps with respect to maps and weights."""

    @tf.function
    def run(maps):
        with tf.GradientTape() as tape:
            tape.watch(maps)
            loss = tf.reduce_sum(tf.nn.silu(layer(maps, training=True)) ** 2)
        weights = [weight.value for weight in layer.trainable_weights]
        return tape.gradient(loss, [maps, *weights])

    return run


def main(batch=128, side=28, channels=32):
    """Prints the times."""
    maps = tf.random.normal((batch, side, side, channels), seed=1)
    steps = {}
    for kind in (keras.layers.BatchNormalization, MapNormalization):
        layer = kind(epsilon=1e-5)
        layer.build(maps.shape)
        steps[kind.__name__] = step(layer)
        steps[kind.__name__](maps)
    times = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, run in steps.items():
            start = time.perf_counter()
            for _ in range(CALLS):
                gradients = run(maps)
            gradients[0].numpy()
            times[name].append((time.perf_counter() - start) / CALLS)
    for name, seconds in times.items():
        print(f"{name}: {1e3 * statistics.median(seconds):.2f} ms")
    whole, fused = times.values()
    ratio = statistics.median(a / b for a, b in zip(whole, fused, strict=True))
    print(f"MapNormalization is {ratio:.2f} times as fast")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
