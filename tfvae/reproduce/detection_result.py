"""What a run of a row of detection came to, and the page of the table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tfvae.reproduce.detection_table import DetectionRow, DetectionTable
from tfvae.reproduce.keeping import KeptResult, how_measured


@dataclass(frozen=True)
class Detection:
    """How well one score ranks anomalies, each class of anomalies apart.

    Attributes:
        auroc: Of each class, in the task's order; one number without classes.
        auprc: Likewise.
    """

    auroc: list[float]
    auprc: list[float]


@dataclass(frozen=True, kw_only=True)
class DetectionResult(KeptResult):
    """What a run of a row came to, and all that it depends on.

    Attributes:
        detections: By score.
    """

    detections: dict[str, Detection]

    def best(self) -> str:
        """The highest mean AUROC and its score, for a line."""
        score = max(self.detections, key=lambda name: _mean(self.detections[name].auroc))
        return f"AUROC {_mean(self.detections[score].auroc):.3f} ({score})"


Detections = Mapping[tuple[str, int], DetectionResult]


def detection_page(table: DetectionTable, kept: Detections) -> str:
    """The page of a table of detection, Markdown.

    Args:
        table: Its rows.
        kept: The results that there are; those of another protocol are left out.
    """
    lines = [f"# {table.title}", "", table.text, ""]
    written_by = f"`tfvae reproduce {table.name}`"
    lines += [f"{written_by} wrote this page and runs what it lacks: see {{doc}}`/results`.", ""]
    for task in table.tasks:
        lines += [f"## {task.title}", "", task.text, ""]
        lines += ["| score | AUROC | AUPRC | lowest class | seeds |", "| - | - | - | - | - |"]
        for row in table.rows.values():
            if row.task == task:
                lines += _lines(table, row, kept)
        lines += [""]
    lines += how_measured(
        table,
        kept,
        "Of several seeds a number is their mean, with the lowest and the highest. The lowest "
        "class is the AUROC of the class that is hardest to find, the mean over the seeds.",
    )
    return "\n".join(lines[:-1]) + "\n"


def _lines(table: DetectionTable, row: DetectionRow, kept: Detections) -> Iterable[str]:
    found = [
        kept[row.name, seed]
        for seed in sorted(seed for name, seed in kept if name == row.name)
        if kept[row.name, seed].is_of(row)
    ]
    if not found:
        command = f"not run: `tfvae reproduce {table.name} --rows {row.name}`"
        yield f"| {row.detector} | {command} | | | |"
        return
    missing = sorted(set(row.seeds) - {result.seed for result in found})
    seeds = ", ".join(str(result.seed) for result in found)
    seeds += f" ({', '.join(map(str, missing))} not run)" if missing else ""
    for score in row.scores:
        each = [result.detections[score] for result in found]
        classes = [_mean(values) for values in zip(*(d.auroc for d in each), strict=True)]
        cells = [
            f"VAE, {score}" if score != row.detector else score,
            _spread([_mean(d.auroc) for d in each]),
            _spread([_mean(d.auprc) for d in each]),
            f"{min(classes):.3f}" if len(classes) > 1 else "",
            seeds,
        ]
        yield f"| {' | '.join(cells)} |"


def _spread(values: Sequence[float]) -> str:
    around = f" ({min(values):.3f} to {max(values):.3f})" if len(values) > 1 else ""
    return f"{_mean(values):.3f}{around}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
