"""Exported draws are held against the distributions themselves, not the code that made them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.fields import required
from tfvae.export.publishing import ExportError
from tfvae.export.saved_models.requests import random_fields
from tfvae.export.servables.encoder import posterior_noise
from tfvae.inference.inference import Inference
from tfvae.inference.proposal import Proposal
from tfvae.models.capabilities import Generates, Scores, can
from tfvae.noise import Noise

ROWS, DRAWS = 3, 4096
# Standard errors that a mean or a variance of the draws may be off: chance does it once in 1e9.
ERRORS = 6.0
# log q of a draw made forward, and of the same z looked at afterwards, in float32.
DENSITY_TOLERANCE = 1e-3
# Of a prior without a sampler: draws of a Normal that are weighted to be the prior's, and how many
# of them have to count for the weighted means to say anything.
WEIGHTED, ENOUGH = 4096, 100.0
SUMS = 4  # of all coordinates with random signs, whose spread tells of correlations
NOT_COMPARED = "the draws of the prior could not be compared with its density: {}"


def check_draws(model: Any) -> list[str]:
    """Compares the draws that are served with the distributions that they are from.

    Of 4,096 draws for each of 3 random examples. Those of the posterior, which `encoder/sample`
    serves: log q that came with each draw against the posterior's own log-density of it, and mean
    and mean square against those of as many draws of its own sampler, where it is a distribution of
    TFP's. A flow that was drawn from N(0, I) instead of its base would pass every comparison of a
    served file with the code that made it. Those of the prior, which `decoder/sample` serves: see
    `check_prior`.

    Args:
        model: a built model; one whose proposal can't evaluate log q of a given z is let pass.

    Returns:
        What could not be compared, in words.

    Raises:
        ExportError: if they disagree.
    """
    if not can(model, Scores):
        return []
    examples = random_fields(required(model.fields()), ROWS, seed=4)
    with tf.device("CPU"):
        batch = {name: tf.constant(values) for name, values in examples.items()}
        inference = model.infer(batch)
        check_posterior(inference.proposal)
        return check_prior(model, inference, batch) if isinstance(model, Generates) else []


def check_posterior(proposal: Proposal) -> None:
    """Compares draws of a proposal with its density, and with its own sampler if it has one."""
    distribution = getattr(proposal, "distribution", None)
    if not proposal.evaluates and distribution is None:  # it can't say
        return
    draw = proposal.draw(posterior_noise(tf.range(ROWS), 0, DRAWS))
    if proposal.evaluates:
        expected = proposal.log_prob(draw.z)
        difference = float(tf.reduce_max(tf.abs(draw.log_prob - expected) / (1 + tf.abs(expected))))
        if not difference <= DENSITY_TOLERANCE:
            raise ExportError(
                "the draws of the posterior do not have the density that came with them: log q "
                f"differs by {difference:.2g} relative to 1 + |log q|. Its head's draw() and "
                "distribution() disagree. Nothing was published."
            )
    if distribution is not None:
        own = distribution.sample(DRAWS, seed=[3, 4])
        _refuse(
            _statistics(draw.z),
            _statistics(own),
            "posterior's own sampler",
            "Its head's draw() does not draw from its distribution()",
        )


def check_prior(model: Any, inference: Inference, batch: Mapping[str, tf.Tensor]) -> list[str]:
    """Compares what a model generates with its log p(z), and with p(z)'s own sampler.

    Where the proposal knows p(z) as a distribution that samples: mean, mean square and mean
    log-density, as of the posterior. Else, with log p(z) alone, against draws of a Normal that are
    weighted by p(z) / N(z), if enough of them count.

    Returns:
        What could not be compared, in words.
    """
    noise = Noise(tf.range(ROWS), row=tf.range(DRAWS)[:, tf.newaxis])
    z = model.generate(noise, model.given(batch))
    disagree = "generate() does not draw from what log p(z) is of"
    prior = getattr(inference.proposal, "prior", None)
    if prior is not None:
        try:
            own = prior.sample(DRAWS if prior.batch_shape.rank else (DRAWS, ROWS), seed=[5, 6])
        except NotImplementedError:
            pass
        else:
            drawn = {**_statistics(z), "log-density": _numbers(prior.log_prob(z))}
            expected = {**_statistics(own), "log-density": _numbers(prior.log_prob(own))}
            _refuse(drawn, expected, "prior's own sampler", disagree)
            return []
    log_density = getattr(prior, "log_prob", lambda z: inference.joint(z).log_prior)
    return _check_by_weights(log_density, z, disagree)


def _check_by_weights(log_density: Callable, z: Any, disagree: str) -> list[str]:
    levels = tf.nest.flatten(z)
    if not all(level.dtype.is_floating for level in levels):
        return [NOT_COMPARED.format("they are no real numbers, and it has no sampler")]
    flat = [np.asarray(tf.reshape(level, [DRAWS, ROWS, -1]), np.float64) for level in levels]
    drawn = np.concatenate(flat, axis=-1)
    loc, scale = drawn.mean(axis=0), 2.0 * drawn.std(axis=0) + 1e-6  # wider, for weights' sake
    eps = np.random.default_rng(7).normal(size=(WEIGHTED, *loc.shape))
    parts = np.split(loc + scale * eps, np.cumsum([part.shape[-1] for part in flat])[:-1], axis=-1)
    proposed = [
        tf.reshape(tf.constant(part, tf.float32), [WEIGHTED, *level.shape[1:]])
        for part, level in zip(parts, levels, strict=True)
    ]
    log_prior = _numbers(log_density(tf.nest.pack_sequence_as(z, proposed)))
    log_weights = log_prior + np.sum(np.square(eps) / 2 + np.log(scale), axis=-1)
    weights = np.exp(log_weights - log_weights.max(axis=0))
    weights = weights / weights.sum(axis=0)
    size = 1.0 / np.sum(np.square(weights), axis=0)
    if not size.min() >= ENOUGH:
        return [NOT_COMPARED.format("it has no sampler, and too many dimensions for weights")]
    weights, values = weights[..., np.newaxis], loc + scale * eps
    for name, power in (("mean", 1), ("mean square", 2)):
        expected = np.sum(weights * values**power, axis=0)
        spread = np.sum(np.square(weights * (values**power - expected)), axis=0)
        error = np.sqrt(spread + (drawn**power).var(axis=0) / DRAWS)
        off = np.abs((drawn**power).mean(axis=0) - expected) / (error + 1e-9)
        _refuse_errors(name, float(off.max()), "prior's own density", disagree)
    return []


def _statistics(z: Any) -> dict[str, np.ndarray]:
    """What means are compared of: the coordinates, and sums of them that correlations change."""
    values = _numbers(z)
    flat = values.reshape(DRAWS, -1, int(np.prod(values.shape[2:])))
    signs = np.random.default_rng(8).choice([-1.0, 1.0], (flat.shape[-1], SUMS))
    values = np.concatenate([flat, flat @ signs], axis=-1)
    return {"mean": values, "mean square": np.square(values)}


def _numbers(values: Any) -> np.ndarray:
    """Numbers as they are; of a nest all that a draw has, `[DRAWS, ROWS, N]`."""
    if not isinstance(values, Mapping):
        return np.asarray(values, np.float64)
    levels = [np.asarray(level, np.float64) for level in values.values()]
    return np.concatenate([level.reshape(*level.shape[:2], -1) for level in levels], axis=-1)


def _refuse(
    drawn: Mapping[str, np.ndarray], own: Mapping[str, np.ndarray], whose: str, disagree: str
) -> None:
    for name, first in drawn.items():
        second = own[name]
        error = np.sqrt((first.var(axis=0) + second.var(axis=0)) / DRAWS) + 1e-9
        worst = float(np.max(np.abs(first.mean(axis=0) - second.mean(axis=0)) / error))
        _refuse_errors(name, worst, whose, disagree)


def _refuse_errors(name: str, errors: float, whose: str, disagree: str) -> None:
    if not errors <= ERRORS:
        raise ExportError(
            f"the {name} of the exported draws is {errors:.1f} standard errors from that of the "
            f"{whose}; at most {ERRORS:g} is allowed. {disagree}. Nothing was published."
        )
