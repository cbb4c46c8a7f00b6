"""The KL of a bound: in closed form where there is one, or else from the draws."""

import tensorflow as tf

from tfvae.errors import UserError
from tfvae.inference.inference import Draws, Inference
from tfvae.objectives.base import check_slope


def checked_analytic(analytic_kl: bool | None) -> bool | None:
    """Returns the argument `analytic_kl` of an objective.

    Raises:
        UserError: unless it is None, True or False.
    """
    if analytic_kl is not None and not isinstance(analytic_kl, bool):
        raise UserError(f"analytic_kl must be None, True or False, received {analytic_kl!r}.")
    return analytic_kl


def closed_kl(inference: Inference, analytic_kl: bool | None) -> dict[str, tf.Tensor]:
    """Returns KL(q(z|x) || p(z)) `[B]` by name; nothing without a closed form, or not wanted."""
    return {} if analytic_kl is False else inference.proposal.kl()


def total_kl(
    inference: Inference, draws: Draws, analytic_kl: bool | None, pathwise: bool = True
) -> tf.Tensor:
    """Returns KL(q(z|x) || p(z)), `[B]`.

    Args:
        inference: Of the batch.
        draws: From its proposal.
        analytic_kl: None takes the closed form where there is one, True insists on it, False
            estimates from the draws.
        pathwise: Whether the gradient of an estimate goes through the draws.

    Raises:
        UserError: for True where there is no closed form; for an estimate whose gradient goes
            through draws of a density that jumps.
    """
    closed = closed_kl(inference, analytic_kl)
    if closed:
        return tf.add_n(list(closed.values()))
    if analytic_kl:
        raise UserError(
            "analytic_kl=True, and the KL between this posterior and this prior has no closed "
            "form. Use analytic_kl=None (or False) to estimate it."
        )
    if pathwise:
        check_slope(inference.proposal, "A KL that is estimated from draws")
    return draws.mean(draws.log_ratio)
