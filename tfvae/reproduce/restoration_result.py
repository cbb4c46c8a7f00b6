"""What a run of a row of restoration came to, and the page of the table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tfvae.reproduce.keeping import KeptResult, how_measured
from tfvae.reproduce.restoration_table import RestorationRow, RestorationTable


@dataclass(frozen=True)
class Restoration:
    """How near images come to the truth.

    Attributes:
        psnr: In decibels, of all images together.
        ssim: The mean over the images.
        consistency: Of larger images: the root mean squared difference from what was given, of
            each made small again, the mean over the images; None of denoised ones.
    """

    psnr: float
    ssim: float
    consistency: float | None = None


@dataclass(frozen=True, kw_only=True)
class RestorationResult(KeptResult):
    """What a run of a row came to, and all that it depends on.

    Attributes:
        restorations: By what was made of the images.
    """

    restorations: dict[str, Restoration]

    def best(self) -> str:
        """The highest PSNR and whose it is, for a line."""
        name = max(self.restorations, key=lambda each: self.restorations[each].psnr)
        return f"PSNR {self.restorations[name].psnr:.2f} dB ({name})"


Restorations = Mapping[tuple[str, int], RestorationResult]


def restoration_page(table: RestorationTable, kept: Restorations) -> str:
    """The page of a table of restorations, Markdown.

    Args:
        table: Its rows.
        kept: The results that there are; those of another protocol are left out.
    """
    lines = [f"# {table.title}", "", table.text, ""]
    written_by = f"`tfvae reproduce {table.name}`"
    lines += [f"{written_by} wrote this page and runs what it lacks: see {{doc}}`/results`.", ""]
    for task in table.tasks:
        lines += [f"## {task.title}", "", task.text, ""]
        extra = [] if task.of_noise else ["consistency"]
        head = ["method", "PSNR, dB", "SSIM", *extra, "seconds", "seeds"]
        lines += [f"| {' | '.join(head)} |", f"|{' - |' * len(head)}"]
        for row in table.rows.values():
            if row.task == task:
                lines += _rows(table, row, kept, len(head))
        lines += [""]
    lines += how_measured(
        table,
        kept,
        "Of several seeds a number is their mean, with the lowest and the highest; seconds are of "
        "a row's run, training included, on a machine that had other work.",
    )
    return "\n".join(lines[:-1]) + "\n"


def _rows(
    table: RestorationTable, row: RestorationRow, kept: Restorations, width: int
) -> Iterable[str]:
    found = [
        kept[row.name, seed]
        for seed in sorted(seed for name, seed in kept if name == row.name)
        if kept[row.name, seed].is_of(row)
    ]
    if not found:
        command = f"not run: `tfvae reproduce {table.name} --rows {row.name}`"
        yield f"| {row.method} | {command} |{' |' * (width - 2)}"
        return
    missing = sorted(set(row.seeds) - {result.seed for result in found})
    seeds = ", ".join(str(result.seed) for result in found)
    seeds += f" ({', '.join(map(str, missing))} not run)" if missing else ""
    for name in found[0].restorations:
        each = [result.restorations[name] for result in found]
        cells = [
            name,
            _range([one.psnr for one in each], 2),
            _range([one.ssim for one in each], 3),
        ]
        if not row.task.of_noise:
            errors = [one.consistency for one in each if one.consistency is not None]
            cells.append(_range(errors, 4) if errors else "")
        cells += [f"{sum(result.seconds for result in found) / len(found):.0f}", seeds]
        yield f"| {' | '.join(cells)} |"


def _range(values: Sequence[float], digits: int) -> str:
    around = f" ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 1 else ""
    return f"{sum(values) / len(values):.{digits}f}{around}"
