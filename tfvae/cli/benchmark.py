"""`tfvae benchmark`."""

import json
from pathlib import Path
from typing import Any

import click

from tfvae import presets
from tfvae.cli.options import GroupedCommand, OneOf, OutputFile, setting_options, usage
from tfvae.data.catalogue import CATALOGUE
from tfvae.runs.fields import SettingError
from tfvae.runs.files import write_text

_COUNT = click.IntRange(min=1)


@click.command(
    "benchmark", cls=GroupedCommand, short_help="Measure how fast this machine trains and samples."
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
@setting_options
def command(
    preset: str,
    images: int,
    samples: int,
    rounds: int,
    seconds: float,
    output: Path | None,
    **given: Any,
) -> None:
    """Measure training, evaluation and sampling of a preset's model.

    Each is compared with the matrix products and convolutions that it holds, run alone in the same
    minute. The images are random bytes of the size of the preset's data set, so nothing is
    downloaded. Options for settings are those of `tfvae train`.
    """
    try:
        changes = {name: value for name, value in given.items() if value is not None}
        config = presets.get(preset, **changes).resolve()
    except SettingError as error:
        raise usage(error) from None
    if config.data.dataset not in CATALOGUE:
        raise click.UsageError(
            "--dataset: a benchmark takes the size of a data set that has a name"
        )
    from tfvae.cli.quiet import load_tensorflow

    load_tensorflow()
    from tfvae.benchmark import Settings, benchmark, text

    result = benchmark(
        config,
        CATALOGUE[config.data.dataset].fields["x"].shape,
        Settings(num_images=images, num_samples=samples, seconds=seconds, rounds=rounds),
        report=lambda line: click.echo(line, err=True),
    )
    for line in text(result):
        click.echo(line)
    if output is not None:
        write_text(output, json.dumps(result, indent=2) + "\n")
        click.echo(output)
