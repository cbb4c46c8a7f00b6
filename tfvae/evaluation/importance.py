"""Importance sampling of log p(x), in chunks of draws that fit."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.inference.evaluation_draws import draw, example_seeds
from tfvae.inference.importance import importance_estimates

tfd = tfp.distributions

# Pixel values decoded at once: 2,048 codes of 28 x 28 pixels, 6 MB for each array of that size.
PIXELS = 2_048 * 784


def from_posterior(model: Any, *arguments: Any) -> dict[str, tf.Tensor]:
    """Importance sampling with z_k ~ q(z|x); see `_estimate`."""
    return _estimate(model, model.encoder, *arguments)


def from_prior(model: Any, *arguments: Any) -> dict[str, tf.Tensor]:
    """Importance sampling with z_k ~ p(z); see `_estimate`."""
    return _estimate(model, lambda images: model.prior.distribution(), *arguments)


def chunk_size(num_samples: int, batch_size: int, pixels: int) -> int:
    """Returns S, how many draws of each example are decoded at once.

    The chunks are as equal as they can be, so that few draws are made and thrown away: less than
    one for each chunk.
    """
    most = max(1, PIXELS // (batch_size * pixels))
    return math.ceil(num_samples / math.ceil(num_samples / most))


def _estimate(
    model: Any,
    proposal: Callable[[tf.Tensor], tfd.Distribution],
    images: tf.Tensor,
    first_example: tf.Tensor,
    seed: tf.Tensor,
    num_samples: tf.Tensor,
    chunk: int,
) -> dict[str, tf.Tensor]:
    """The importance-weighted bound of each example, with draws from r.

    Args:
        model: A built VAE.
        proposal: Images -> r, with batch shape `[B]` or `[]`.
        images: `[B, H, W, C]`.
        first_example: The number of the first image, which its draws depend on.
        seed: Any int32.
        num_samples: K.
        chunk: S, an int: draws of each example that are decoded at once.

    Returns:
        See `importance_estimates`.
    """
    images = tf.cast(images, tf.float32)
    prior = model.prior.distribution()
    source = proposal(images)
    seeds = example_seeds(seed, first_example, images.shape[0])

    def log_densities(first: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        z, log_density = draw(source, seeds, first, chunk)
        return model.decoder(z).log_prob(images), log_density - prior.log_prob(z)

    return importance_estimates(log_densities, num_samples, source, prior, rows=images.shape[0])
