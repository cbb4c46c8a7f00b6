"""The page of a table of methods, Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from tfvae.reproduce.method_result import MethodResult
from tfvae.reproduce.methods import MethodRow, MethodTable, Quantity
from tfvae.reproduce.wording import provenance, seeds_text

Results = Mapping[tuple[str, int], MethodResult]


def methods_page(table: MethodTable, kept: Results) -> str:
    """The page of a table of methods, Markdown.

    Args:
        table: Its rows.
        kept: The results that there are; those of another protocol are left out.
    """
    lines = [f"# {table.title}", "", table.text, ""]
    written_by = f"`tfvae reproduce {table.name}`"
    lines += [f"{written_by} wrote this page and runs what it lacks: see {{doc}}`/results`.", ""]
    for task in table.tasks:
        head = ["method", *(each.heading for each in task.quantities), "seconds", "seeds"]
        lines += [f"## {task.title}", "", task.text, ""]
        lines += [f"| {' | '.join(head)} |", f"|{' - |' * len(head)}"]
        for row in table.rows.values():
            if row.task == task:
                lines += _lines(table, row, kept, len(head))
        lines += [""]
    return "\n".join([*lines, *_how_measured(table, kept)][:-1]) + "\n"


def _lines(table: MethodTable, row: MethodRow, kept: Results, width: int) -> Iterable[str]:
    found = [
        result
        for (name, _), result in sorted(kept.items())
        if name == row.name and result.is_of(row)
    ]
    if not found:
        command = f"not run: `tfvae reproduce {table.name} --rows {row.name}`"
        yield f"| {row.method} | {command} |{' |' * (width - 2)}"
        return
    seeds = seeds_text(row.seeds, found)
    seconds = f"{fmean([result.seconds for result in found]):.0f}"
    for way in found[0].measured:
        cells = [_cell(each, [run.measured[way] for run in found]) for each in row.task.quantities]
        yield f"| {' | '.join([way, *cells, seconds, seeds])} |"


def _cell(quantity: Quantity, runs: Sequence[Mapping[str, Sequence[float]]]) -> str:
    """A quantity of several seeds; empty where a way has none of it."""
    values = [run[quantity.name] for run in runs if quantity.name in run]
    if not values:
        return ""
    if quantity.hardest:
        parts = [fmean(part) for part in zip(*values, strict=True)]
        return quantity.text(min(parts)) if len(parts) > 1 else ""
    means = [fmean(each) for each in values]
    lowest, highest = quantity.text(min(means)), quantity.text(max(means))
    around = f" ({lowest} to {highest})" if len(means) > 1 else ""
    return quantity.text(fmean(means)) + around


def _how_measured(table: MethodTable, kept: Results) -> list[str]:
    """The lines of the last section; none where nothing is kept."""
    present = [result for result in kept.values() if result.is_of(table.rows[result.row])]
    if not present:
        return []
    return [
        "## How it was measured",
        "",
        "Of several seeds a number is their mean, with the lowest and the highest; seconds are of "
        f"a row's run, training included, on a machine that had other work.{table.measured} "
        f"{provenance(table.name, present)}",
        "",
    ]
