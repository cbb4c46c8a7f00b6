"""log p(x, z) at the whole-numbered code z of x, in its parts."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.evaluation.batches import BATCH_SIZE
from tfvae.evaluation.collecting import collected
from tfvae.evaluation.estimates import Estimate, refuse_nan
from tfvae.evaluation.importance import discrete_size
from tfvae.models.capabilities import Batch, ScoresCodes, require
from tfvae.training.programs import compiled

_OF_LEVEL = "code_nll_"


@dataclass(frozen=True, repr=False)
class JointEstimate(Estimate):
    """log p(x, z) of each example at its code z: at most log p(x).

    Of stages that are given a label c all of them are given c: log p(x, z|c) is at most log p(x|c),
    and may well be more than log p(x).

    Attributes:
        per_example: float64 `[N]`, -nll - code_nll, nats.
        num_samples: 1: a code is not drawn.
        nll: float64 `[N]`, -log p(x|z).
        code_nll: float64 `[N]`, -log p(z), what the prior of the codes asks for them.
        code_nll_by_level: Level -> float64 `[N]`, of codes of several levels, the top first: each
            given those above it. They add up to `code_nll`. Empty of others.
    """

    nll: np.ndarray
    code_nll: np.ndarray
    code_nll_by_level: dict[str, np.ndarray] = field(default_factory=dict)


def joint_likelihood(
    model: Any, data: Any, *, batch_size: int = BATCH_SIZE, verbose: int = 0
) -> JointEstimate:
    """Evaluates log p(x, z) = log p(x|z) + log p(z) at the code z of each example: not random.

        log p(x) = log sum_z p(x, z) >= log p(x, z(x))

    One term of the sum, and so a lower bound of log p(x), which stands beside the bounds and
    estimates of other models. It is tight where the encoder's code is the only one that explains x.
    Where a stage has conditions c, a bound of log p(x|c), which stands beside those of models that
    are given c:

        log p(x|c) = log sum_z p(x, z|c) >= log p(x|z(x)) + log p(z(x)|c)

    Args:
        model: A built `StagedModel` of a model with whole numbers for codes and a `PixelCNN`.
        data: What `fit` takes.
        batch_size: Examples of one compiled step.
        verbose: 1 shows a progress bar.

    Raises:
        UserError: for data that `fit` would refuse, or another model.
        FloatingPointError: if a value is not a number.
    """
    require(model, "joint_likelihood()", ScoresCodes)
    run = compiled(model, _joint_nats)
    found = collected(model, data, lambda batch: run(batch.tensors()), batch_size, verbose)
    nll, code_nll = (found[name].astype(np.float64) for name in ("nll", "code_nll"))
    refuse_nan(nll + code_nll)
    levels = {n.removeprefix(_OF_LEVEL): v for n, v in found.items() if n.startswith(_OF_LEVEL)}
    return JointEstimate(
        -nll - code_nll,
        1,
        nll,
        code_nll,
        {name: values.astype(np.float64) for name, values in levels.items()},
        num_discrete=discrete_size(model),
    )


def _joint_nats(model: Any, batch: Batch) -> dict[str, tf.Tensor]:
    return model.joint_nats(batch)
