"""The further runs that scores of anomalies compare with."""

from typing import Any

import click

from tfvae.cli.runs import Run
from tfvae.runs.folder import RunFolder

LIKELIHOOD_RATIO, WAIC_SCORE = "likelihood_ratio", "waic"


class Runs(click.ParamType):
    """Folders of finished runs, separated by commas, each of them once."""

    name = "run,run,..."

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[RunFolder, ...]:
        """The folders, or a failure that names the wrong one."""
        if isinstance(value, tuple):
            return value
        found = tuple(Run().convert(each, param, ctx) for each in value.split(","))
        places = [folder.path.resolve() for folder in found]
        for place, folder in zip(places, found, strict=True):
            if places.count(place) > 1:
                self.fail(f"{folder.path} is given twice.", param, ctx)
        return found


BACKGROUND_RUN = click.option(
    "--background",
    type=Run(),
    help=f"Of the score {LIKELIHOOD_RATIO}: a run on examples some of whose entries were replaced.",
)
ENSEMBLE_RUNS = click.option(
    "--ensemble",
    type=Runs(),
    metavar="RUN,RUN,...",
    help=f"Of the score {WAIC_SCORE}: runs as this one, with other seeds.",
)
_NEEDED = {LIKELIHOOD_RATIO: "--background RUN", WAIC_SCORE: "--ensemble RUN,RUN,..."}


def compared_runs(
    flag: str,
    score: str | None,
    background: RunFolder | None,
    ensemble: tuple[RunFolder, ...] | None,
) -> tuple[RunFolder, ...]:
    """Returns the runs that a score compares with; none for one that needs none.

    Args:
        flag: By which the score is given.
        score: Its name; None where none is asked for.
        background: By `--background`.
        ensemble: By `--ensemble`.

    Raises:
        click.UsageError: for a score without the runs that it needs, and runs that it does not.
    """
    given = {
        LIKELIHOOD_RATIO: (background,) if background is not None else (),
        WAIC_SCORE: ensemble or (),
    }
    for name, runs in given.items():
        if runs and name != score:
            has = f"this is {flag} {score}" if score else "there is none"
            raise click.UsageError(f"{_NEEDED[name].split()[0]} is of {flag} {name}, and {has}.")
        if name == score and not runs:
            raise click.UsageError(
                f"{flag} {name} compares this run's model with others: give {_NEEDED[name]}."
            )
    return given.get(score or "", ())
