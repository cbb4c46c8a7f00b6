"""What a run of a row of a table of methods came to, and all that it depends on."""

from dataclasses import dataclass
from datetime import datetime, timezone
from statistics import fmean
from typing import ClassVar

from tfvae.reproduce.methods import MethodRow

Measured = dict[str, dict[str, list[float]]]  # way of using the method -> quantity -> parts


@dataclass(frozen=True, kw_only=True)
class MethodResult:
    """What a run of a row came to, and all that it depends on.

    Attributes:
        row: Name of the row.
        seed: Of all that is random.
        protocol: The row's `protocol()`.
        measured: By the way of using the method, then by quantity: a value for each part of the
            task, or one.
        seconds: Of the run, training included.
        versions: Of the libraries.
        machine: Processor, and accelerators.
        revision: Of the code; None outside of a checkout.
        finished: When, UTC.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "strict": True, "allow_inf_nan": False}

    row: str
    seed: int
    protocol: str
    measured: Measured
    seconds: float
    versions: dict[str, str]
    machine: str
    revision: str | None
    finished: str

    def is_of(self, row: MethodRow) -> bool:
        """Whether the row would still be run like this."""
        return self.protocol == row.protocol()

    def best(self, row: MethodRow) -> str:
        """The best value of the task's first quantity and the way that has it, for a line."""
        first = row.task.quantities[0]
        values = {way: fmean(found[first.name]) for way, found in self.measured.items()}
        way = (min if first.lower_is_better else max)(values, key=values.__getitem__)
        value = f"{first.text(values[way])} {first.unit}".rstrip()
        return f"{first.title} {value} ({way})"


def method_result(row: MethodRow, seed: int, measured: Measured, seconds: float) -> MethodResult:
    """What was measured with what it depends on, here and now."""
    # Imports TensorFlow, which a list of results can do without.
    from tfvae.runs.machine import code_revision, library_versions, machine_name

    return MethodResult(
        row=row.name,
        seed=seed,
        protocol=row.protocol(),
        measured=measured,
        seconds=round(seconds, 1),
        versions=library_versions(),
        machine=machine_name(),
        revision=code_revision(),
        finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
