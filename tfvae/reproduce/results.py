"""The results that are kept: one file a table, one object a run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from tfvae.errors import UserError
from tfvae.reproduce.rows import ComparisonTable, Row
from tfvae.runs.files import read_object, write_text

SCHEMA_OF_RESULTS = 1


@dataclass(frozen=True)
class AnnealedResult:
    """The likelihood of a few examples from annealed chains, and from importance samples.

    Attributes:
        log_likelihood: From the chains, nats an example.
        importance_weighted: Of the same examples, as the whole table measures it.
        acceptance_rate: Of the last transition; see `annealed_importance_sampling`.
        num_examples: The first so many held out.
        num_chains: For each example.
        num_steps: Temperatures.
    """

    log_likelihood: float
    importance_weighted: float
    acceptance_rate: float
    num_examples: int
    num_chains: int
    num_steps: int


@dataclass(frozen=True)
class RowResult:
    """What a run of a row came to, and all that it depends on.

    Attributes:
        row: Name of the row.
        seed: Of weights, order and noise.
        command: The `tfvae train` command that trains the same.
        epochs: That were trained.
        of_epochs: That the row asks for: more, where the run was cut short.
        log_likelihood: Importance-weighted, nats an example.
        standard_error: Of it, over the examples; None of a single one.
        num_samples: Draws of z for each example.
        num_examples: Held out.
        elbo, nll, kl: Of the same examples.
        annealed: None where z is not of real numbers.
        active_units: Latent dimensions in use; None where there are no codes.
        seconds_per_epoch: First decile of all epochs: other work on the machine disturbs it least.
        training_seconds, evaluation_seconds: Of the run.
        versions: Of the libraries.
        machine: Processor, and accelerators.
        revision: Of the code; None outside of a checkout.
        finished: When, UTC.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "strict": True, "allow_inf_nan": False}

    row: str
    seed: int
    command: str
    epochs: int
    of_epochs: int
    log_likelihood: float
    standard_error: float | None
    num_samples: int
    num_examples: int
    elbo: float
    nll: float
    kl: float
    annealed: AnnealedResult | None
    active_units: int | None
    seconds_per_epoch: float
    training_seconds: float
    evaluation_seconds: float
    versions: dict[str, str]
    machine: str
    revision: str | None
    finished: str

    def is_of(self, row: Row) -> bool:
        """Whether the row would still be run like this, but for the number of epochs."""
        fixed = isinstance(row.epochs, int)
        same = row.command(self.seed, self.epochs) == self.command
        return same and (not fixed or row.epochs == self.of_epochs)

    def has(self, epochs: int | None) -> bool:
        """Whether it was trained for at least so many epochs; None for all of its row's."""
        return self.epochs >= min(self.of_epochs, epochs or self.of_epochs)


Kept = dict[tuple[str, int], RowResult]


def read_results(path: Path, table: ComparisonTable) -> Kept:
    """The kept results of a table, by row and seed; none if there is no file.

    Raises:
        UserError: if the file is broken, of another table, or of rows that the table lacks.
    """
    if not path.is_file():
        return {}
    content = read_object(path)
    if content.get("schema") != SCHEMA_OF_RESULTS or content.get("table") != table.name:
        raise _broken(path, f"expected schema {SCHEMA_OF_RESULTS} and table {table.name!r}")
    results: Kept = {}
    for result in _validated(path, content.get("rows")):
        place = f"row {result.row!r}, seed {result.seed}"
        if result.row not in table.rows:
            raise _broken(path, f"the table has no {place}")
        if (result.row, result.seed) in results:
            raise _broken(path, f"{place} is there twice")
        results[result.row, result.seed] = result
    return results


def write_results(path: Path, table: ComparisonTable, results: Mapping[Any, RowResult]) -> None:
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


def _validated(path: Path, rows: Any) -> Sequence[RowResult]:
    import pydantic  # a tenth of a second, which help can do without

    try:
        return pydantic.TypeAdapter(list[RowResult]).validate_json(json.dumps(rows))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, ("rows", *first["loc"])))
        raise _broken(path, f"{place}: {first['msg']}") from None


def _broken(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path} can't be used: {reason}. Restore it, by `git checkout` where it is kept, or move "
        "it away: rows whose runs are finished are measured again and not trained again."
    )
