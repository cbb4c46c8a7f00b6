"""What is missing of a batch, in one loop, in memory that the number of draws does not change."""

import math
from typing import Any, NamedTuple

import tensorflow as tf

from tfvae.inference.inference import Draws
from tfvae.models.capabilities import Batch
from tfvae.models.codes import zero_example
from tfvae.noise import Noise, example_noise

# The parts of an example's noise beside those of its draws of z, which heads count from 0.
_CHOICES, _ENTRIES = 0x08000001, 0x08000002


def has_holes(model: Any) -> bool:
    """Returns whether a model is of rows that are partly seen, whose holes can be filled."""
    counted = getattr(model, "counted", None)
    return not (counted is None or model.conditions() or counted(zero_example(model)) is None)


class _Sums(NamedTuple):
    """What the loop carries: of the weights their logarithm's sum, and what they choose.

    Attributes:
        log_sum: log sum_k w_k, `[B]`.
        mean: sum_k w~_k E[x|z_k], or of x_k that was drawn with z_k, `[B, *event]`.
        best: The greatest log w_k + g_mk, g Gumbel, `[M, B]`: its k has the probability w~_k.
        chosen: z_k of that k, or x_k, `[M, B, ...]` each.
    """

    log_sum: tf.Tensor
    mean: tf.Tensor
    best: tf.Tensor
    chosen: Any


def filled_holes(
    model: Any,
    batch: Batch,
    seeds: tf.Tensor,
    num_samples: int | tf.Tensor,
    chunk: int | tf.Tensor,
    fillings: int = 0,
) -> tf.Tensor:
    """Returns x of a batch with its holes filled, `[1 or M, B, *event]`; see `uses.impute`.

    Args:
        model: Of rows that are partly seen.
        batch: By field.
        seeds: Of the examples, `[B]`.
        num_samples: K, one number or each example's own, `[B]`.
        chunk: Draws at once.
        fillings: M; 0 for the one by expectations.
    """
    inference, seen, rows = model.infer(batch), model.counted(batch), tf.size(seeds)
    last = tf.reduce_max(num_samples)

    def body(first: tf.Tensor, sums: _Sums) -> tuple[tf.Tensor, _Sums]:
        noise = example_noise(seeds, first, chunk)
        draws = inference.draw_from(noise)
        drawn = (first + tf.range(chunk))[:, tf.newaxis] < num_samples
        log_weights = tf.where(drawn, draws.log_weights, -math.inf)
        added = _averaged(sums, draws, log_weights)
        if fillings:
            added = _resampled(added, draws, log_weights, noise.part(_CHOICES), fillings)
        return first + chunk, added

    example = inference.draw_from(example_noise(seeds, 0, 1))  # for shapes alone
    many = max(1, fillings)

    def nothing(values: tf.Tensor) -> tf.Tensor:
        return tf.repeat(tf.zeros_like(values), many, axis=0)

    sums = _Sums(
        tf.fill([rows], -math.inf),
        tf.zeros_like(example.joint.mean[0]),
        tf.fill([many, rows], -math.inf),
        tf.nest.map_structure(nothing, _choice(example)),
    )
    _, sums = tf.while_loop(
        lambda first, _: first < last, body, (tf.constant(0), sums), parallel_iterations=1
    )
    x = sums.mean[tf.newaxis]
    if fillings and example.joint.completed is not None:
        x = sums.chosen
    elif fillings:
        x = model.emit(example_noise(seeds, 0, fillings).part(_ENTRIES), sums.chosen, {})
    return tf.where(seen > 0, batch["x"], tf.cast(x, tf.float32))


def _choice(draws: Draws) -> Any:
    """What a filling chooses of draws: x where it was drawn, and z to draw x of where it was not.

    A process that says why entries are missing weighs the very x that was drawn.
    """
    return draws.z if draws.joint.completed is None else draws.joint.completed


def _averaged(sums: _Sums, draws: Draws, log_weights: tf.Tensor) -> _Sums:
    """The sums with draws `[S, B]`: a mean is moved by the share that their weights have."""
    log_sum = tf.reduce_logsumexp(tf.concat([sums.log_sum[None], log_weights], axis=0), axis=0)
    values = draws.joint.mean if draws.joint.completed is None else draws.joint.completed
    shares = _axes(tf.exp(log_weights - log_sum), values)
    kept = _axes(tf.exp(sums.log_sum - log_sum), sums.mean)
    mean = kept * sums.mean + tf.reduce_sum(shares * values, axis=0)
    return sums._replace(log_sum=log_sum, mean=mean)


def _resampled(
    sums: _Sums, draws: Draws, log_weights: tf.Tensor, noise: Noise, fillings: int
) -> _Sums:
    """The sums with draws `[S, B]`, of which each filling may choose one."""
    uniform = tf.transpose(noise.uniform(fillings), [2, 0, 1])  # [M, S, B]
    scores = log_weights - tf.math.log(-tf.math.log(uniform))
    place = tf.argmax(scores, axis=1, output_type=tf.int32)  # [M, B]
    best = tf.reduce_max(scores, axis=1)
    places = tf.stack([place, tf.range(tf.shape(place)[1]) + tf.zeros_like(place)], axis=-1)

    def better(before: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
        return tf.where(_axes(best > sums.best, before), tf.gather_nd(values, places), before)

    chosen = tf.nest.map_structure(better, sums.chosen, _choice(draws))
    return sums._replace(best=tf.maximum(best, sums.best), chosen=chosen)


def _axes(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Values with axes of size 1 behind, as many as `like` has."""
    shape = tf.concat([tf.shape(values), [1] * (like.shape.rank - values.shape.rank)], axis=0)
    return tf.reshape(values, shape)
