"""Importance-weighted bounds in one loop, in memory that the number of draws does not change."""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfvae.inference.inference import Draws, Inference
from tfvae.noise import Noise


class Sums(NamedTuple):
    """What the loop carries from chunk to chunk, each `[B]`.

    Attributes:
        log_sum: log sum_k w_k.
        log_sum_squares: log sum_k w_k^2.
        log_likelihood: Mean of log p(x|z_k) so far.
        log_ratio: Mean of log r(z_k) - log p(z_k) so far.
    """

    log_sum: tf.Tensor
    log_sum_squares: tf.Tensor
    log_likelihood: tf.Tensor
    log_ratio: tf.Tensor


def inference_estimates(
    inference: Inference,
    noise: Callable[[tf.Tensor], Noise],
    num_samples: tf.Tensor,
    rows: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """The same sums for the proposal of an inference; see `importance_estimates`.

    Args:
        inference: of a batch.
        noise: From the number of a chunk's first draw to the noise `[S, B]` of its draws.
        num_samples: K, int32, `[]` or each example's own, `[B]`.
        rows: B.
    """

    def log_densities(first: tf.Tensor) -> tuple[tf.Tensor, ...]:
        if inference.proposal.enumerated:
            return _enumerated(inference, noise(first))
        draws = inference.draw_from(noise(first))
        return draws.joint.log_likelihood, draws.log_ratio

    return importance_estimates(log_densities, num_samples, inference.proposal.kl(), rows)


def _enumerated(inference: Inference, noise: Noise) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """E over q's parts of log p(x|z) and of the log-ratio, and log E of the weight, `[S, B]` each.

    w = sum_y q(y) p(x, y, z_y) / (q(y) q(z_y|y)),  z_y ~ q(z|y)
    """
    (z, log_posterior), log_shares = inference.proposal.draw_strata(noise)
    assert log_shares is not None  # of a mixture
    draws = Draws(z, log_posterior, inference.joint(z), log_shares)
    count = inference.proposal.strata

    def by_part(values: tf.Tensor) -> tf.Tensor:
        return tf.reshape(values, [count, -1, tf.shape(values)[1]])

    shares = by_part(tf.exp(log_shares))
    means = (
        tf.reduce_mean(shares * by_part(values), axis=0)
        for values in (draws.joint.log_likelihood, draws.log_ratio)
    )
    total = tf.reduce_logsumexp(by_part(draws.log_weights), axis=0)
    return (*means, total - math.log(count))


def importance_estimates(
    log_densities: Callable[[tf.Tensor], tuple[tf.Tensor, ...]],
    num_samples: tf.Tensor,
    kl: dict[str, tf.Tensor],
    rows: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """Sums over draws k = 1 .. K of each example, w_k = p(x, z_k) / r(z_k), z_k ~ r.

    Args:
        log_densities: From the number of a chunk's first draw to log p(x|z_k) and
            log r(z_k) - log p(z_k) of its S draws, both `[S, B]`, and log w_k where that is not
            their difference.
        num_samples: K, int32, `[]` or each example's own, `[B]`.
        kl: KL(r || p) `[B]` by name, in closed form; see `Proposal.kl`.
        rows: B.

    Returns, each `[B]`: `log_likelihood` log 1/K sum_k w_k; `effective_sample_size`
    (sum_k w_k)^2 / sum_k w_k^2; `nll` -1/K sum_k log p(x|z_k); `kl`, the sum of the closed forms,
    or where there are none 1/K sum_k log r(z_k) - log p(z_k).

    References:
        Y. Burda, R. Grosse, R. Salakhutdinov, 2016, "Importance Weighted Autoencoders",
        arXiv:1509.00519, eq. 8.
    """
    last = tf.reduce_max(num_samples)

    def body(first: tf.Tensor, sums: Sums) -> tuple[tf.Tensor, Sums]:
        log_likelihood, log_ratio, *log_weights = log_densities(first)
        weights = log_weights[0] if log_weights else log_likelihood - log_ratio
        count = tf.shape(log_ratio)[0]
        numbers = first + tf.range(count)  # XLA takes no range between tensors
        found = _added(sums, log_likelihood, log_ratio, weights, numbers, num_samples)
        return first + count, found

    zeros = tf.zeros([rows])
    nothing = zeros - math.inf
    _, sums = tf.while_loop(
        lambda first, _: first < last,
        body,
        (tf.constant(0), Sums(nothing, nothing, zeros, zeros)),
        parallel_iterations=1,
    )
    return {
        "log_likelihood": sums.log_sum - tf.math.log(tf.cast(num_samples, tf.float32)),
        "effective_sample_size": tf.exp(2.0 * sums.log_sum - sums.log_sum_squares),
        "nll": -sums.log_likelihood,
        "kl": tf.add_n(list(kl.values())) if kl else sums.log_ratio,
    }


def _added(
    sums: Sums,
    log_likelihood: tf.Tensor,
    log_ratio: tf.Tensor,
    log_weights: tf.Tensor,
    numbers: tf.Tensor,
    num_samples: tf.Tensor,
) -> Sums:
    """The sums with draws `[S, B]` of these numbers; those from number K on do not count."""
    drawn = numbers[:, tf.newaxis] < num_samples
    log_weights = tf.where(drawn, log_weights, -math.inf)
    total = tf.cast(tf.minimum(numbers[-1] + 1, num_samples), tf.float32)

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
