"""Peers to compare with, in plain JAX: `jax_peer.py BATCH_SIZE MODEL`.

`vae` is the network of `tfvae benchmark mnist --activation relu`; `iaf` has four inverse
autoregressive steps in its posterior, `iwae` trains it on the bound of 50 draws. Written for
speed: an epoch is one compiled program (`lax.scan`), buffers are donated, the data lie on the
device as float32 and are binarised inside the step. Needs `pip install jax`, in an environment of
its own. Run by `compare.py`; see there for the protocol.
"""

import functools
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

LATENTS, STEPS, UNITS, CONTEXT, DRAWS = 50, 4, 128, 32, 50
SIZES = ((784, 200), (200, 200), (200, 100), (50, 200), (200, 200), (200, 784))
FLOW_SIZES = ((200, STEPS * CONTEXT), *((LATENTS, UNITS), (CONTEXT, UNITS), (UNITS, 100)) * STEPS)


def parameters(random, sizes):
    limits = [np.sqrt(6 / (rows + columns)) for rows, columns in sizes]
    draws = [random.uniform(-a, a, size) for a, size in zip(limits, sizes, strict=True)]
    return [(jnp.asarray(w, jnp.float32), jnp.zeros(w.shape[1])) for w in draws]


def dense(layer, x):
    weights, bias = layer
    return x @ weights + bias


def encode(layers, x):
    h = jax.nn.relu(dense(layers[1], jax.nn.relu(dense(layers[0], x))))
    loc, scale = jnp.split(dense(layers[2], h), 2, axis=1)
    return h, loc, jax.nn.softplus(scale) + 1e-5


def nll(layers, z, x):
    h = jax.nn.relu(dense(layers[4], jax.nn.relu(dense(layers[3], z))))
    logits = dense(layers[5], h)
    return (jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits)))).sum(-1)


def log_ratio(z, eps, scale):
    """log q(z|x) - log p(z) of z = loc + scale eps."""
    return (0.5 * (z**2 - eps**2) - jnp.log(scale)).sum(-1)


def vae(layers, x, key):
    _, loc, scale = encode(layers, x)
    z = loc + scale * jax.random.normal(key, loc.shape)
    kl = 0.5 * (loc**2 + scale**2 - 1) - jnp.log(scale)
    return (nll(layers, z, x).sum() + kl.sum()) / len(x)


def masks(reverse):
    order = np.arange(1, LATENTS + 1)[:: -1 if reverse else 1]
    hidden = np.arange(UNITS) % LATENTS
    first, last = order[:, None] <= hidden, hidden[:, None] < np.tile(order, 2)
    return first.astype("float32"), last.astype("float32")


def iaf(layers, x, key):
    h, loc, scale = encode(layers, x)
    contexts = jnp.split(dense(layers[6], h), STEPS, axis=1)
    eps = jax.random.normal(key, loc.shape)
    z, log_det = loc + scale * eps, 0.0
    for i, context in enumerate(contexts):
        (first, bias), (of_context, _), (last, last_bias) = layers[7 + 3 * i : 10 + 3 * i]
        first_mask, last_mask = masks(reverse=i % 2)
        hidden = jax.nn.relu(z @ (first * first_mask) + bias + context @ of_context)
        mean, raw = jnp.split(hidden @ (last * last_mask) + last_bias, 2, axis=1)
        gate = 0.05 + 0.95 * jax.nn.sigmoid(raw + 2.0)
        z, log_det = gate * z + (1 - gate) * mean, log_det + jnp.log(gate).sum(-1)
    return (nll(layers, z, x) + log_ratio(z, eps, scale) - log_det).mean()


def iwae(layers, x, key):
    _, loc, scale = encode(layers, x)
    eps = jax.random.normal(key, (DRAWS, *loc.shape))
    z = loc + scale * eps
    flat = nll(layers, z.reshape(-1, LATENTS), jnp.tile(x, (DRAWS, 1))).reshape(DRAWS, -1)
    log_weights = -flat - log_ratio(z, eps, scale)
    return jnp.log(DRAWS) - jax.nn.logsumexp(log_weights, axis=0).mean()


# Name -> loss, sizes of the layers, and images of an epoch.
MODELS = {
    "vae": (vae, SIZES, 60_000),
    "iaf": (iaf, (*SIZES, *FLOW_SIZES), 60_000),
    "iwae": (iwae, SIZES, 6_400),
}


def step(loss, images, state, inputs):
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


def main(batch_size, model):
    loss, sizes, num_images = MODELS[model]
    random = np.random.default_rng(0)
    images = jnp.asarray(random.integers(0, 256, (num_images, 784)) / 255, jnp.float32)
    steps = len(images) // batch_size

    @functools.partial(jax.jit, donate_argnums=0)
    def epoch(state, key):
        order_key, noise_key = jax.random.split(key)
        order = jax.random.permutation(order_key, len(images))[: steps * batch_size]
        inputs = (order.reshape(steps, batch_size), jax.random.split(noise_key, steps))
        return jax.lax.scan(functools.partial(step, loss, images), state, inputs)

    layers = parameters(random, sizes)
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
    main(int(sys.argv[1]), sys.argv[2])
