"""The threshold of a score, and how often it cries wolf."""

import math
from typing import NamedTuple

import numpy as np
import scipy.stats

from tfvae.checks import real
from tfvae.errors import UserError


class FalseAlarms(NamedTuple):
    """How many of some normal examples were taken for anomalies.

    Attributes:
        rate: Of them.
        low, high: Ends of the rate's interval of 95 %.
        count: Of normal examples that were looked at.
    """

    rate: float
    low: float
    high: float
    count: int  # type: ignore[assignment]  # a tuple has count()


def score_threshold(scores: np.ndarray, false_alarm_rate: float) -> float:
    """Returns the score above which an example counts as an anomaly.

        t = s_(k),   k = min(n, ceil((n + 1) (1 - a))),   s_(1) <= ... <= s_(n)

    For scores of normal examples that the model was not trained on, another normal example exceeds
    t with a probability of at most a, whatever the scores' law, where n >= 1/a - 1; with fewer
    examples t is their maximum, and the probability at most 1 / (n + 1).

    Args:
        scores: Of n normal examples, `[n]`.
        false_alarm_rate: a, above 0 and below 1.

    Raises:
        UserError: for a rate out of range, or no scores.

    References:
        V. Vovk, A. Gammerman, G. Shafer, 2005, "Algorithmic Learning in a Random World". S. Bates
        et al., 2021, "Testing for Outliers with Conformal p-values", arXiv:2104.08279.
    """
    rate = checked_rate("false_alarm_rate", false_alarm_rate)
    if not len(scores):
        raise UserError("There are no scores of normal examples to take a threshold from.")
    place = min(len(scores), math.ceil((len(scores) + 1) * (1.0 - rate) - 1e-9))
    return float(np.sort(scores)[place - 1])


def false_alarms(scores: np.ndarray, threshold: float, confidence: float = 0.95) -> FalseAlarms:
    """Returns how many normal examples score above a threshold, with Clopper-Pearson's interval.

    With c of n above, the ends are the quantiles (1 - confidence) / 2 of Beta(c, n - c + 1) and
    (1 + confidence) / 2 of Beta(c + 1, n - c), 0 and 1 where c is 0 or n.

    Args:
        scores: Of normal examples that the threshold was not taken from, `[n]`.
        threshold: See `score_threshold`.
        confidence: Of the interval.

    References:
        C. J. Clopper and E. S. Pearson, 1934, "The Use of Confidence or Fiducial Limits Illustrated
        in the Case of the Binomial", Biometrika 26.
    """
    count, above = len(scores), int(np.sum(scores > threshold))
    tail = (1.0 - confidence) / 2.0
    low = scipy.stats.beta.ppf(tail, above, count - above + 1) if above else 0.0
    high = scipy.stats.beta.ppf(1.0 - tail, above + 1, count - above) if above < count else 1.0
    return FalseAlarms(above / count, float(low), float(high), count)


def checked_rate(name: str, value: float) -> float:
    """Returns a share above 0 and below 1, or raises `UserError`."""
    if not real(name, value, above=0.0) < 1.0:
        raise UserError(f"{name} must be above 0 and below 1, received {value!r}.")
    return float(value)
