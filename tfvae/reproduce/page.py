"""The page of a table: what its rows came to, and the commands of those that were not run."""

from collections.abc import Iterable, Sequence
from typing import Any

from tfvae.reproduce.measure import BITS, ERROR, LIKELIHOOD, Measure
from tfvae.reproduce.results import Kept, current_results, has_measured
from tfvae.reproduce.row_result import AnnealedResult, RowResult
from tfvae.reproduce.rows import ComparisonTable, Published, Row, Section
from tfvae.reproduce.wording import each_once, provenance, seeds_text

_AIS = "AIS - IW"
_LEAST_ACCEPTED = 0.2  # of transitions; below it the page says how many were
_COLUMNS = (_AIS, "active", "s an epoch", "epochs", "seeds")

_OF_IMAGES = (
    "Means of the likelihood, discrete or not, at codes that are drawn from the prior: the same "
    "codes in each row of a panel, though what a code stands for is each model's own. What is "
    "drawn of the likelihood has its noise on top."
)


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
    if has_measured(table, results):
        what = " and ".join(measure.what for measure in table.measures)
        lines += [f"![{what} of each run]({table.name}.png)", ""]
    if any(result.images for result in present):
        lines += ["## Samples", "", _OF_IMAGES, ""]
        lines += [f"![Samples of each row]({table.name}-samples.png)", ""]
    lines += ["## How it was measured", "", *_measured(table, present), ""]
    lines += ["## Commands", "", "| row | command, with the first of its seeds |", "| - | - |"]
    lines += [f"| {name} | {_command(row, results[name])} |" for name, row in table.rows.items()]
    return "\n".join(lines) + "\n"


def _rows(
    section: Section, table: ComparisonTable, results: dict[str, list[RowResult]]
) -> Iterable[str]:
    columns = _columns(section, table)
    paper = any(row.published for row in _shown(section, table))
    head = ["row", *columns, *(["paper"] if paper else [])]
    yield f"| {' | '.join(head)} |"
    yield f"|{' - |' * len(head)}"
    for row in _shown(section, table):
        found = results[row.name]
        if found:
            every = _cells(row, found)
            cells = [every[name] for name in columns]
        else:
            cells = _not_run(table, row, len(columns))
        published = [_published(row.published, section.measure)] if paper else []
        yield f"| {' | '.join([row.name, *cells, *published])} |"


def _shown(section: Section, table: ComparisonTable) -> list[Row]:
    return [*(table.rows[name] for name in section.beside), *section.rows]


def _not_run(table: ComparisonTable, row: Row, num_columns: int) -> list[str]:
    command = f"not run: `tfvae reproduce {table.name} --rows {row.name}`"
    return [command, *[""] * (num_columns - 1)]


def _columns(section: Section, table: ComparisonTable) -> list[str]:
    """What the section compares first, and what of the rest its rows have."""
    first = {BITS: [BITS.heading], ERROR: [ERROR.heading, "calibration"]}
    absent = () if table.annealing else (_AIS,)
    rest = [name for name in _COLUMNS if name not in absent]
    return [*first.get(section.measure, []), LIKELIHOOD.heading, "ELBO", *rest]


def _published(figure: Published | None, measure: Measure) -> str:
    return f"{figure.value:.{measure.decimals}f} ({figure.source})" if figure else ""


def _cells(row: Row, found: Sequence[RowResult]) -> dict[str, str]:
    """What a row has to show, by column."""
    likelihoods = _present(found, "log_likelihood")
    likelihood = _mean_and_range(likelihoods, 2)
    if len(found) == 1 and found[0].standard_error is not None:
        likelihood += f" +- {found[0].standard_error:.2f}"
    elbos = _present(found, "elbo")
    annealed = [result.annealed for result in found if result.annealed]
    return {
        BITS.heading: _bits(row, found),
        ERROR.heading: _mean_and_range(_present(found, "error"), ERROR.decimals),
        "calibration": _mean_and_range(_present(found, "calibration_error"), 3),
        LIKELIHOOD.heading: likelihood,
        "ELBO": f"{_mean(elbos):.2f}" if elbos else "",
        _AIS: _gain(annealed),
        "active": each_once(_present(found, "active_units")),
        "s an epoch": f"{_mean([result.seconds_per_epoch for result in found]):.3g}",
        "epochs": each_once(_epochs(result) for result in found),
        "seeds": seeds_text(row.seeds, found),
    }


