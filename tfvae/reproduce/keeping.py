"""Rows that are no runs of `tfvae train`: run once for each seed, and kept at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar

import filelock

from tfvae.reproduce.files import TableFiles
from tfvae.reproduce.results import read_results, write_results
from tfvae.runs.files import write_text
from tfvae.runs.machine import code_revision, library_versions, machine_name


@dataclass(frozen=True, kw_only=True)
class KeptResult:
    """What a run of a row came to depends on this, whatever it is.

    Attributes:
        row: Name of the row.
        seed: Of all that is random.
        protocol: The row's `protocol()`.
        seconds: Of the run.
        versions: Of the libraries.
        machine: Processor, and accelerators.
        revision: Of the code; None outside of a checkout.
        finished: When, UTC.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "strict": True, "allow_inf_nan": False}

    row: str
    seed: int
    protocol: str
    seconds: float
    versions: dict[str, str]
    machine: str
    revision: str | None
    finished: str

    def is_of(self, row: Any) -> bool:
        """Whether the row would still be run like this."""
        return self.protocol == row.protocol()


def keep_results(
    table: Any,
    rows: Sequence[str],
    seeds: Sequence[int] | None,
    paths: TableFiles,
    kind: type,
    run: Callable[[Any, int], Any],
    page: Callable[[Any, Any], str],
    report: Callable[[str], None] = print,
) -> None:
    """Runs the rows that have no result yet, and writes results and page after each.

    Args:
        table: Of the rows, with a name.
        rows: Their names.
        seeds: Of every row; None for each row's own.
        paths: Where results and page are.
        kind: Of a result: a `KeptResult` with `best()`.
        run: From a row and a seed to its result.
        page: From the table and what is kept to its text.
        report: Called with lines that say how it goes.

    Raises:
        UserError: if the file of results is broken, or the page can't be written.
    """
    paths.folder.mkdir(parents=True, exist_ok=True)
    for name in rows:
        row = table.rows[name]
        for seed in row.seeds if seeds is None else seeds:
            kept = read_results(paths.results, table, kind)
            found = kept.get((name, seed))
            if found is not None and found.is_of(row):
                report(f"{name}, seed {seed}: kept, {found.best()}")
                continue
            report(f"{name}, seed {seed}: {row.protocol()}")
            result = run(row, seed)
            with filelock.FileLock(paths.folder / f".{table.name}.lock"):
                kept = read_results(paths.results, table, kind)
                kept[name, seed] = result
                write_results(paths.results, table, kept)
                write_text(paths.page, page(table, kept))
            report(f"{name}, seed {seed}: {result.best()}, kept in {paths.results}")


def circumstances() -> dict[str, Any]:
    """What a result says of when and where it was found."""
    return {
        "versions": library_versions(),
        "machine": machine_name(),
        "revision": code_revision(),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def how_measured(table: Any, kept: Any, text: str) -> list[str]:
    """The lines of a page's last section; none where nothing is kept.

    Args:
        table: Of the rows.
        kept: Its results, by row and seed.
        text: What the numbers are.
    """
    present = [result for result in kept.values() if result.is_of(table.rows[result.row])]
    if not present:
        return []
    last = max(present, key=lambda result: result.finished)
    versions = ", ".join(f"{name} {version}" for name, version in last.versions.items())
    machines = "; ".join(sorted({result.machine for result in present}))
    revisions = sorted({result.revision or "no checkout" for result in present})
    return [
        "## How it was measured",
        "",
        f"{text} {len(present)} runs, the last of them {last.finished} with {versions}. Machines: "
        f"{machines}. Revisions: {', '.join(revisions)}. `{table.name}.json` has all of it for "
        "each run.",
        "",
    ]
