"""`tfvae sample`."""

import json
from pathlib import Path
from typing import Any

import click

from tfvae.cli.options import AGGREGATE, SEED_RANGE
from tfvae.cli.runs import Run, load_run
from tfvae.runs.folder import RunFolder

_SUFFIXES = (".png", ".pdf", ".svg", ".npy")


class Condition(click.ParamType):
    """A condition's name and its value."""

    name = "NAME=VALUE"

    def convert(self, value: str, param: Any, ctx: Any) -> tuple[str, Any]:
        """The pair, or a failure."""
        name, _, text = value.partition("=")
        try:
            number = _array(text) if text.endswith(".npy") else json.loads(text)
        except (ValueError, OSError):
            number = None
        if not name or isinstance(number, bool | str | dict | None):
            self.fail(
                f"{value!r} is not a name and a number, such as label=3, or the .npy file of an "
                "array.",
                param,
                ctx,
            )
        return name, number


def _array(path: str) -> Any:
    import numpy as np

    return np.load(path, allow_pickle=False)


@click.command("sample", short_help="Draw from a run's prior.")
@click.argument("run", type=Run())
@click.option("--num-samples", type=click.IntRange(min=1), default=64, show_default=True)
@click.option(
    "--seed",
    type=SEED_RANGE,
    default=0,
    show_default=True,
    help="The same seed gives the same samples, here and in every exported file.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Factor on the prior's standard deviation.",
)
@AGGREGATE
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A .png, .pdf or .svg picture, or .npy for the numbers.  [RUN/pictures/samples-SEED.png]",
)
@click.option(
    "--condition",
    "conditions",
    type=Condition(),
    multiple=True,
    help="What the model is given, such as label=3 or label=label.npy; once for each condition.",
)
def command(
    run: RunFolder,
    num_samples: int,
    seed: int,
    temperature: float,
    aggregate: int | str | None,
    output: Path | None,
    conditions: tuple[tuple[str, float], ...],
) -> None:
    """Draw codes from a run's prior, and show the mean of x at each.

    RUN is the folder that `tfvae train` wrote, such as runs/digits.
    """
    of_aggregate = "" if aggregate is None else f"-aggregate-{aggregate}"
    output = run.pictures / f"samples-{seed}{of_aggregate}.png" if output is None else output
    if output.suffix not in _SUFFIXES:
        raise click.UsageError(
            f"--output: {output.name!r} does not end in one of {', '.join(_SUFFIXES)}."
        )
    model = load_run(run)
    from tfvae.runs.aggregate import with_aggregate
    from tfvae.runs.drawing import save_samples

    if aggregate is not None:
        run.check_data()
        model = with_aggregate(model, run.read_config(), aggregate)
    save_samples(model, output, num_samples, seed, temperature, dict(conditions))
    click.echo(output)
