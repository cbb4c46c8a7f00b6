"""Whether what a served model is asked about is still like what it was measured on.

A VAE has the test built in: `score` gives every example its nats. The means of a sample of live
examples are held against those of the held-out data, which the export's manifest has.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfvae.errors import DivergedError, UserError
from tfvae.export.sets.manifest import Spread
from tfvae.serving.client.client import Client

METRICS = ("kl", "nll", "elbo")
MINIMUM = 30  # examples, from which on the mean of a sample is near enough to a Normal


@dataclass(frozen=True)
class Drift:
    """A metric of live examples beside that of the held-out ones.

    With means m, standard deviations s and counts n of the live (1) and the held-out data (0),

        z     = (m1 - m0) / sqrt(s1^2 / n1 + s0^2 / n0)      is it chance?   (Welch)
        shift = (m1 - m0) / s0                               does it matter?

    Neither says enough: of many examples the smallest change is no chance, and of few a large one
    may be.
    """

    live: Spread
    held_out: Spread

    @property
    def z(self) -> float:
        """The change in standard errors of the difference between the two means."""
        variances = (m.std**2 / m.count for m in (self.live, self.held_out))
        return _ratio(self.live.mean - self.held_out.mean, math.sqrt(sum(variances)))

    @property
    def shift(self) -> float:
        """The change in standard deviations of the held-out data."""
        return _ratio(self.live.mean - self.held_out.mean, self.held_out.std)

    def is_alarming(self, standard_errors: float, deviations: float) -> bool:
        """Whether the change exceeds both."""
        return abs(self.z) > standard_errors and abs(self.shift) > deviations


def _ratio(difference: float, scale: float) -> float:
    if scale > 0:
        return difference / scale
    return 0.0 if difference == 0 else math.copysign(math.inf, difference)


def score_moments(scores: Mapping[str, np.ndarray]) -> dict[str, Spread]:
    """Of each metric in what `Client.score` returns for a sample.

    Raises:
        UserError: for fewer examples than a mean can be judged by.
        DivergedError: for a score that is not finite.
    """
    found = {}
    for name in METRICS:
        values = np.asarray(scores[name], np.float64)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise DivergedError(
                f"the {name} of {len(bad)} of {len(values)} examples is not finite, first of "
                f"example {bad[0]}: look at what is sent, and at the model."
            )
        if len(values) < MINIMUM:
            raise UserError(f"{len(values)} examples are too few to judge by; send {MINIMUM}.")
        found[name] = Spread(values.mean(), values.std(ddof=1), len(values))
    return found


def score_all(
    client: Client, columns: Mapping[str, np.ndarray], num_samples: int
) -> Mapping[str, np.ndarray]:
    """`Client.score` of examples by the names of their fields, the client's `field` among them.

    Args:
        client: connected to a server of a model that scores.
        columns: field -> `[N, ...]`.
        num_samples: draws of z for each example; more make the means less noisy, not other ones.
    """
    if client.field not in columns:
        raise UserError(f"the data have no {client.field!r}, only {sorted(columns)}.")
    others = {name: values for name, values in columns.items() if name != client.field}
    return client.score(columns[client.field], num_samples, **others)


def drifts(live: Mapping[str, Spread], held_out: Mapping[str, Spread]) -> dict[str, Drift]:
    """Metric -> its change, for those that both have.

    Raises:
        UserError: if there are none.
    """
    found = {name: Drift(live[name], held_out[name]) for name in METRICS if name in held_out}
    if not found:
        raise UserError(
            "the manifest has none of the metrics kl, nll, elbo of held-out data: give a file of "
            "such data to compare with."
        )
    return found


def prometheus_text(labels: Mapping[str, Any], found: Mapping[str, Drift], alarm: bool) -> str:
    """The changes in Prometheus' text format, for node_exporter's textfile collector."""
    own = ",".join(f"{name}={json.dumps(str(value))}" for name, value in labels.items())
    values = {
        "mean_nats": lambda drift: drift.live.mean,
        "held_out_mean_nats": lambda drift: drift.held_out.mean,
        "standard_errors": lambda drift: drift.z,
    }
    lines = [
        "# HELP tfvae_drift_alarm 1 if a metric of live data has left that of held-out data.",
        "# TYPE tfvae_drift_alarm gauge",
        f"tfvae_drift_alarm{{{own}}} {int(alarm)}",
    ]
    for kind, value in values.items():
        lines.append(f"# TYPE tfvae_drift_{kind} gauge")
        for name, drift in found.items():
            number = str(value(drift)).replace("inf", "Inf")
            lines.append(f'tfvae_drift_{kind}{{{own},metric="{name}"}} {number}')
    return "\n".join(lines) + "\n"
