"""Whether a masked network gains by leaving out what its masks leave out, measured in turns.

    python -m tests.benchmark.masked [BATCH] [D] [UNITS]

times MADE's two products, hidden and out, with their gradients, compiled by XLA: whole, weights
times mask, as `tfvae.networks.MADE` has them, and by blocks of degrees, each of which multiplies
only the rows that its last degree reads. Prints microseconds, and how much faster blocks are.
"""

import sys
import time

import numpy as np
import tensorflow as tf

BLOCKS, ROUNDS, CALLS = (2, 4), 15, 50


def whole(z, hidden, out, masks):
    """The products of the masked matrices."""
    return tf.nn.relu(z @ (hidden * masks[0])) @ (out * masks[1])


def by_blocks(count, size, degrees):
    """The same by `count` blocks of degrees, of hidden units in the order of their degrees."""
    edges = np.linspace(0, size, count + 1).astype(int)
    last = np.searchsorted(degrees, edges[1:])  # hidden units of lower degrees

    def product(z, hidden, out, masks):
        first, features, results = 0, [], []
        for edge, end in zip(edges[1:], last, strict=True):
            block = slice(first, end)
            part = hidden[:edge, block] * masks[0][:edge, block]
            features.append(tf.nn.relu(z[:, :edge] @ part))
            first = end
        features = tf.concat(features, 1)
        for start, edge, end in zip(edges[:-1], edges[1:], last, strict=True):
            part = out[:end, start:edge] * masks[1][:end, start:edge]
            results.append(features[:, :end] @ part)
        return tf.concat(results, 1)

    return product


def step(product, masks):
    """The product and the gradients of its sum of squares."""

    @tf.function(jit_compile=True)
    def run(z, hidden, out):
        with tf.GradientTape() as tape:
            tape.watch((z, hidden, out))
            value = product(z, hidden, out, masks)
            loss = tf.reduce_sum(value**2)
        return value, *tape.gradient(loss, (z, hidden, out))

    return run


def main(batch=128, size=50, units=200):
    """Prints the times."""
    degrees = np.sort(np.arange(units) % size)
    masks = [
        (np.arange(1, size + 1)[:, None] <= degrees).astype("float32"),
        (degrees[:, None] < np.arange(1, size + 1)).astype("float32"),
    ]
    generator = np.random.default_rng(0)
    given = [
        tf.constant(generator.normal(size=shape), tf.float32)
        for shape in ((batch, size), (size, units), (units, size))
    ]
    steps = {"whole": step(whole, masks)}
    steps |= {f"{count} blocks": step(by_blocks(count, size, degrees), masks) for count in BLOCKS}
    expected = steps["whole"](*given)
    for run in steps.values():
        for found, value in zip(run(*given), expected, strict=True):
            np.testing.assert_allclose(found, value, atol=1e-4 * np.abs(value).max())
    taken = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, run in steps.items():
            begun = time.perf_counter()
            for _ in range(CALLS):
                found = run(*given)
            found[0].numpy()
            taken[name].append((time.perf_counter() - begun) / CALLS * 1e6)
    base = np.median(taken["whole"])
    for name, values in taken.items():
        middle = np.median(values)
        print(f"{name}: {middle:.0f} us, {base / middle:.2f} times as fast as whole")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
