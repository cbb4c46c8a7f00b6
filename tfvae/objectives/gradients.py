"""How the gradient of a bound is estimated, for objectives of one draw or many.

Where a draw is a differentiable function of q's parameters, the path through it is followed:

    pathwise               the gradient of the estimate as it stands
    sticking_the_landing   the same without the score of q, whose expectation is 0 in an ELBO
    doubly_reparameterised the same without it in IW_K, where it takes the weights' squares

Where it is not, or none is wanted, the score of q is weighted with what a draw was worth:

    score_function         against a baseline that knows x, and not z
    vimco                  against the other draws of the same example
"""

import math
from typing import Any, NamedTuple

import tensorflow as tf

from tfvae.errors import UserError
from tfvae.inference.inference import Draws, Inference
from tfvae.objectives.baseline import Advantage, Baseline, flat_examples

SCORES = ("score_function", "vimco")


def checked_gradient(gradient: str, known: tuple[str, ...]) -> str:
    """Returns the name of an estimator, if it is one of the known."""
    if gradient not in known:
        raise UserError(f"gradient must be one of {known}, received {gradient!r}.")
    return gradient


def held_draws(inference: Inference, num_samples: int) -> Draws:
    """Draws that no gradient flows through, with the density of q in its parameters."""
    assert inference.noise is not None  # of this step, which the model has given it
    z = inference.proposal.draw(inference.noise(num_samples)).z
    return inference.at(tf.nest.map_structure(tf.stop_gradient, z))


def landing_draws(inference: Inference, num_samples: int) -> Draws:
    """Draws that the gradient flows through, with the density of q held in its parameters."""
    return inference.draw_strata(num_samples, frozen=True)


def advantage(baseline: Baseline | None, inference: Inference, signal: tf.Tensor) -> Advantage:
    """A signal `[S, B]` or `[B]` against a baseline, or as it stands."""
    if baseline is None:
        signal = tf.stop_gradient(signal)
        return Advantage(signal, tf.zeros_like(signal[0] if signal.shape.rank == 2 else signal))
    if inference.batch is None:
        raise UserError(
            "The learned baseline looks at the examples, which this inference does not hold. Give "
            "the objective what with_noise(infer(batch), batch) returns, or baseline=False."
        )
    return baseline(flat_examples(dict(inference.batch)), signal)


class Bound(NamedTuple):
    """IW_K of a batch.

    Attributes:
        draws: `[K, B]` each.
        value: the bound, `[B]`.
        surrogate: what is differentiated in its place, `[B]`; None for the bound itself.
    """

    draws: Draws
    value: tf.Tensor
    surrogate: tf.Tensor | None = None


def log_mean_weight(log_weights: tf.Tensor) -> tf.Tensor:
    """log 1/K sum_k w_k `[B]` of log w `[K, B]`."""
    return tf.reduce_logsumexp(log_weights, axis=0) - math.log(log_weights.shape[0])


def score_function_bound(
    inference: Inference, num_samples: int, baseline: Baseline | None
) -> Bound:
    """One signal for all draws of an example: the bound, against the baseline."""
    draws = held_draws(inference, num_samples)
    value = log_mean_weight(draws.log_weights)
    found = advantage(baseline, inference, value)
    score = tf.reduce_sum(draws.log_posterior, axis=0)
    return Bound(draws, value, value + found.value * score - found.error)


def vimco_bound(inference: Inference, num_samples: int, baseline: Any = None) -> Bound:
    """For each draw its own signal: the bound, less what the others alone would have given.

    References:
        A. Mnih and D. J. Rezende, 2016, "Variational Inference for Monte Carlo Objectives",
        arXiv:1602.06725, eq. 10 with the geometric mean of the other weights in w_k's place.
    """
    draws = held_draws(inference, num_samples)
    value = log_mean_weight(draws.log_weights)
    signal = tf.stop_gradient(value - without_each(draws.log_weights))
    return Bound(draws, value, value + tf.reduce_sum(signal * draws.log_posterior, axis=0))


def without_each(log_weights: tf.Tensor) -> tf.Tensor:
    """log 1/K (sum_j!=k w_j + the geometric mean of those) `[K, B]`, for each k.

    By K x K sums that leave the k-th out, not by subtraction: where one weight outweighs all
    others, what is left of the sum without it would be rounding.
    """
    count = log_weights.shape[0]
    others = tf.where(tf.eye(count, dtype=tf.bool)[:, :, tf.newaxis], 0.0, log_weights[tf.newaxis])
    geometric = tf.reduce_sum(others, axis=1) / (count - 1)
    replaced = tf.where(
        tf.eye(count, dtype=tf.bool)[:, :, tf.newaxis],
        geometric[:, tf.newaxis],
        log_weights[tf.newaxis],
    )
    return tf.reduce_logsumexp(replaced, axis=1) - math.log(count)
