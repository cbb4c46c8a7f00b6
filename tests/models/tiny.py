"""The smallest model that shows a behaviour, and images to show it on."""

import numpy as np

import tfvae
from tfvae import heads, networks

SHAPE = (8, 8, 1)
IMAGES = (np.random.default_rng(1).random((20, *SHAPE)) > 0.5).astype("float32")


def vae(latent_size=2, seed=5, shape=SHAPE, **options):
    return tfvae.VAE(
        tfvae.Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(latent_size)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(shape)),
        seed=seed,
        **options,
    )


def compiled(jit_compile=False, **options):
    """Without XLA unless it is the subject: compiling takes seconds."""
    model = vae(**options)
    model.compile("adam", jit_compile=jit_compile)
    return model
