"""`tfvae train`."""

import time
from pathlib import Path

import click

from tfvae import presets
from tfvae.cli.options import OneOf, RunName
from tfvae.cli.settings import SettingsCommand, given_settings
from tfvae.data.catalogue import CATALOGUE
from tfvae.runs.folder import RunFolder

_PRESETS = "\n".join(f"  {name:17} {p.description}" for name, p in presets.PRESETS.items())


@click.command(
    "train",
    cls=SettingsCommand,
    short_help="Train a preset, evaluate it, draw its pictures.",
    epilog=f"\b\nPresets:\n{_PRESETS}",
)
@click.argument("preset", type=OneOf("preset", presets.names()), required=False)
@click.option("--name", type=RunName(), help="Name of the run.  [the preset's, or the data's]")
@click.option(
    "--runs-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="Folder that holds the runs.",
)
@click.option(
    "--export-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("export"),
    show_default=True,
    help="Folder in which NAME is exported.",
)
@click.option("--no-export", is_flag=True, help="Train without exporting.")
@click.option("--overwrite", is_flag=True, help="Replace what the run's folder holds.")
@click.pass_context
def command(
    ctx: click.Context,
    preset: str | None,
    name: str | None,
    runs_dir: Path,
    export_dir: Path,
    no_export: bool,
    overwrite: bool,
) -> None:
    """Train a preset, evaluate it, draw its pictures and export it.

    The run is named for the preset, or for the data where only those are given: `tfvae train
    --dataset faces.npy` is the run "faces".

    A run that was interrupted or killed goes on from its last completed epoch when the same command
    is given again. In brackets is what the preset and the other options make of a setting; the
    arguments of a member are shown once it is chosen, as in `tfvae train --prior mixture --help`,
    and by `tfvae list mixture`.
    """
    begun = time.perf_counter()
    settings = given_settings(ctx, preset or presets.DEFAULT)
    name = name or _name(preset, settings["dataset"])
    folder = RunFolder(runs_dir / name)
    if not overwrite:
        folder.check(settings)
        if folder.finished and not folder.extended(settings):
            click.echo(
                f"The run in {folder.path} is finished. Go on with it by more --epochs, or train "
                "it anew with --overwrite."
            )
            return
    from tfvae.cli.quiet import load_tensorflow

    load_tensorflow()
    from tfvae.runs.joint import JOINT, joint_lines
    from tfvae.runs.measuring import table, tests_of
    from tfvae.runs.training import train

    export_to = None if no_export else export_dir / name
    try:
        run = train(settings, folder.path, export_to, overwrite, report=click.echo, begun=begun)
    except KeyboardInterrupt:
        click.echo(
            f"Interrupted. {folder.path} is whole: the same command goes on from its last "
            "completed epoch."
        )
        raise
    for line in [*table(tests_of(run.metrics)), *joint_lines(run.metrics.get(JOINT))]:
        click.echo(line)
    for path in run.written:
        click.echo(path)
    if run.metrics.get("diverged"):
        raise click.ClickException(
            "Training diverged: the ELBO is far below that of the model before it was trained, "
            f"{run.metrics['untrained_elbo']:.2f}. Train anew with a lower --learning-rate."
        )


def _name(preset: str | None, dataset: str) -> str:
    """The name of a run that is given none: of its preset, and of its data where they differ."""
    first = preset or presets.DEFAULT
    if dataset == presets.get(first)["dataset"]:
        return first
    data = dataset if dataset in CATALOGUE else Path(dataset).resolve().stem
    return f"{preset}-{data}" if preset else data
