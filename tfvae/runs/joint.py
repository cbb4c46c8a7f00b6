"""What the stages of a run come to together, where the codes between them are whole numbers."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae import evaluation
from tfvae.data import first_examples
from tfvae.models.capabilities import ScoresCodes, can

JOINT = "joint"  # in metrics.json


def measure_joint(
    model: Any, test: tf.data.Dataset, num_examples: int | None = None
) -> dict[str, Any] | None:
    """log p(x, z) of held-out examples and their codes, and its parts, in nats an example.

    Of stages that are given a label c it is log p(x, z|c), and `given` says so.

    Args:
        model: Of all stages.
        test: Batches of the first stage's held-out data, with the conditions of all stages.
        num_examples: Only so many of the examples, the first; None for all.

    Returns:
        None for a model that does not score its codes.
    """
    if not can(model, ScoresCodes):
        return None
    data = test if num_examples is None else first_examples(test, num_examples)
    found = evaluation.joint_likelihood(model, data)
    bits = None if found.num_discrete is None else found.bits_per_dimension
    error = found.standard_error
    return {
        "log_joint": found.mean,
        "standard_error": error if math.isfinite(error) else None,  # of a single example
        "nll": float(np.mean(found.nll)),
        "code_nll": float(np.mean(found.code_nll)),
        "code_nll_by_level": {n: float(np.mean(v)) for n, v in found.code_nll_by_level.items()},
        "bits_per_dimension": bits,
        "num_examples": len(found.per_example),
        "given": sorted(model.conditions()),
    }


def joint_lines(found: Mapping[str, Any] | None) -> list[str]:
    """The numbers of `measure_joint` for people to read."""
    if found is None:
        return []
    spread = "" if found["standard_error"] is None else f" +- {found['standard_error']:.2f}"
    bits, given = found["bits_per_dimension"], found.get("given")  # not of older runs
    given = f" | {', '.join(given)}" if given else ""
    levels = [f"{n} {v:.2f}" for n, v in (found.get("code_nll_by_level") or {}).items()]
    return [
        "stages together",
        f"log p(x, codes{given})  {found['log_joint']:.2f}{spread} nats an example = -(nll "
        f"{found['nll']:.2f} + codes {found['code_nll']:.2f}), {found['num_examples']} held out: "
        f"log p(x{given}) is at least that",
        *([f"codes     {', '.join(levels)}, each given those above"] if levels else []),
        *([] if bits is None else [f"bits      at most {bits:.3f} a dimension"]),
    ]
