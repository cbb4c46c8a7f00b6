"""Data for a background model: entries replaced at random."""

from collections.abc import Sequence

import numpy as np

from tfvae.checks import real
from tfvae.errors import UserError
from tfvae.uses.thresholds import checked_rate


def perturbed(
    x: np.ndarray, rate: float = 0.2, levels: Sequence[float] | None = None, seed: int = 0
) -> np.ndarray:
    """Returns examples some of whose entries were replaced by others': a background model's data.

    Each entry is replaced with a probability, by one of `levels` with equal probability, or by that
    entry of another example. What is left is what all data share; see `LikelihoodRatio`.

    Args:
        x: `[N, ...]`.
        rate: Of the entries, above 0 and below 1. Default 0.2; the paper tries 0.1 to 0.3.
        levels: What an entry may be, such as (0.0, 1.0) of bits. None (default): what the same
            entry is in other examples, for columns of a table.
        seed: Of what is replaced, from 0 on.

    Returns:
        An array of the shape and type of x.

    Raises:
        UserError: for arguments out of range.

    Example:
        >>> perturbed(np.zeros((4, 3)), 0.5, levels=(7.0,)).max()
        np.float64(7.0)

    References:
        J. Ren et al., 2019, "Likelihood Ratios for Out-of-Distribution Detection",
        arXiv:1906.02845, section 3 (mutations). Departure: without `levels` an entry's own values.
    """
    rng = np.random.default_rng(seed)
    replaced = rng.random(np.shape(x)) < checked_rate("rate", rate)
    if levels is None:
        others = rng.permuted(x, axis=0)
    else:
        if not len(levels):
            raise UserError("levels is empty; expected what an entry may be, such as (0.0, 1.0).")
        chosen = [real(f"levels[{i}]", level) for i, level in enumerate(levels)]
        others = rng.choice(np.asarray(chosen, x.dtype), np.shape(x))
    return np.where(replaced, others, x)
