"""The report of a TFLite export: one row a file, as a table and as `report.json`."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_COLUMNS = (
    "file",
    "size kB",
    "mean error",
    "max error",
    "NLL change",
    "1: ms",
    "64: ms",
    "",
)


@dataclass(frozen=True)
class FileReport:
    """What was measured of one file.

    Args:
        file: its name.
        part: "decoder" or "encoder".
        variant: "float32", "float16", "dynamic" or "int8".
        size: bytes.
        mean_error: of the part's judged output: of a Bernoulli its probabilities, of a Normal its
            means, of an encoder the posterior means, against the live model.
        max_error: the largest of these errors.
        nll_change: by how many nats an example the test NLL rises with this part in place of the
            live one; None without test data.
        latency_1: seconds for one sample (`sample_seeded`) or one example (`encode`), one thread.
        latency_64: seconds for 64 of them.
        refused: the change is over the limit, and the file was not published.
    """

    file: str
    part: str
    variant: str
    size: int
    mean_error: float
    max_error: float
    nll_change: float | None
    latency_1: float
    latency_64: float
    refused: bool

    def cells(self) -> list[str]:
        """The row of the table."""
        change = "-" if self.nll_change is None else f"{self.nll_change:+.4f}"
        return [
            self.file,
            f"{self.size / 1e3:.1f}",
            f"{self.mean_error:.1e}",
            f"{self.max_error:.1e}",
            change,
            f"{self.latency_1 * 1e3:.3f}",
            f"{self.latency_64 * 1e3:.3f}",
            "REFUSED" if self.refused else "",
        ]


@dataclass(frozen=True)
class TFLiteReport:
    """All files of an export, and how they were measured.

    Args:
        files: one report a file.
        max_nll_change: the limit, nats an example.
        test_nll: the live model's importance-weighted bound on the same examples, as an NLL in
            nats an example; None without test data.
        test_examples: how many.
        num_samples: K of the bound.
        runtime: name and version of the runtime that measured, and the machine's architecture.
    """

    files: Sequence[FileReport]
    max_nll_change: float
    test_nll: float | None
    test_examples: int
    num_samples: int
    runtime: str

    @property
    def refused(self) -> list[FileReport]:
        """The files that were not published."""
        return [file for file in self.files if file.refused]

    def table(self) -> str:
        """The report as text, with what was refused and what to do about it."""
        rows = [list(_COLUMNS), *(file.cells() for file in self.files)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
        lines = [
            "  ".join(
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        if self.refused:
            names = ", ".join(sorted({file.variant for file in self.refused}))
            lines.append(
                f"Refused: the test NLL rises by more than {self.max_nll_change:g} nats; to "
                f"publish all the same, allow the variant ({names}) or raise the limit."
            )
        return "\n".join(lines)

    def to_json(self) -> str:
        """The report as JSON, without what differs from one export to the next: latencies.

        Numbers that are not finite become null.
        """
        found = asdict(self)
        for row in found["files"]:
            del row["latency_1"], row["latency_64"]
        return json.dumps(_finite(found), indent=2, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
