"""Rows of a table of methods: run once for each seed, and kept at once."""

import pkgutil
import time
from collections.abc import Callable, Sequence

import filelock

from tfvae.reproduce.files import TableFiles
from tfvae.reproduce.method_page import methods_page
from tfvae.reproduce.method_result import MethodResult, method_result
from tfvae.reproduce.methods import MethodTable
from tfvae.reproduce.results import read_results, write_results
from tfvae.runs.files import write_text


def compare_methods(
    table: MethodTable,
    rows: Sequence[str],
    seeds: Sequence[int] | None,
    paths: TableFiles,
    report: Callable[[str], None] = print,
) -> None:
    """Runs the rows that have no result yet, and writes results and page after each.

    Args:
        table: Of the rows.
        rows: Their names.
        seeds: Of every row; None for each row's own.
        paths: Where results and page are.
        report: Called with lines that say how it goes.

    Raises:
        UserError: if the file of results is broken.
        UserOSError: if results or page can't be written.
    """
    paths.make_folder()
    run = pkgutil.resolve_name(table.runner)
    for name in rows:
        row = table.rows[name]
        for seed in row.seeds if seeds is None else seeds:
            found = read_results(paths.results, table, MethodResult).get((name, seed))
            if found is not None and found.is_of(row):
                report(f"{name}, seed {seed}: kept, {found.best(row)}")
                continue
            report(f"{name}, seed {seed}: {row.protocol()}")
            began = time.monotonic()
            measured = run(row, seed)
            result = method_result(row, seed, measured, time.monotonic() - began)
            with filelock.FileLock(paths.folder / f".{table.name}.lock"):
                kept = read_results(paths.results, table, MethodResult)
                kept[name, seed] = result
                write_results(paths.results, table, kept)
                write_text(paths.page, methods_page(table, kept))
            report(f"{name}, seed {seed}: {result.best(row)}, kept in {paths.results}")


def write_methods_page(table: MethodTable, paths: TableFiles) -> None:
    """Writes the page of what is kept."""
    kept = read_results(paths.results, table, MethodResult)
    paths.make_folder()
    write_text(paths.page, methods_page(table, kept))
