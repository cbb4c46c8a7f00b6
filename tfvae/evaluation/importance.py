"""Importance sampling of log p(x) in one compiled loop, in memory that K does not change."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.evaluation.draws import draw, example_seeds

tfd = tfp.distributions

# Pixel values decoded at once: 2,048 codes of 28 x 28 pixels, 6 MB for each array of that size.
PIXELS = 2_048 * 784


class Sums(NamedTuple):
    """What the loop carries from chunk to chunk, each `[B]`.

    Attributes:
        log_sum: log sum_k w_k.
        log_sum_squares: log sum_k w_k^2.
        log_likelihood: Mean of log p(x|z_k) so far.
        log_ratio: Mean of log q(z_k|x) - log p(z_k) so far.
    """

    log_sum: tf.Tensor
    log_sum_squares: tf.Tensor
    log_likelihood: tf.Tensor
    log_ratio: tf.Tensor


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
    """Sums over draws k = 1 .. K of each example, w_k = p(x, z_k) / r(z_k), z_k ~ r.

    Args:
        model: A built VAE.
        proposal: Images -> r, with batch shape `[B]` or `[]`.
        images: `[B, H, W, C]`.
        first_example: The number of the first image, which its draws depend on.
        seed: Any int32.
        num_samples: K.
        chunk: S, an int: draws of each example that are decoded at once.

    Returns, each `[B]`: `log_likelihood` log 1/K sum_k w_k; `effective_sample_size`
    (sum_k w_k)^2 / sum_k w_k^2; `nll` -1/K sum_k log p(x|z_k); `kl`, the closed form where there
    is one, else 1/K sum_k log r(z_k) - log p(z_k).
    """
    images = tf.cast(images, tf.float32)
    prior = model.prior.distribution()
    source = proposal(images)
    seeds = example_seeds(seed, first_example, images.shape[0])

    def body(first: tf.Tensor, sums: Sums) -> tuple[tf.Tensor, Sums]:
        z, log_density = draw(source, seeds, first, chunk)
        log_likelihood = model.decoder(z).log_prob(images)
        log_ratio = log_density - prior.log_prob(z)
        drawn = (first + tf.range(chunk) < num_samples)[:, tf.newaxis]
        return first + chunk, _add(sums, log_likelihood, log_ratio, drawn, first)

    nothing = tf.fill(images.shape[:1], -math.inf)
    zeros = tf.zeros(images.shape[:1])
    _, sums = tf.while_loop(
        lambda first, _: first < num_samples,
        body,
        (tf.constant(0), Sums(nothing, nothing, zeros, zeros)),
        parallel_iterations=1,
    )
    kl = _closed_form(source, prior)
    return {
        "log_likelihood": sums.log_sum - tf.math.log(tf.cast(num_samples, tf.float32)),
        "effective_sample_size": tf.exp(2.0 * sums.log_sum - sums.log_sum_squares),
        "nll": -sums.log_likelihood,
        "kl": sums.log_ratio if kl is None else tf.broadcast_to(kl, images.shape[:1]),
    }


def _add(
    sums: Sums, log_likelihood: tf.Tensor, log_ratio: tf.Tensor, drawn: tf.Tensor, first: tf.Tensor
) -> Sums:
    """Adds a chunk `[S, B]` of which the draws where `drawn` is false do not count."""
    log_weights = tf.where(drawn, log_likelihood - log_ratio, -math.inf)
    count = tf.reduce_sum(tf.cast(drawn, tf.float32))
    total = tf.cast(first, tf.float32) + count

    def log_sum(before: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        return tf.reduce_logsumexp(tf.concat([before[tf.newaxis], values], axis=0), axis=0)

    def mean(before: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        # The mean, not the sum: 5,000 terms of 100 nats would cost float32 its last digits.
        return before + tf.reduce_sum(tf.where(drawn, values - before, 0.0), axis=0) / total

    return Sums(
        log_sum(sums.log_sum, log_weights),
        log_sum(sums.log_sum_squares, 2.0 * log_weights),
        mean(sums.log_likelihood, log_likelihood),
        mean(sums.log_ratio, log_ratio),
    )


def _closed_form(source: tfd.Distribution, prior: tfd.Distribution) -> tf.Tensor | None:
    try:
        return source.kl_divergence(prior)
    except NotImplementedError:
        return None