def _gain(annealed: Sequence[AnnealedResult]) -> str:
    """What the chains find beyond importance sampling, and whether they moved."""
    if not annealed:
        return ""
    gain = _mean([each.log_likelihood - each.importance_weighted for each in annealed])
    accepted = _mean([each.acceptance_rate for each in annealed])
    stuck = f", {accepted:.0%} accepted" if accepted < _LEAST_ACCEPTED else ""
    return f"{gain:+.2f}{stuck}"


def _bits(row: Row, found: Sequence[RowResult]) -> str:
    """Bits a dimension, of dequantised levels at most so many; a density has none."""
    bits = _present(found, "bits_per_dimension")
    if not bits:
        return "a density"
    return f"{'at most ' if row.changes.get('dequantise') else ''}{_mean(bits):.3f}"


def _present(found: Sequence[RowResult], attribute: str) -> list[Any]:
    """What is known of the runs."""
    values = (getattr(result, attribute) for result in found)
    return [value for value in values if value is not None]


def _mean_and_range(values: Sequence[float], decimals: int) -> str:
    return f"{_mean(values):.{decimals}f}{_range(values, decimals)}" if values else ""


def _range(values: Sequence[float], decimals: int) -> str:
    if len(values) < 2:
        return ""
    return f" ({min(values):.{decimals}f} to {max(values):.{decimals}f})"


def _epochs(result: RowResult) -> str:
    short = f" of {result.of_epochs}" if result.epochs < result.of_epochs else ""
    return f"{result.epochs}{short}"


def _measured(table: ComparisonTable, present: Sequence[RowResult]) -> list[str]:
    lines = [
        "log p(x) of one seed has its standard error over the held-out images; of several seeds "
        "it is their mean, with the lowest and the highest. "
        f"{_annealing(table)}"
        "Active are the latent dimensions whose posterior mean varies by more than 0.01 over the "
        "held-out images. Seconds an epoch are the first decile over the epochs of a run, which "
        "other work on the machine disturbs least, but disturbs."
    ]
    if ERROR in table.measures:
        lines[0] += (
            " The error is the share of held-out examples whose label is not the likeliest of "
            "q(y|x), or of M1's classifier, and calibration its expected calibration error (Guo et "
            "al. 2017)."
        )
    if present:
        lines += ["", provenance(table.name, present)]
    return lines


def _annealing(table: ComparisonTable) -> str:
    if table.annealing is None:
        return ""
    chains = table.annealing
    start = {"prior": "the prior", "posterior": "q(z|x)"}[chains.start]
    return (
        f"AIS - IW is what annealed importance sampling ({chains.num_chains} chains of "
        f"{chains.num_steps} steps from {start}) finds beyond importance sampling on the first "
        f"{chains.num_examples} held-out images; both are lower bounds in expectation. Where less "
        "than a fifth of the last transitions were accepted, that is said: such chains may not "
        "have moved near the posterior. It is empty where no chains were run. "
    )


def _command(row: Row, found: Sequence[RowResult]) -> str:
    further = ""
    if row.code_labels is not None:
        further = f"; `tfvae classify runs/{row.preset} --labels {row.code_labels}`"
    if found:
        return f"`{found[0].command}`{further}"
    if isinstance(row.epochs, int):
        return f"`{row.command(row.seeds[0], row.epochs)}`{further}"
    budget = row.epochs
    return f"that of {budget.pace}, with the epochs that fit into {budget.seconds:.0f} s"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
