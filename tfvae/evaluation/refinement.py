"""Each example's own posterior, refined from where the encoder starts it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import MOST_DRAWS, int32, positive_int, real
from tfvae.data.fields import example_size
from tfvae.errors import UserError
from tfvae.evaluation.ascent import ascended
from tfvae.evaluation.batches import BATCH_SIZE, PaddedBatch
from tfvae.evaluation.collecting import collected
from tfvae.evaluation.estimates import ELBOEstimate, LikelihoodEstimate, refuse_nan
from tfvae.evaluation.importance import chunk_size, discrete_size
from tfvae.inference.affine import Affine, AffineImage
from tfvae.inference.importance import inference_estimates
from tfvae.inference.inference import Inference
from tfvae.inference.proposal import require_reals
from tfvae.models.capabilities import Batch, Scores, require
from tfvae.noise import example_noise, example_seeds
from tfvae.training.programs import compiled

_STEPS = 1  # the part of an example's noise that its steps are made with


@dataclass(frozen=True, repr=False)
class RefinedEstimate(ELBOEstimate):
    """The evidence lower bound of each example under a posterior of its own.

    Attributes:
        codes: float64 `[N, D]`, or a nest of such: the mean of z under the refined q.
        likelihood: log p(x) by importance sampling from the refined q, with the same draws.
    """

    codes: Any
    likelihood: LikelihoodEstimate


def refine(
    model: Any,
    data: Any,
    num_steps: int = 500,
    learning_rate: float = 0.05,
    step_samples: int = 8,
    num_samples: int = 1000,
    seed: int = 0,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 1,
) -> RefinedEstimate:
    """Finds the best q of each example for a fixed decoder, from where the encoder starts it.

        q*_n = argmax_q E_q[log p(x_n, z) - log q(z)]

    over the affine images of q(z|x_n): for a Normal head every Normal of its kind, with a diagonal
    covariance or a full one. Without the encoder's compromise between the examples, the bound of
    q* shows what the encoder loses; see `inference_gap`. Choose it also for better codes of few
    examples, or as the proposal where the encoder's is too poor for `log_likelihood`.

    By Adam, each example on its own, in units of its q's standard deviation, with the pathwise
    gradient of S draws a step, and a learning rate that falls linearly to 0. Random, a function of
    the seed and neither of the batch size nor of the neighbours. Memory grows neither with N, nor
    the number of steps or draws.

    Args:
        model: A built model that scores, whose z is real and its draws differentiable in q.
        data: What `fit` takes.
        num_steps: Of the optimiser, at least 1. Default 500.
        learning_rate: The first step's, above 0. Default 0.05 standard deviations.
        step_samples: S, at least 1.
        num_samples: K, fresh draws that the result is measured with, at least 1.
        seed: Any int32. The K draws are made of the noise that `elbo` has for the same seed.
        batch_size: Examples of one compiled step.
        verbose: 1 (default) shows a progress bar, 0 does not.

    Raises:
        ValueError, TypeError, RuntimeError, FloatingPointError: as `log_likelihood`.
        UserError: for z of bits or categories, and draws without a gradient.

    References:
        C. Cremer, X. Li, D. Duvenaud, 2018, "Inference Suboptimality in Variational Autoencoders",
        arXiv:1801.03558, section 5.2. Departures: started at the encoder's q, a fixed number of
        steps.
    """
    require(model, "refine()", Scores)
    positive_int("num_steps", num_steps)
    real("learning_rate", learning_rate, above=0.0)
    positive_int("step_samples", step_samples, maximum=MOST_DRAWS)
    positive_int("num_samples", num_samples, maximum=MOST_DRAWS)
    int32("seed", seed)
    run, numbers = compiled(model, _refined), example_size(model.fields())

    def of_batch(batch: PaddedBatch) -> Any:
        examples = len(next(iter(batch.fields.values())))
        return run(
            batch.tensors(),
            *(tf.constant(number) for number in (batch.first, seed, num_steps)),
            tf.constant(learning_rate, tf.float32),
            tf.constant(num_samples),
            *(step_samples, chunk_size(num_samples, examples, numbers)),
        )

    found, codes = tf.nest.map_structure(
        lambda value: value.astype(np.float64),
        collected(model, data, of_batch, batch_size, verbose),
    )
    bound, discrete = -found["nll"] - found["kl"], discrete_size(model)
    refuse_nan(bound)
    likelihood = LikelihoodEstimate(
        found["log_likelihood"],
        num_samples,
        found["effective_sample_size"],
        num_discrete=discrete,
    )
    parts = found["nll"], found["kl"]
    return RefinedEstimate(bound, num_samples, *parts, codes, likelihood, num_discrete=discrete)


def _refined(
    model: Any,
    batch: Batch,
    first: tf.Tensor,
    seed: tf.Tensor,
    num_steps: tf.Tensor,
    learning_rate: tf.Tensor,
    num_samples: tf.Tensor,
    step_samples: int,
    chunk: int,
) -> tuple[dict[str, tf.Tensor], Any]:
    """Sums over K draws of the refined q, see `inference_estimates`, and its mean."""
    inference, rows = model.infer(batch), next(iter(batch.values())).shape[0]
    seeds = example_seeds(seed, first, rows)
    best = refined_inference(inference, seeds, num_steps, learning_rate, step_samples)
    sums = inference_estimates(best, lambda k: example_noise(seeds, k, chunk), num_samples, rows)
    return sums, best.proposal.mean()


def refined_inference(
    inference: Inference,
    seeds: tf.Tensor,
    num_steps: tf.Tensor,
    learning_rate: tf.Tensor,
    step_samples: int,
) -> Inference:
    """The inference of a batch with each example's own q, within a graph; see `refine`.

    Args:
        inference: Of the batch, whose q is where each example starts.
        seeds: Of the examples, `[B]`.
        num_steps: int32.
        learning_rate: float32, of the first step.
        step_samples: S.

    Raises:
        UserError: for z of bits or categories, and draws without a gradient.
    """
    base = inference.proposal
    require_reals(base, "refine()", "elbo(), the bound of the encoder's q")
    if not base.reparameterised:
        raise UserError(
            "refine() follows the gradient through z, and the draws of this posterior have none. "
            "Use a head whose draws are differentiable."
        )
    start = [Affine.identity(part, base.correlated) for part in tf.nest.flatten(base.mean())]

    def image(maps: list[list[tf.Tensor]]) -> Inference:
        return replace(inference, proposal=AffineImage(base, [Affine(*map_) for map_ in maps]))

    def bound(maps: list[list[tf.Tensor]], step: tf.Tensor) -> tf.Tensor:
        noise = example_noise(seeds, step * step_samples, step_samples).part(_STEPS)
        return tf.reduce_mean(image(maps).draw_from(noise).log_weights, axis=0)

    return image(ascended(bound, [map_.tensors() for map_ in start], num_steps, learning_rate))
