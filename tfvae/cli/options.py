"""The types of options that commands share."""

import os
from pathlib import Path
from typing import Any

import click

from tfvae.cli.compared_runs import LIKELIHOOD_RATIO, WAIC_SCORE
from tfvae.runs.files import check_writable
from tfvae.suggestions import nearest

SEED_RANGE = click.IntRange(-(2**31), 2**31 - 1)


REALNVP = "realnvp"


class Aggregate(click.ParamType):
    """What is fitted to codes: the number of a mixture's Gaussians, or the name of a flow."""

    name = f"K|{REALNVP}"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | str:
        """The number or the name, or a failure."""
        if value == REALNVP:
            return value
        try:
            count = int(value)
        except ValueError:
            count = 0
        if count < 1:
            self.fail(
                f"{value!r} is neither a whole number of at least 1, of a mixture's Gaussians, nor "
                f"{REALNVP}.",
                param,
                ctx,
            )
        return count


AGGREGATE = click.option(
    "--aggregate",
    type=Aggregate(),
    metavar=Aggregate.name,
    help="In the prior's place, a mixture of K Gaussians or a RealNVP flow, fitted to the codes of "
    "the training data.",
)


class OutputFile(click.Path):
    """A file to write in the end: that it can't be written shows at the beginning."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False)

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """The path, or a failure that says why nothing can be written there."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.name:
            self.fail(f"{value!r} is no file's name.", param, ctx)
        try:
            check_writable(path)
        except OSError as error:
            self.fail(str(error), param, ctx)
        return path


class ArraysFile(OutputFile):
    """A `.npz` file to write in the end."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """The path, or a failure."""
        path = super().convert(value, param, ctx)
        if path.suffix != ".npz":
            self.fail(f"{path.name!r} does not end in .npz.", param, ctx)
        return path


class RunName(click.ParamType):
    """The name of a run: of a folder in that of the runs, and of another in that of exports."""

    name = "text"

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        """The name, or a failure."""
        if value in ("", ".", "..") or set(value) & {"/", "\\", "\0"}:
            self.fail(
                f"{value!r} is not a folder's name. Expected one such as 'digits-2'; --runs-dir "
                "and --export-dir say where.",
                param,
                ctx,
            )
        return value


class OneOf(click.ParamType):
    """One of some names; the nearest is suggested."""

    def __init__(self, what: str, names: list[str]):
        self.what, self.names = what, names
        self.name = what

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        """The value, or a failure."""
        if value not in self.names:
            self.fail(
                f"no such {self.what} {value!r}.{nearest(value, self.names)} Expected one of "
                f"{', '.join(self.names)}.",
                param,
                ctx,
            )
        return value


# The default first, and last those that compare with the models of further runs.
ANOMALY_SCORE = OneOf(
    "anomaly score",
    [
        "negative_elbo",
        "negative_log_likelihood",
        "reconstruction_probability",
        "likelihood_regret",
        "typicality",
        LIKELIHOOD_RATIO,
        WAIC_SCORE,
    ],
)
FALSE_ALARM_RATE: dict[str, Any] = {
    "type": click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    "default": 0.05,
    "show_default": True,
    "help": "Of normal examples, by the threshold that is taken.",
}
