"""What is missing of examples that are partly seen, by importance sampling."""

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfvae.checks import MOST_DRAWS, int32, positive_int
from tfvae.data.fields import example_size
from tfvae.errors import UserError
from tfvae.evaluation.batches import BATCH_SIZE, batches
from tfvae.evaluation.estimates import refuse_nan
from tfvae.evaluation.importance import chunk_size
from tfvae.inference.inference import Draws
from tfvae.models.capabilities import Batch, Decodes, Emits, Scores, require
from tfvae.models.codes import zero_example
from tfvae.noise import Noise, example_noise, example_seeds
from tfvae.training.programs import compiled

# The parts of an example's noise beside that of its draws of z.
_CHOICES, _ENTRIES = 1, 2


def impute(
    model: Any,
    data: Any,
    num_samples: int = 1000,
    multiple: int | None = None,
    seed: int = 0,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 0,
) -> np.ndarray:
    """Returns examples with their holes filled: by expectations, or several times at random.

        E[x_missing | x_seen] ~ sum_k w~_k E[x_missing|z_k],   w~_k = w_k / sum_j w_j
        w_k = p(x_seen|z_k) p(z_k) / q(z_k|x_seen),   z_k ~ q(z|x_seen)

    The expectation has the least squared error (single imputation). For what is computed of the
    filled data and should know how uncertain they are, take several: each draws one k with the
    probability w~_k and then x_missing ~ p(x|z_k), a draw of p(x_missing|x_seen) as K grows.

    Random, a function of the seed, with exactly K draws of z for each example.

    Args:
        model: A built model that says what is seen, such as `MissingDataVAE`.
        data: What `fit` takes.
        num_samples: K, at least 1. Default 1000; the paper takes 10,000.
        multiple: M, how many random fillings; None (default) for the one by expectations.
        seed: Any int32.
        batch_size: Examples a compiled step works on, at least 1.
        verbose: 1 shows a progress bar.

    Returns:
        x, float32 `[N, *event]`, or `[M, N, *event]`: as given where it is seen.

    Raises:
        UserError: for a model that has no holes, data that `fit` would refuse, or an argument out
            of range.
        FloatingPointError: if a value is not a number.

    Example:
        >>> import tfvae
        >>> settings = {"latent_size": 2, "units": (8,)}
        >>> model = tfvae.presets.model("breast-cancer-missing", **settings)
        >>> data = tfvae.data.load("breast_cancer", missing=0.5, standardise=True)[1]
        >>> impute(model, data, num_samples=10, multiple=3).shape
        (3, 114, 30)

    References:
        P.-A. Mattei and J. Frellsen, 2019, "MIWAE: Deep Generative Modelling and Imputation of
        Incomplete Data Sets", ICML, arXiv:1812.02633, section 3: single imputation by
        self-normalised importance sampling, multiple by sampling importance resampling.
    """
    require(model, "impute()", Scores, Decodes, Emits)
    counted = getattr(model, "counted", None)
    if counted is None or counted(zero_example(model)) is None or model.conditions():
        raise UserError(
            "impute() is for a model of rows that are partly seen, such as tfvae.MissingDataVAE; "
            f"received a {type(model).__name__}."
        )
    positive_int("num_samples", num_samples, maximum=MOST_DRAWS)
    fillings = 0 if multiple is None else positive_int("multiple", multiple)
    run, found = compiled(model, _filled), []
    numbers = example_size(model.fields()) * max(1, fillings)
    for batch in batches(model, data, batch_size, verbose):
        examples = len(next(iter(batch.fields.values())))
        chunk = chunk_size(num_samples, examples, numbers)
        scalars = (tf.constant(n, tf.int32) for n in (batch.first, int32("seed", seed)))
        filled = run(batch.tensors(), *scalars, num_samples, chunk, fillings)
        found.append(filled.numpy()[:, : batch.count])
    every = np.concatenate(found, axis=1)
    refuse_nan(every)
    return every if fillings else every[0]


class _Sums(NamedTuple):
    """What the loop carries: of the weights their logarithm's sum, and what they choose.

    Attributes:
        log_sum: log sum_k w_k, `[B]`.
        mean: sum_k w~_k E[x|z_k], `[B, *event]`.
        best: The greatest log w_k + g_mk, g Gumbel, `[M, B]`: its k has the probability w~_k.
        z: The draw that has it, `[M, B, ...]` each.
    """

    log_sum: tf.Tensor
    mean: tf.Tensor
    best: tf.Tensor
    z: Any


def _filled(
    model: Any,
    batch: Batch,
    first_example: tf.Tensor,
    seed: tf.Tensor,
    num_samples: int,
    chunk: int,
    fillings: int,
) -> tf.Tensor:
    """x of a batch with its holes filled, `[1 or M, B, *event]`."""
    batch = dict(batch)
    inference, seen = model.infer(batch), model.counted(batch)
    rows = next(iter(batch.values())).shape[0]
    seeds = example_seeds(seed, first_example, rows)

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
    many = [max(1, fillings)]
    sums = _Sums(
        tf.fill([rows], -math.inf),
        tf.zeros_like(example.joint.mean[0]),
        tf.fill([*many, rows], -math.inf),
        tf.nest.map_structure(lambda z: tf.repeat(tf.zeros_like(z), many[0], axis=0), example.z),
    )
    _, sums = tf.while_loop(
        lambda first, _: first < num_samples, body, (tf.constant(0), sums), parallel_iterations=1
    )
    x = sums.mean[tf.newaxis]
    if fillings:
        x = model.emit(example_noise(seeds, 0, fillings).part(_ENTRIES), sums.z, {})
    return tf.where(seen > 0, batch["x"], tf.cast(x, tf.float32))


def _averaged(sums: _Sums, draws: Draws, log_weights: tf.Tensor) -> _Sums:
    """The sums with draws `[S, B]`: a mean is moved by the share that their weights have."""
    log_sum = tf.reduce_logsumexp(tf.concat([sums.log_sum[None], log_weights], axis=0), axis=0)
    shares = _axes(tf.exp(log_weights - log_sum), draws.joint.mean)
    kept = _axes(tf.exp(sums.log_sum - log_sum), sums.mean)
    mean = kept * sums.mean + tf.reduce_sum(shares * draws.joint.mean, axis=0)
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

    def chosen(before: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        return tf.where(_axes(best > sums.best, before), tf.gather_nd(z, places), before)

    z = tf.nest.map_structure(chosen, sums.z, draws.z)
    return sums._replace(best=tf.maximum(best, sums.best), z=z)


def _axes(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Values with axes of size 1 behind, as many as `like` has."""
    shape = tf.concat([tf.shape(values), [1] * (like.shape.rank - values.shape.rank)], axis=0)
    return tf.reshape(values, shape)
