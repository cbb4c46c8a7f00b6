"""The results that are kept: one file a table, one object a run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tfvae.errors import UserError
from tfvae.reproduce.row_result import RowResult
from tfvae.reproduce.rows import ComparisonTable
from tfvae.runs.files import read_object, write_text

SCHEMA_OF_RESULTS = 1

Kept = dict[tuple[str, int], RowResult]


def read_results(path: Path, table: Any, kind: type = RowResult) -> dict[tuple[str, int], Any]:
    """The kept results of a table, by row and seed; none if there is no file.

    Args:
        path: Of the file.
        table: Whose rows they are.
        kind: Of each result, a dataclass with a row and a seed.

    Raises:
        UserError: if the file is broken, of another table, or of rows that the table lacks.
    """
    if not path.is_file():
        return {}
    content = read_object(path)
    if content.get("schema") != SCHEMA_OF_RESULTS or content.get("table") != table.name:
        raise _broken(path, f"expected schema {SCHEMA_OF_RESULTS} and table {table.name!r}")
    results: dict[tuple[str, int], Any] = {}
    for result in _validated(path, content.get("rows"), kind):
        place = f"row {result.row!r}, seed {result.seed}"
        if result.row not in table.rows:
            raise _broken(path, f"the table has no {place}")
        if (result.row, result.seed) in results:
            raise _broken(path, f"{place} is there twice")
        results[result.row, result.seed] = result
    return results


def write_results(path: Path, table: Any, results: Mapping[Any, Any]) -> None:
    """Writes the results in the order of the table's rows, whole or not at all."""
    order = list(table.rows)
    rows = sorted(results.values(), key=lambda result: (order.index(result.row), result.seed))
    content = {
        "schema": SCHEMA_OF_RESULTS,
        "table": table.name,
        "rows": [asdict(result) for result in rows],
    }
    write_text(path, json.dumps(content, indent=1) + "\n")


def current_results(table: ComparisonTable, results: Kept) -> dict[str, list[RowResult]]:
    """Row -> its results, by seed: those that the row would still be run for."""
    return {
        name: [
            result
            for (of, _), result in sorted(results.items())
            if of == name and result.is_of(row)
        ]
        for name, row in table.rows.items()
    }


def measured(table: ComparisonTable, name: str, runs: Sequence[RowResult]) -> list[float]:
    """What the section of a row compares, of each of its runs that has it."""
    attribute = table.measure(name).attribute
    return [value for value in (getattr(run, attribute) for run in runs) if value is not None]


def has_measured(table: ComparisonTable, results: Mapping[str, Sequence[RowResult]]) -> bool:
    """Whether there is anything to compare."""
    return any(measured(table, name, runs) for name, runs in results.items())


def _validated(path: Path, rows: Any, kind: type) -> Sequence[Any]:
    import pydantic  # a tenth of a second, which help can do without

    try:
        return pydantic.TypeAdapter(list[kind]).validate_json(json.dumps(rows))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, ("rows", *first["loc"])))
        raise _broken(path, f"{place}: {first['msg']}") from None


def _broken(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path} can't be used: {reason}. Restore it, by `git checkout` where it is kept, or move "
        "it away: rows whose runs are finished are measured again and not trained again."
    )
