"""Exported draws are held against the posterior itself, not against the code that made them."""

from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.fields import required
from tfvae.export.publishing import ExportError
from tfvae.export.saved_models.requests import random_fields
from tfvae.export.servables.encoder import posterior_noise
from tfvae.inference.proposal import Proposal
from tfvae.models.capabilities import Scores

ROWS, DRAWS = 3, 4096
# Standard errors that a mean or a variance of the draws may be off: chance does it once in 1e9.
ERRORS = 6.0
# log q of a draw made forward, and of the same z looked at afterwards, in float32.
DENSITY_TOLERANCE = 1e-3


def check_draws(model: Any) -> None:
    """Compares the draws that `encoder/sample` serves with the posterior that they are from.

    Of 4,096 draws for each of 3 random examples: log q that came with each draw against the
    posterior's own log-density of it, and mean and variance against those of as many draws of its
    own sampler, where it is a distribution of TFP's. A flow that was drawn from N(0, I) instead of
    its base would pass every comparison of a served file with the code that made it.

    Args:
        model: a built model; one whose proposal can't evaluate log q of a given z is let pass.

    Raises:
        ExportError: if they disagree.
    """
    if not isinstance(model, Scores):
        return
    fields = required(model.fields())  # type: ignore[attr-defined]  # of every model
    examples = random_fields(fields, ROWS, seed=4)
    with tf.device("CPU"):
        batch = {name: tf.constant(values) for name, values in examples.items()}
        proposal = model.infer(batch).proposal
        if type(proposal).log_prob is Proposal.log_prob:  # it can't say
            return
        draw = proposal.draw(posterior_noise(tf.range(ROWS), 0, DRAWS))
        expected = proposal.log_prob(draw.z)
        difference = float(tf.reduce_max(tf.abs(draw.log_prob - expected) / (1 + tf.abs(expected))))
        if not difference <= DENSITY_TOLERANCE:
            raise ExportError(
                "the draws of the posterior do not have the density that came with them: log q "
                f"differs by {difference:.2g} relative to 1 + |log q|. Its head's draw() and "
                "distribution() disagree. Nothing was published."
            )
        distribution = getattr(proposal, "distribution", None)
        if distribution is not None:
            own = distribution.sample(DRAWS, seed=[3, 4])
            _check_moments(np.asarray(draw.z, np.float64), np.asarray(own, np.float64))


def _check_moments(drawn: np.ndarray, own: np.ndarray) -> None:
    for name, power in (("mean", 1), ("mean square", 2)):
        first, second = drawn**power, own**power
        error = np.sqrt((first.var(axis=0) + second.var(axis=0)) / DRAWS) + 1e-9
        worst = float(np.max(np.abs(first.mean(axis=0) - second.mean(axis=0)) / error))
        if not worst <= ERRORS:
            raise ExportError(
                f"the {name} of the exported draws is {worst:.1f} standard errors from that of the "
                f"posterior's own sampler; at most {ERRORS:g} is allowed. Its head's draw() does "
                "not draw from its distribution(). Nothing was published."
            )
