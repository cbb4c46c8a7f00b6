"""The chart of a table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfvae.evaluation.canvas import Picture
from tfvae.reproduce.row_result import RowResult
from tfvae.reproduce.rows import ComparisonTable

_NARROWEST = 1.0  # nats: what differs by a hundredth should not look like much


def draw_chart(
    table: ComparisonTable, results: Mapping[str, Sequence[RowResult]], path: Path
) -> None:
    """Draws log p(x) of each run and the papers' figures, a panel for each section with results.

    Args:
        table: Its rows.
        results: Row -> its runs; at least one.
        path: Of the picture, `.png`; `drawn_values` are its description.
    """
    sections = []
    for section in table.sections:
        shown = [*(table.rows[name] for name in section.beside), *section.rows]
        if any(results[row.name] for row in section.rows):
            sections.append((section.title, [row for row in shown if results[row.name]]))
    heights = [len(rows) + 1.4 for _, rows in sections]
    figure = Picture(figsize=(6.4, 0.24 * sum(heights) + 0.4))
    panels = figure.subplots(len(sections), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (title, rows) in zip(panels, sections, strict=True):
        for place, row in enumerate(rows):
            runs = [result.log_likelihood for result in results[row.name]]
            axes.plot(runs, [place] * len(runs), "o", color="tab:blue", markersize=5, alpha=0.7)
            if row.published:
                reported = row.published.log_likelihood
                axes.plot(reported, place, "D", color="tab:orange", markersize=5, mfc="none")
        low, high = axes.get_xlim()
        around = max(high - low, _NARROWEST) / 2
        axes.set_xlim((low + high) / 2 - around, (low + high) / 2 + around)
        axes.set_title(title, fontsize=9, loc="left")
        axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=8)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.tick_params(axis="x", labelsize=8)
        axes.grid(axis="x", linewidth=0.4)
        axes.spines[["top", "right"]].set_visible(False)
    diamonds = ", and papers' figures (diamonds)" if table.has_published else ""
    panels[-1].set_xlabel(f"log p(x) of each run, nats an image{diamonds}", fontsize=8)
    figure.write(path, dpi=100, metadata={"Description": drawn_values(results)})


def drawn_values(results: Mapping[str, Sequence[RowResult]]) -> str:
    """What a chart of these results says of itself, JSON: its runs by row."""
    drawn = {name: [run.log_likelihood for run in runs] for name, runs in results.items() if runs}
    return json.dumps(drawn)
