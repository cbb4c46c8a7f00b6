"""`tfvae super-resolve`."""

from pathlib import Path

import click

from tfvae.cli.options import SEED_RANGE, ArraysFile
from tfvae.cli.runs import Run, load_run
from tfvae.runs.folder import RunFolder


@click.command("super-resolve", short_help="Draw larger images of small ones by a run's model.")
@click.argument("run", type=Run())
@click.argument("data", required=False)
@click.option(
    "--num-samples",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="Draws of each image.",
)
@click.option("--seed", type=SEED_RANGE, default=0, show_default=True, help="Of the draws.")
@click.option(
    "--output",
    type=ArraysFile(),
    help="The .npz file; its picture is beside.  [RUN/super-resolved.npz]",
)
def command(
    run: RunFolder, data: str | None, num_samples: int, seed: int, output: Path | None
) -> None:
    """Draw images that small ones may be of, with their mean and spread.

    RUN is the folder that `tfvae train` wrote, such as runs/digits-super-resolution; DATA a name,
    file or folder as for --dataset of that, by default the run's held-out examples. Images of the
    size of the model's are made small first, and the result is held against them, beside bicubic
    interpolation; images of the small size are taken as they are.
    """
    run.check_data()
    model, config = load_run(run), run.read_config()
    from tfvae.runs.super_resolution import save_super_resolved

    output = run.path / "super-resolved.npz" if output is None else output
    save_super_resolved(model, config, data, output, num_samples, seed, click.echo)
