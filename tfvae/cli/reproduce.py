"""`tfvae reproduce`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tfvae.cli.options import OneOf
from tfvae.reproduce.codes_table import CODES_TABLES
from tfvae.reproduce.detection_table import DETECTION_TABLES
from tfvae.reproduce.imputation_table import IMPUTATION_TABLES
from tfvae.reproduce.methods import MethodTable
from tfvae.reproduce.quadrants_table import QUADRANTS_TABLES
from tfvae.reproduce.restoration_table import RESTORATION_TABLES
from tfvae.reproduce.rows import ComparisonTable
from tfvae.reproduce.segmentation_table import SEGMENTATION_TABLES
from tfvae.reproduce.tables import TABLES
from tfvae.reproduce.words_table import WORDS_TABLES
from tfvae.suggestions import nearest

_LARGEST_SEED = 2**31 - 1
# Tables whose rows are no runs of `tfvae train`.
METHOD_TABLES: dict[str, MethodTable] = {
    **DETECTION_TABLES,
    **RESTORATION_TABLES,
    **SEGMENTATION_TABLES,
    **IMPUTATION_TABLES,
    **QUADRANTS_TABLES,
    **WORDS_TABLES,
    **CODES_TABLES,
}


class Listed(click.ParamType):
    """Values separated by commas, each of them once."""

    def __init__(self, name: str, read: Callable[[str], Any]):
        self.name, self.read = name, read

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[Any, ...]:
        """The values, or a failure that names the wrong one."""
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(map(self.read, value.split(",")))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        twice = next((each for each in found if found.count(each) > 1), None)
        if twice is not None:
            self.fail(f"{twice} is given twice.", param, ctx)
        return found


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_SEED:
        raise ValueError(f"{text!r} is not a seed. Expected whole numbers such as 0,1,2.")
    return int(text)


@click.command("reproduce", short_help="Train and measure the rows of a table of results.")
@click.argument("table", type=OneOf("table", [*TABLES, *METHOD_TABLES]), required=False)
@click.option("--rows", type=Listed("ROW,ROW,...", str), help="Only these.  [all]")
@click.option("--seeds", type=Listed("N,N,...", _seed), help="Of every row.  [each row's own]")
@click.option("--epochs", type=click.IntRange(min=1), help="At most so many; the page says so.")
@click.option("--list", "listing", is_flag=True, help="Show the rows and what is kept of them.")
@click.option("--render", is_flag=True, help="Only write the page again from what is kept.")
@click.option(
    "--runs-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/reproduce"),
    show_default=True,
    help="Folder in which TABLE holds the runs.",
)
@click.option(
    "--results-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("docs/results"),
    show_default=True,
    help="Folder of TABLE.json, which is kept, and of TABLE.md and TABLE.png, made of it.",
)
def command(
    table: str | None,
    rows: tuple[str, ...] | None,
    seeds: tuple[int, ...] | None,
    epochs: int | None,
    listing: bool,
    render: bool,
    runs_dir: Path,
    results_dir: Path,
) -> None:
    """Train and measure the rows of a table that have no result yet, and write its page.

    Without TABLE, shows the tables. Every row is trained as `tfvae train` does, and what it came to
    is kept at once: an interrupted table goes on where it was, within a row from its last
    completed epoch, when the same command is given again. A row that was cut short by --epochs is
    run again when more are asked for.

    A checkout comes with results: to find your own, give another --results-dir.
    """
    if table is None:
        tables: list[ComparisonTable | MethodTable] = [*TABLES.values()]
        for each in [*tables, *METHOD_TABLES.values()]:
            click.echo(f"{each.name:12} {each.title}, {len(each.rows)} rows")
        return
    if table in METHOD_TABLES:
        _of_methods(METHOD_TABLES[table], rows, seeds, epochs, listing, render, results_dir)
        return
    chosen = TABLES[table]
    names = _rows(chosen, rows)
    from tfvae.reproduce.files import TableFiles, write_page
    from tfvae.reproduce.results import read_results

    paths = TableFiles(results_dir, table)
    kept = read_results(paths.results, chosen)
    if listing:
        for name in names:
            measure = chosen.measure(name)
            results = [r for r in kept.values() if r.row == name and r.is_of(chosen.rows[name])]
            state = ", ".join(f"{measure.of(r)} (seed {r.seed})" for r in results)
            click.echo(f"{name:30} {state or 'not run'}")
        return
    if render:
        write_page(chosen, kept, paths)
        click.echo(paths.page)
        return
    from tfvae.cli.quiet import load_tensorflow

    load_tensorflow()
    from tfvae.reproduce.running import Asked, reproduce_rows

    try:
        failed = reproduce_rows(
            chosen, Asked(names, seeds, epochs), runs_dir / table, paths, click.echo
        )
    except KeyboardInterrupt:
        click.echo("Interrupted. What is finished is kept: the same command goes on.")
        raise
    click.echo(paths.page)
    if failed:
        raise click.ClickException("No result: " + "; ".join(failed))


def _of_methods(
    table: MethodTable,
    rows: tuple[str, ...] | None,
    seeds: tuple[int, ...] | None,
    epochs: int | None,
    listing: bool,
    render: bool,
    results_dir: Path,
) -> None:
    """The same for a table whose rows are no runs of `tfvae train`."""
    if epochs is not None:
        raise click.UsageError(f"--epochs: the rows of {table.name} have their own.")
    names = _rows(table, rows)
    from tfvae.reproduce.files import TableFiles
    from tfvae.reproduce.keeping import compare_methods, write_methods_page
    from tfvae.reproduce.method_result import MethodResult
    from tfvae.reproduce.results import read_results

    paths = TableFiles(results_dir, table.name)
    if listing:
        kept = read_results(paths.results, table, MethodResult)
        for name in names:
            row = table.rows[name]
            found = [r for r in kept.values() if r.row == name and r.is_of(row)]
            state = ", ".join(f"{r.best(row)} (seed {r.seed})" for r in found)
            click.echo(f"{name:30} {state or 'not run'}")
        return
    if not render:
        from tfvae.cli.quiet import load_tensorflow

        load_tensorflow()
        try:
            compare_methods(table, names, seeds, paths, click.echo)
        except KeyboardInterrupt:
            click.echo("Interrupted. What is finished is kept: the same command goes on.")
            raise
    write_methods_page(table, paths)
    click.echo(paths.page)


def _rows(table: ComparisonTable | MethodTable, names: tuple[str, ...] | None) -> list[str]:
    """The rows that were asked for, in the table's order."""
    for name in names or ():
        if name not in table.rows:
            raise click.UsageError(
                f"--rows: no such row {name!r} in {table.name}.{nearest(name, table.rows)} "
                f"Expected some of {', '.join(table.rows)}."
            )
    return [name for name in table.rows if names is None or name in names]
