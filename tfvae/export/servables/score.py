"""Importance-weighted scores inside a graph, in constant memory."""

import tensorflow as tf

from tfvae.export.servables.encoder import posterior_noise
from tfvae.inference.importance import inference_estimates
from tfvae.inference.inference import Inference

# Latents decoded at once, over all rows: with 28 x 28 pixels and 32 float32 feature maps a chunk
# takes 200 MB, whatever the batch size and the number of samples.
DRAWS_AT_ONCE = 2_048


def importance_scores(
    inference: Inference, num_samples: tf.Tensor, seed: tf.Tensor, last: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Per-example likelihood bounds, in nats.

        w_k            = p(x, z_k) / q(z_k|x),   z_k ~ q(z|x),   k = 1 .. K
        log_likelihood = log 1/K sum_k w_k
        nll            = -1/K sum_k log p(x|z_k)
        kl             = KL(q(z|x) || p(z)),  closed form, else 1/K sum_k log q(z_k|x) - log p(z_k)
        elbo           = -nll - kl

    Args:
        inference: of the batch.
        num_samples: `[B]`, K of each row.
        seed: `[B]`.
        last: the largest K.

    Returns:
        `log_likelihood`, `elbo`, `nll`, `kl`, each `[B]`. K and the seed are each row's own.
    """
    chunk = draws_at_once(seed, last)

    found = inference_estimates(
        inference, lambda first: posterior_noise(seed, first, chunk), num_samples, tf.size(seed)
    )
    names = ("log_likelihood", "nll", "kl")
    return {"elbo": -found["nll"] - found["kl"], **{name: found[name] for name in names}}


def draws_at_once(seed: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
    """How many draws of each row are made at once, for seeds `[B]` and the largest K."""
    return tf.clip_by_value(DRAWS_AT_ONCE // tf.maximum(tf.size(seed), 1), 1, last)
