"""Importance-weighted scores inside a graph, in constant memory."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfvae.export.servables.encoder import posterior_draws
from tfvae.export.servables.signatures import noise
from tfvae.inference.importance import importance_estimates

# Latents decoded at once, over all rows: with 28 x 28 pixels and 32 float32 feature maps a chunk
# takes 200 MB, whatever the batch size and the number of samples.
CHUNK = 2_048


def importance_scores(
    vae: Any,
    parameters: tuple[Callable, Callable],
    inputs: tuple[tf.Tensor, ...],
    last: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """Per-example likelihood bounds, in nats.

        w_k            = p(x, z_k) / q(z_k|x),   z_k ~ q(z|x),   k = 1 .. K
        log_likelihood = log 1/K sum_k w_k
        nll            = -1/K sum_k log p(x|z_k)
        kl             = KL(q(z|x) || p(z)),  closed form, else 1/K sum_k log q(z_k|x) - log p(z_k)
        elbo           = -nll - kl

    Args:
        vae: the model.
        parameters: `encoder.parameters` and `decoder.parameters`, as exported.
        inputs: `images [B, H, W, C]` in [0, 1], `num_samples [B]` (K), `seed [B]`.
        last: the largest K.

    Returns:
        `log_likelihood`, `elbo`, `nll`, `kl`, each `[B]`. K and the seed are each row's own.
    """
    images, num_samples, seed = inputs
    encoded, decode = parameters[0](images), parameters[1]
    chunk = tf.clip_by_value(CHUNK // tf.maximum(tf.size(seed), 1), 1, last)

    def log_densities(first: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """log p(x|z), and log q(z|x) - log p(z), for a chunk of draws: both `[chunk, B]`."""
        posterior = vae.encoder.head.distribution(**encoded)
        z = posterior_draws(posterior, noise(seed, first, chunk, vae.latent_size))
        folded = tf.reshape(z, [-1, vae.latent_size])
        unfolded = {
            name: tf.reshape(value, tf.concat([tf.shape(z)[:2], tf.shape(value)[1:]], axis=0))
            for name, value in decode(folded).items()
        }
        likelihood = vae.decoder.head.distribution(**unfolded)
        ratio = posterior.log_prob(z) - vae.prior.distribution().log_prob(z)
        return likelihood.log_prob(images), ratio

    posterior = vae.encoder.head.distribution(**encoded)
    found = importance_estimates(
        log_densities, num_samples, posterior, vae.prior.distribution(), rows=tf.size(seed)
    )
    names = ("log_likelihood", "nll", "kl")
    return {"elbo": -found["nll"] - found["kl"], **{name: found[name] for name in names}}
