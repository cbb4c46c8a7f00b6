"""How much faster draws are that compute only what is new, against the whole network each time.

    python -m tests.benchmark.pixels [SIDE] [ROWS] [FILTERS] [LAYERS]

draws ROWS images or codes of SIDE x SIDE from a gated PixelCNN and a PixelSNAIL, in turns with the
loop that evaluates the whole network for every position, and prints seconds of processor time. Both
make the same draws.
"""

import functools
import sys
import time

import numpy as np
import tensorflow as tf

from tests.networks.naive_pixels import naive_levels
from tfvae import networks
from tfvae.networks.pixel_draws import draw_levels

ROUNDS = 3


def seconds(network, rows, rounds=ROUNDS):
    """{"cached" or "naive": processor time of a call}, the least of some."""
    size = int(np.prod(network.image_size))
    uniform = tf.constant(np.random.default_rng(0).random((rows, size)), tf.float32)
    runs = {
        "cached": tf.function(functools.partial(draw_levels, network), autograph=False),
        "naive": tf.function(functools.partial(naive_levels, network), autograph=False),
    }
    first = {name: run(uniform).numpy() for name, run in runs.items()}
    assert np.mean(first["cached"] == first["naive"]) > 0.999, "rounding may move a draw"
    taken = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            begun = time.process_time()
            run(uniform).numpy()
            taken[name].append(time.process_time() - begun)
    return {name: min(values) for name, values in taken.items()}


def main(side=7, rows=16, filters=32, layers=5):
    """Prints the times."""
    for make in (networks.GatedPixelCNN, networks.PixelSNAIL):
        network = make(64, filters=filters, num_layers=layers)
        network.build((None, side, side))
        found = seconds(network, rows)
        gain = found["naive"] / found["cached"]
        print(
            f"{make.__name__} {side} x {side}, {rows} at once: cached {found['cached']:.3f} s, "
            f"naive {found['naive']:.3f} s, {gain:.1f} times as fast"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
