"""What the estimators return: nats per example, with their uncertainty."""

import math
from dataclasses import dataclass, field

import numpy as np

from tfvae.errors import DivergedError, UserError


@dataclass(frozen=True, repr=False)
class PerExample:
    """A number of nats for each example of a data set.

    Attributes:
        per_example: float64 `[N]`, nats.
    """

    per_example: np.ndarray

    @property
    def mean(self) -> float:
        """Mean over the examples, nats."""
        return float(np.mean(self.per_example))

    @property
    def standard_error(self) -> float:
        """Standard error of `mean` as an estimate for the population that the examples are from.

            s / sqrt(N),  s^2 = sum_n (value_n - mean)^2 / (N - 1)

        It holds the spread between examples and the noise of the draws, which are independent
        between examples; it does not hold the bias of a bound. NaN for a single example.
        """
        count = len(self.per_example)
        return float(np.std(self.per_example, ddof=1) / math.sqrt(count)) if count > 1 else math.nan

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._nats()})"

    def _nats(self) -> str:
        spread = f"{self.mean:.2f} +- {self.standard_error:.2f} nats"
        return f"{spread}, {len(self.per_example)} examples"


@dataclass(frozen=True, repr=False)
class Estimate(PerExample):
    """An estimate in nats for each example of a data set.

    Attributes:
        per_example: float64 `[N]`, nats.
        num_samples: Draws of z for each example.
        num_discrete: How many bits, levels or counts an example has; None of data with a density.
    """

    num_samples: int
    num_discrete: int | None = field(default=None, kw_only=True)

    @property
    def bits_per_dimension(self) -> float:
        """-mean / (D log 2): bits that a code of the data needs for each of its D entries.

        Raises:
            UserError: for data with a density, such as under a Normal likelihood: its value, and
                its sign, depend on the unit of x.
        """
        if self.num_discrete is None:
            raise UserError(
                "Bits per dimension are of discrete data, and this model's likelihood of x is a "
                "density of real numbers. For images of levels use one of levels: "
                "heads.Categorical or heads.DiscretisedLogisticMixture. Of dequantised levels they "
                "are at most -(mean + tfvae.data.log_jacobian(test)) / (D log 2), as runs report."
            )
        return -self.mean / (self.num_discrete * math.log(2.0))

    def _nats(self) -> str:
        return f"{super()._nats()}, {self.num_samples} samples each"


@dataclass(frozen=True, repr=False)
class LikelihoodEstimate(Estimate):
    """An importance-sampling estimate of log p(x) for each example.

    Attributes:
        per_example: float64 `[N]`, nats.
        num_samples: K, draws of z for each example.
        effective_sample_size: float64 `[N]`, (sum_k w_k)^2 / sum_k w_k^2, between 1 and K. Near 1
            one draw carries the estimate, which is then likely to be too low.
    """

    effective_sample_size: np.ndarray

    @property
    def mean_effective_sample_size(self) -> float:
        """Mean of the effective sample size over the examples."""
        return float(np.mean(self.effective_sample_size))


@dataclass(frozen=True, repr=False)
class ELBOEstimate(Estimate):
    """The evidence lower bound of each example and its two parts.

    Attributes:
        per_example: float64 `[N]`, -nll - kl, nats.
        num_samples: S, draws of z for each example.
        nll: float64 `[N]`, E_q[-log p(x|z)].
        kl: float64 `[N]`, KL(q(z|x) || p(z)).
    """

    nll: np.ndarray
    kl: np.ndarray


def refuse_nan(values: np.ndarray) -> None:
    """Raises `FloatingPointError` if an estimate is not a number."""
    bad = np.flatnonzero(np.isnan(values))
    if len(bad):
        raise DivergedError(
            f"{len(bad)} of {len(values)} estimates are NaN, the first for example {bad[0]}. Look "
            "for NaN in the weights: training may have diverged (lower the learning rate)."
        )
