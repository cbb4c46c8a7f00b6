"""What pages of tables say of the runs behind them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

_LIBRARIES = {"tensorflow": "TensorFlow", "keras": "Keras", "python": "Python"}


class RunOfRow(Protocol):
    """What a kept result says of when and where it was found."""

    @property
    def seed(self) -> int:
        """Of the run."""

    @property
    def versions(self) -> dict[str, str]:
        """Of the libraries."""

    @property
    def machine(self) -> str:
        """Processor, and accelerators."""

    @property
    def revision(self) -> str | None:
        """Of the code; None outside of a checkout."""

    @property
    def finished(self) -> str:
        """When, UTC."""


def provenance(table: str, runs: Sequence[RunOfRow]) -> str:
    """How many runs there are, the newest of them, and where all were made: sentences.

    Args:
        table: Its name, which its file has.
        runs: At least one.
    """
    last = max(runs, key=lambda run: run.finished)
    versions = ", ".join(f"{text} {last.versions[name]}" for name, text in _LIBRARIES.items())
    machines = "; ".join(sorted({run.machine for run in runs}))
    revisions = ", ".join(sorted({run.revision or "no checkout" for run in runs}))
    return (
        f"{len(runs)} runs, the last of them {last.finished} with {versions}. Machines: "
        f"{machines}. Revisions: {revisions}. `{table}.json` has all of it for each run."
    )


def seeds_text(wanted: Iterable[int], runs: Sequence[RunOfRow]) -> str:
    """The seeds of a row's runs, and those that are missing."""
    missing = sorted(set(wanted) - {run.seed for run in runs})
    seeds = each_once(run.seed for run in runs)
    return f"{seeds} ({each_once(missing)} not run)" if missing else seeds


def each_once(values: Iterable[object]) -> str:
    """Values as they come, and one where they are all the same."""
    return ", ".join(dict.fromkeys(map(str, values)))
