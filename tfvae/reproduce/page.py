"""The page of a table: what its rows came to, and the commands of those that were not run."""

from collections.abc import Iterable, Sequence

from tfvae.reproduce.results import Kept, current_results
from tfvae.reproduce.row_result import RowResult
from tfvae.reproduce.rows import ComparisonTable, Published, Row, Section

_COLUMNS = ("log p(x)", "ELBO", "AIS - IW", "active", "s an epoch", "epochs", "seeds")


def page_text(table: ComparisonTable, kept: Kept) -> str:
    """The page of a table, Markdown.

    Args:
        table: Its rows.
        kept: The results that there are; those of other commands than the rows' are left out.
    """
    results = current_results(table, kept)
    present = [result for of_row in results.values() for result in of_row]
    lines = [f"# {table.title}", "", table.text, ""]
    written_by = f"`tfvae reproduce {table.name}`"
    lines += [f"{written_by} wrote this page and runs what it lacks: see {{doc}}`/results`.", ""]
    for section in table.sections:
        lines += [f"## {section.title}", "", section.text, "", *_rows(section, table, results), ""]
    if present:
        lines += [f"![log p(x) of each run]({table.name}.png)", ""]
    lines += ["## How it was measured", "", *_measured(table, present), ""]
    lines += ["## Commands", "", "| row | command, with the first of its seeds |", "| - | - |"]
    lines += [f"| {name} | {_command(row, results[name])} |" for name, row in table.rows.items()]
    return "\n".join(lines) + "\n"


def _rows(
    section: Section, table: ComparisonTable, results: dict[str, list[RowResult]]
) -> Iterable[str]:
    head = ["row", *_COLUMNS, *(["paper"] if table.has_published else [])]
    yield f"| {' | '.join(head)} |"
    yield f"|{' - |' * len(head)}"
    for row in [*(table.rows[name] for name in section.beside), *section.rows]:
        found = results[row.name]
        cells = _cells(row, found) if found else _not_run(table, row)
        paper = [_published(row.published)] if table.has_published else []
        yield f"| {' | '.join([row.name, *cells, *paper])} |"


def _not_run(table: ComparisonTable, row: Row) -> list[str]:
    command = f"not run: `tfvae reproduce {table.name} --rows {row.name}`"
    return [command, *[""] * (len(_COLUMNS) - 1)]


def _published(figure: Published | None) -> str:
    return f"{figure.log_likelihood:.2f} ({figure.source})" if figure else ""


def _cells(row: Row, found: Sequence[RowResult]) -> list[str]:
    likelihoods = [result.log_likelihood for result in found]
    spread = f" ({min(likelihoods):.2f} to {max(likelihoods):.2f})" if len(found) > 1 else ""
    error = found[0].standard_error
    if len(found) == 1 and error is not None:
        spread = f" +- {error:.2f}"
    annealed = [result.annealed for result in found if result.annealed]
    gains = [each.log_likelihood - each.importance_weighted for each in annealed]
    units = [result.active_units for result in found if result.active_units is not None]
    missing = sorted(set(row.seeds) - {result.seed for result in found})
    seeds = _listed(result.seed for result in found)
    return [
        f"{_mean(likelihoods):.2f}{spread}",
        f"{_mean([result.elbo for result in found]):.2f}",
        f"{_mean(gains):+.2f}" if gains else "",
        _listed(units),
        f"{_mean([result.seconds_per_epoch for result in found]):.3g}",
        _listed(_epochs(result) for result in found),
        f"{seeds} ({_listed(missing)} not run)" if missing else seeds,
    ]


def _epochs(result: RowResult) -> str:
    short = f" of {result.of_epochs}" if result.epochs < result.of_epochs else ""
    return f"{result.epochs}{short}"


def _measured(table: ComparisonTable, present: Sequence[RowResult]) -> list[str]:
    chains = table.annealing
    lines = [
        "log p(x) of one seed has its standard error over the held-out images; of several seeds "
        "it is their mean, with the lowest and the highest. AIS - IW is what annealed importance "
        f"sampling ({chains.num_chains} chains of {chains.num_steps} steps from the prior) "
        f"finds beyond importance sampling on the first {chains.num_examples} held-out images; "
        "both are lower bounds in expectation. Active are the latent dimensions whose posterior "
        "mean varies by more than 0.01 over the held-out images. Seconds an epoch are the first "
        "decile over the epochs, which other work on the machine disturbs least."
    ]
    if present:
        last = max(present, key=lambda result: result.finished)
        names = {"tensorflow": "TensorFlow", "keras": "Keras", "python": "Python"}
        versions = ", ".join(f"{names[name]} {last.versions[name]}" for name in names)
        machines = "; ".join(sorted({result.machine for result in present}))
        revisions = sorted({result.revision or "no checkout" for result in present})
        lines += [
            "",
            f"{len(present)} runs, the last of them {last.finished} with {versions}. Machines: "
            f"{machines}. Revisions: {', '.join(revisions)}. `{table.name}.json` has all of it "
            "for each run.",
        ]
    return lines


def _command(row: Row, found: Sequence[RowResult]) -> str:
    if found:
        return f"`{found[0].command}`"
    if isinstance(row.epochs, int):
        return f"`{row.command(row.seeds[0], row.epochs)}`"
    budget = row.epochs
    time = f"the time of {budget.time}" if isinstance(budget.time, str) else f"{budget.time:.0f} s"
    return f"that of {budget.pace}, with the epochs that fit into {time}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _listed(values: Iterable[object]) -> str:
    """Values as they come, and one where they are all the same."""
    return ", ".join(dict.fromkeys(map(str, values)))
