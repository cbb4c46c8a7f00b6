"""A peer to compare with: the network of `tfvae benchmark mnist --activation relu` in plain JAX.

Written for speed: an epoch is one compiled program (`lax.scan`), buffers are donated, the data lie
on the device as float32 and are binarised inside the step. Needs `pip install jax`, in an
environment of its own. Run by `compare.py`; see there for the protocol.
"""

import functools
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

SIZES = ((784, 200), (200, 200), (200, 100), (50, 200), (200, 200), (200, 784))


def parameters(random):
    limits = [np.sqrt(6 / (rows + columns)) for rows, columns in SIZES]
    draws = [random.uniform(-a, a, size) for a, size in zip(limits, SIZES, strict=True)]
    return [(jnp.asarray(w, jnp.float32), jnp.zeros(w.shape[1])) for w in draws]


def dense(layer, x):
    weights, bias = layer
    return x @ weights + bias


def loss(layers, x, key):
    h = jax.nn.relu(dense(layers[1], jax.nn.relu(dense(layers[0], x))))
    loc, scale = jnp.split(dense(layers[2], h), 2, axis=1)
    scale = jax.nn.softplus(scale) + 1e-5
    z = loc + scale * jax.random.normal(key, loc.shape)
    h = jax.nn.relu(dense(layers[4], jax.nn.relu(dense(layers[3], z))))
    logits = dense(layers[5], h)
    nll = jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    kl = 0.5 * (loc**2 + scale**2 - 1) - jnp.log(scale)
    return (nll.sum() + kl.sum()) / len(x)


def step(images, state, inputs):
    (layers, first, second, count), (rows, key) = state, inputs
    bits_key, noise_key = jax.random.split(key)
    x = images[rows]
    x = (jax.random.uniform(bits_key, x.shape) < x).astype(jnp.float32)
    value, gradients = jax.value_and_grad(loss)(layers, x, noise_key)
    tree_map, count = jax.tree_util.tree_map, count + 1
    first = tree_map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    layers = tree_map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), layers, first, second)
    return (layers, first, second, count), value


def main(batch_size):
    random = np.random.default_rng(0)
    images = jnp.asarray(random.integers(0, 256, (60_000, 784)) / 255, jnp.float32)
    steps = len(images) // batch_size

    @functools.partial(jax.jit, donate_argnums=0)
    def epoch(state, key):
        order_key, noise_key = jax.random.split(key)
        order = jax.random.permutation(order_key, len(images))[: steps * batch_size]
        inputs = (order.reshape(steps, batch_size), jax.random.split(noise_key, steps))
        return jax.lax.scan(functools.partial(step, images), state, inputs)

    layers = parameters(random)
    state = (layers, *([(w * 0, b * 0) for w, b in layers] for _ in range(2)), 0.0)
    key = jax.random.key(0)
    state, _ = epoch(state, key)
    print("ready", flush=True)
    for line in sys.stdin:
        seconds, done = float(line), 0
        start, busy = time.perf_counter(), time.process_time()
        while time.perf_counter() - start < seconds:
            key, use = jax.random.split(key)
            state, losses = epoch(state, use)
            losses.block_until_ready()
            done += steps * batch_size
        print(done / (time.perf_counter() - start), done / (time.process_time() - busy), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
