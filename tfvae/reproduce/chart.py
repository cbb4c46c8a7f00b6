"""The chart of a table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfvae.evaluation.canvas import Picture
from tfvae.reproduce.results import measured
from tfvae.reproduce.row_result import RowResult
from tfvae.reproduce.rows import ComparisonTable

# What differs by a hundredth of a nat, or a thousandth of a bit, should not look like much.
_NARROWEST, _NARROWEST_BITS = 1.0, 0.1


def draw_chart(
    table: ComparisonTable, results: Mapping[str, Sequence[RowResult]], path: Path
) -> None:
    """Draws what the table measures of each run, a panel for each section with results.

    That is log p(x) with the papers' figures, or of levels bits per dimension.

    Args:
        table: Its rows.
        results: Row -> its runs; at least one that is measured.
        path: Of the picture, `.png`; `drawn_values` are its description.
    """
    drawn = {name: measured(table, runs) for name, runs in results.items()}
    sections = []
    for section in table.sections:
        shown = [*(table.rows[name] for name in section.beside), *section.rows]
        if any(drawn[row.name] for row in section.rows):
            sections.append((section.title, [row for row in shown if drawn[row.name]]))
    heights = [len(rows) + 1.4 for _, rows in sections]
    figure = Picture(figsize=(6.4, 0.24 * sum(heights) + 0.4))
    panels = figure.subplots(len(sections), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (title, rows) in zip(panels, sections, strict=True):
        for place, row in enumerate(rows):
            runs = drawn[row.name]
            axes.plot(runs, [place] * len(runs), "o", color="tab:blue", markersize=5, alpha=0.7)
            if row.published:
                reported = row.published.log_likelihood
                axes.plot(reported, place, "D", color="tab:orange", markersize=5, mfc="none")
        low, high = axes.get_xlim()
        narrowest = _NARROWEST_BITS if table.of_levels else _NARROWEST
        around = max(high - low, narrowest) / 2
        axes.set_xlim((low + high) / 2 - around, (low + high) / 2 + around)
        axes.set_title(title, fontsize=9, loc="left")
        axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=8)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.tick_params(axis="x", labelsize=8)
        axes.grid(axis="x", linewidth=0.4)
        axes.spines[["top", "right"]].set_visible(False)
    diamonds = ", and papers' figures (diamonds)" if table.has_published else ""
    unit = "log p(x) of each run, nats an image"
    if table.of_levels:
        unit = "bits a dimension of each run: fewer are better"
    panels[-1].set_xlabel(f"{unit}{diamonds}", fontsize=8)
    figure.write(path, dpi=100, metadata={"Description": drawn_values(table, results)})


def drawn_values(table: ComparisonTable, results: Mapping[str, Sequence[RowResult]]) -> str:
    """What a chart of these results says of itself, JSON: its runs by row."""
    drawn = {name: measured(table, runs) for name, runs in results.items()}
    return json.dumps({name: values for name, values in drawn.items() if values})
