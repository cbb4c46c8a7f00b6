"""The chart of a table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfvae.evaluation.canvas import Picture
from tfvae.reproduce.results import measured
from tfvae.reproduce.row_result import RowResult
from tfvae.reproduce.rows import ComparisonTable


def draw_chart(
    table: ComparisonTable, results: Mapping[str, Sequence[RowResult]], path: Path
) -> None:
    """Draws what each section measures of its runs, a panel for each that has results.

    The papers' figures stand beside them.

    Args:
        table: Its rows.
        results: Row -> its runs; at least one that is measured.
        path: Of the picture, `.png`; `drawn_values` are its description.
    """
    drawn = _drawn(table, results)
    sections = []
    for section in table.sections:
        shown = [*(table.rows[name] for name in section.beside), *section.rows]
        if any(drawn[row.name] for row in section.rows):
            sections.append((section, [row for row in shown if drawn[row.name]]))
    heights = [len(rows) + 1.4 for _, rows in sections]
    figure = Picture(figsize=(6.4, 0.24 * sum(heights) + 0.4))
    panels = figure.subplots(len(sections), 1, squeeze=False, height_ratios=heights)[:, 0]
    diamonds = ", and papers' figures (diamonds)" if table.has_published else ""
    for number, (axes, (section, rows)) in enumerate(zip(panels, sections, strict=True)):
        for place, row in enumerate(rows):
            runs = drawn[row.name]
            axes.plot(runs, [place] * len(runs), "o", color="tab:blue", markersize=5, alpha=0.7)
            if row.published:
                reported = row.published.value
                axes.plot(reported, place, "D", color="tab:orange", markersize=5, mfc="none")
        low, high = axes.get_xlim()
        around = max(high - low, section.measure.narrowest) / 2
        axes.set_xlim((low + high) / 2 - around, (low + high) / 2 + around)
        axes.set_title(section.title, fontsize=9, loc="left")
        axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=8)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.tick_params(axis="x", labelsize=8)
        axes.grid(axis="x", linewidth=0.4)
        axes.spines[["top", "right"]].set_visible(False)
        below = sections[number + 1][0].measure if number + 1 < len(sections) else None
        if section.measure != below:
            axes.set_xlabel(f"{section.measure.axis}{diamonds}", fontsize=8)
    figure.write(path, dpi=100, metadata={"Description": drawn_values(table, results)})


def drawn_values(table: ComparisonTable, results: Mapping[str, Sequence[RowResult]]) -> str:
    """What a chart of these results says of itself, JSON: its runs by row."""
    drawn = _drawn(table, results)
    return json.dumps({name: values for name, values in drawn.items() if values})


def _drawn(
    table: ComparisonTable, results: Mapping[str, Sequence[RowResult]]
) -> dict[str, list[float]]:
    return {name: measured(table, name, runs) for name, runs in results.items()}
