"""`vae.fit` as a user types it, for `compare.py`: the same networks, defaults untouched."""

import math
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

import tfvae

LATENTS, DRAWS = 50, 50
# Name -> preset, and its settings that differ; 6,400 images an epoch.
PRESETS = {"vq_vae": ("mnist-vq-vae", {}), "ladder": ("mnist-ladder", {"network": "conv"})}


def parts(model):
    """The posterior, the objective, and images of an epoch."""
    heads, objectives = tfvae.heads, tfvae.objectives
    if model == "iaf":
        return heads.InverseAutoregressiveFlow(LATENTS, num_steps=4), objectives.ELBO(), 60_000
    posterior = heads.MultivariateNormalDiag(LATENTS)
    if model == "iwae":
        return posterior, objectives.ImportanceWeighted(DRAWS), 6_400
    return posterior, objectives.ELBO(), 60_000


def made(model):
    """The model, compiled, and images of an epoch."""
    if model in PRESETS:
        preset, changes = PRESETS[model]
        vae = tfvae.presets.get(preset, **changes).model((28, 28, 1))
        vae.compile(keras.optimizers.Adam(2e-3, epsilon=1e-4))
        return vae, 6_400
    posterior, objective, num_images = parts(model)
    networks = tfvae.networks
    vae = tfvae.VAE(
        tfvae.Encoder(networks.MLP([200, 200]), posterior),
        tfvae.Decoder(networks.MLP([200, 200]), tfvae.heads.IndependentBernoulli((28, 28, 1))),
        objective=objective,
    )
    vae.compile(keras.optimizers.Adam(1e-3))
    return vae, num_images


def main(batch_size, model):
    vae, num_images = made(model)
    pixels = np.random.default_rng(0).integers(0, 256, (num_images, 28, 28, 1), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "images.npz", x_train=pixels, x_test=pixels[:1])
        train, _ = tfvae.data.load(Path(folder) / "images.npz", batch_size, "dynamic")
    vae.fit(train, verbose=0)
    print("ready", sum(math.prod(w.shape) for w in vae.trainable_weights), flush=True)
    for line in sys.stdin:
        seconds, done = float(line), 0
        start, busy = time.perf_counter(), time.process_time()
        while time.perf_counter() - start < seconds:
            vae.fit(train, verbose=0)
            done += len(pixels)
        print(done / (time.perf_counter() - start), done / (time.process_time() - busy), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
