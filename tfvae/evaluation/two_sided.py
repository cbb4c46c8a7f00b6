"""log p(x) of simulated data between two bounds: bidirectional Monte Carlo."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import int32, positive_int
from tfvae.errors import UserRuntimeError
from tfvae.evaluation.annealing import (
    AnnealedEstimate,
    Schedule,
    annealed,
    annealed_estimate,
    ends,
)
from tfvae.evaluation.estimates import PerExample
from tfvae.evaluation.importance import discrete_size, examples_at_once
from tfvae.models.capabilities import Batch, Emits, Generates, Scores, require
from tfvae.models.conditions import checked_conditions
from tfvae.noise import Noise, example_noise, example_seeds
from tfvae.training.programs import compiled

# Parts of an example's noise, out of the way of the chains' starts.
_CODE, _EXAMPLE = 1, 2


@dataclass(frozen=True)
class BidirectionalEstimate:
    """Bounds of log p(x) from both sides, of examples that the model made itself.

    Attributes:
        lower: From chains that walk to the posterior: below log p(x) in expectation.
        upper: From chains that walk back from an exact draw of the posterior: above it.
        data: The examples by field, `[N, ...]`, for other estimates to be held against.
    """

    lower: AnnealedEstimate
    upper: AnnealedEstimate
    data: dict[str, np.ndarray]

    @property
    def gap(self) -> PerExample:
        """upper - lower: what the two together may be off by."""
        return PerExample(self.upper.per_example - self.lower.per_example)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.lower.mean:.2f} to {self.upper.mean:.2f} nats)"


def bidirectional(
    model: Any,
    num_examples: int = 100,
    num_chains: int = 16,
    num_steps: int = 500,
    step_size: float = 0.2,
    leapfrog_steps: int = 5,
    start: str = "prior",
    seed: int = 0,
    *,
    conditions: Mapping[str, Any] | None = None,
    batch_size: int | None = None,
) -> BidirectionalEstimate:
    """Bounds log p(x) from below and from above, on examples drawn from the model.

        z* ~ p(z),  x ~ p(x|z*)                so that z* is an exact draw of p(z|x)
        log 1/C sum_c w_c                      chains from r to p(x, z):  E <= log p(x)
        -log 1/C sum_c w'_c                    chains from z* back to r:  E >= log p(x)

    Each w' is unbiased for 1 / p(x). Between the two lies log p(x), and where they are near, so is
    every annealed estimate with the same arguments on data like these: run it first, to find the
    number of steps that `annealed_importance_sampling` needs. Of a model's own examples, not of
    real ones: for these no upper bound is known.

    The arguments but these are those of `annealed_importance_sampling`, and so are the departures
    from the paper's schedule. Random, a function of the seed and the batch size.

    Args:
        model: A built model that scores, generates and emits.
        num_examples: N, at least 1.
        conditions: What a conditional model is given, by field: one value for all, or N.

    Raises:
        ValueError, TypeError, RuntimeError, FloatingPointError: as `annealed_importance_sampling`.

    References:
        R. B. Grosse, Z. Ghahramani, R. P. Adams, 2015, "Sandwiching the marginal likelihood using
        bidirectional Monte Carlo", arXiv:1511.02543, section 3. Departure: all C chains back start
        at the one z*, each with the exact distribution, so that their mean is unbiased.
    """
    require(model, "bidirectional()", Scores, Generates, Emits)
    if not model.built:
        raise UserRuntimeError("The model is not built. Train or load it first.")
    schedule = Schedule(num_chains, num_steps, step_size, leapfrog_steps, start)
    positive_int("num_examples", num_examples)
    int32("seed", seed)
    given = checked_conditions(
        conditions or {},
        model.conditions(),
        num_examples,
        type(model).__name__,
        "bidirectional()",
    )
    rows = examples_at_once(model.fields(), num_chains) if batch_size is None else batch_size
    rows = min(positive_int("batch_size", rows), num_examples)
    run, found = compiled(model, _both_ways), []
    for first in range(0, num_examples, rows):
        places = np.minimum(np.arange(first, first + rows), num_examples - 1)
        its = {name: tf.gather(values, places) for name, values in given.items()}
        place = tf.constant([seed, first], tf.int32)
        result = run(its, place, rows, num_chains, *schedule.arguments())
        found.append(tf.nest.map_structure(lambda value: value.numpy(), result))
    return _joined(found, num_examples, discrete_size(model))


def _joined(found: list[Any], count: int, num_discrete: int | None) -> BidirectionalEstimate:
    """The estimate of the batches, without the last one's filling."""
    batches, forth, back = zip(*found, strict=True)
    data = {name: np.concatenate([b[name] for b in batches])[:count] for name in batches[0]}

    def bound(walks: tuple[Any, ...], sign: float) -> AnnealedEstimate:
        weights, accepted = (np.concatenate(part, axis=1) for part in zip(*walks, strict=True))
        return annealed_estimate([weights[:, :count]], [accepted[:, :count]], num_discrete, sign)

    return BidirectionalEstimate(bound(forth, 1.0), bound(back, -1.0), data)


def _both_ways(
    model: Any,
    conditions: Batch,
    place: tf.Tensor,
    rows: int,
    num_chains: int,
    step_size: tf.Tensor,
    num_steps: tf.Tensor,
    leapfrog_steps: int,
    from_prior: bool,
) -> tuple[dict[str, tf.Tensor], Any, Any]:
    """Returns simulated examples, and log w and acceptance, `[C, B]` each, of both directions."""
    seeds = example_seeds(place[0], place[1], rows)
    exact, batch = _simulated(model, conditions, Noise(seeds))
    inference = model.infer(batch)
    base, joint = ends(inference, from_prior, "bidirectional()")
    noise = example_noise(seeds, 0, num_chains)
    z = model.generate(noise, conditions) if from_prior else inference.proposal.draw(noise).z
    copies = tf.nest.map_structure(lambda code: tf.repeat(code[tf.newaxis], num_chains, 0), exact)
    towards, away = tf.unstack(tf.random.split(place, 2))
    walk = step_size, num_steps, leapfrog_steps
    forth = annealed(inference, z, base, joint, towards, *walk)
    back = annealed(inference, copies, joint, base, away, *walk)
    return batch, forth, back


def _simulated(model: Any, conditions: Batch, noise: Noise) -> tuple[Any, dict[str, tf.Tensor]]:
    """Codes from the prior, and a batch of examples with them."""
    name, field = next(iter(model.fields().items()))
    code = model.generate(noise.part(_CODE), conditions)
    x = model.emit(noise.part(_EXAMPLE), code, conditions)
    return code, {name: tf.cast(x, field.dtype), **conditions}
