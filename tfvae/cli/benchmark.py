"""`tfvae benchmark`."""

import json
from pathlib import Path

import click

from tfvae import presets
from tfvae.cli.options import OneOf, OutputFile
from tfvae.cli.settings import SettingsCommand, given_settings
from tfvae.data.catalogue import CATALOGUE
from tfvae.runs.files import write_text

_COUNT = click.IntRange(min=1)


@click.command(
    "benchmark", cls=SettingsCommand, short_help="Measure how fast this machine trains and samples."
)
@click.argument("preset", type=OneOf("preset", presets.names()), default="mnist")
@click.option("--images", type=_COUNT, default=60_000, show_default=True, help="To train on.")
@click.option("--samples", type=_COUNT, default=5000, show_default=True, help="K of evaluation.")
@click.option("--rounds", type=_COUNT, default=5, show_default=True, help="The median counts.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="For each measurement of a round; at least one repetition.",
)
@click.option("--output", type=OutputFile(), help="Also write JSON here.")
@click.pass_context
def command(
    ctx: click.Context,
    preset: str,
    images: int,
    samples: int,
    rounds: int,
    seconds: float,
    output: Path | None,
) -> None:
    """Measure training, evaluation and sampling of a preset's model.

    Each is compared with the matrix products and convolutions that it holds, run alone in the same
    minute. The images are random bytes of the size of the preset's data set, so nothing is
    downloaded. Options for settings are those of `tfvae train`.
    """
    settings = given_settings(ctx, preset)
    if settings["dataset"] not in CATALOGUE:
        raise click.UsageError(
            "--dataset: a benchmark takes the size of a data set that has a name"
        )
    from tfvae.cli.quiet import load_tensorflow

    load_tensorflow()
    from tfvae.benchmark import Workload, benchmark, text

    result = benchmark(
        settings,
        CATALOGUE[settings["dataset"]].fields["x"].shape,
        Workload(num_images=images, num_samples=samples, seconds=seconds, rounds=rounds),
        report=lambda line: click.echo(line, err=True),
    )
    for line in text(result):
        click.echo(line)
    if output is not None:
        write_text(output, json.dumps(result, indent=2) + "\n")
        click.echo(output)
