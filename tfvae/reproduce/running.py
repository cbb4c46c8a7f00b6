"""Runs what a table lacks, row by row, and keeps each result as soon as there is one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import filelock

from tfvae.errors import DivergedError, UserError
from tfvae.reproduce.files import TableFiles, write_page
from tfvae.reproduce.one_run import RowRun, run_row
from tfvae.reproduce.results import Kept, read_results, write_results
from tfvae.reproduce.row_result import RowResult
from tfvae.reproduce.rows import ComparisonTable, Row


class UnknownPaceError(UserError):
    """A number of epochs that follows from seconds that are not known."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a table.

    Attributes:
        rows: Names, in the table's order.
        seeds: Of every row; None for each row's own.
        epochs: At most so many; None for all of a row's.
    """

    rows: Sequence[str]
    seeds: Sequence[int] | None = None
    epochs: int | None = None


def reproduce_rows(
    table: ComparisonTable,
    asked: Asked,
    runs: Path,
    paths: TableFiles,
    report: Callable[[str], None] = print,
) -> list[str]:
    """Runs the rows that have no result yet, and writes results and page after each.

    A run that was interrupted goes on from its last completed epoch when the same is asked again.

    Args:
        table: Of the rows.
        asked: Which of them.
        runs: The folder that holds the table's runs.
        paths: Where results and page are.
        report: Called with lines that say how it goes.

    Returns:
        The runs that came to nothing, each in one line: their training diverged, or they lack the
        seconds of another row.

    Raises:
        UserError: if the file of results is broken, or it or a run's folder can't be used.
    """
    # What is broken, or can't be written, shows before anything is trained.
    write_page(table, read_results(paths.results, table), paths)
    failed = []
    for name in asked.rows:
        row, measure = table.rows[name], table.measure(name)
        for seed in row.seeds if asked.seeds is None else asked.seeds:
            kept = read_results(paths.results, table)
            found = kept.get((name, seed))
            if found is not None and found.is_of(row) and found.has(asked.epochs):
                report(f"{name}, seed {seed}: kept, {measure.of(found)}")
                continue
            try:
                run = planned(row, seed, asked.epochs, table, kept)
                report(f"{run.name}: {row.command(seed, run.epochs)}")
                result = run_row(run, runs, table.annealing, report)
            except (DivergedError, UnknownPaceError) as error:
                report(f"{name}, seed {seed}: {error}")
                failed.append(f"{name}, seed {seed}: {error}")
                continue
            keep(table, result, runs, paths)
            report(f"{run.name}: {measure.of(result)}, kept in {paths.results}")
    return failed


def keep(table: ComparisonTable, result: RowResult, runs: Path, paths: TableFiles) -> None:
    """Adds a result to those that are there by now, and writes the page that shows it."""
    with filelock.FileLock(runs / ".results.lock"):  # other rows may be run by other processes
        results = read_results(paths.results, table)
        results[result.row, result.seed] = result
        write_results(paths.results, table, results)
        write_page(table, results, paths)


def planned(row: Row, seed: int, at_most: int | None, table: ComparisonTable, kept: Kept) -> RowRun:
    """The run of a row, of no more epochs than `at_most`; errors are those of `epochs_of`."""
    epochs = epochs_of(row, seed, table, kept)
    return RowRun(row, seed, min(epochs, at_most or epochs), epochs)


def epochs_of(row: Row, seed: int, table: ComparisonTable, kept: Kept) -> int:
    """How many epochs a row asks for: a number, or what fits into a time by kept seconds.

    Raises:
        UnknownPaceError: if a row's seconds are wanted that are not kept.
    """
    if isinstance(row.epochs, int):
        return row.epochs
    pace = _kept(row, row.epochs.pace, seed, table, kept)
    return max(1, round(row.epochs.seconds / pace.seconds_per_epoch))


def _kept(row: Row, name: str, seed: int, table: ComparisonTable, kept: Kept) -> RowResult:
    found = kept.get((name, seed))
    if found is None or not found.is_of(table.rows[name]):
        raise UnknownPaceError(
            f"row {row.name!r} takes its number of epochs from the seconds of row {name!r}, which "
            f"has no result with seed {seed}. Run that first: tfvae reproduce {table.name} --rows "
            f"{name} --seeds {seed}"
        )
    return found
