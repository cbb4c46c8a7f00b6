"""`tfvae segment`."""

from pathlib import Path

import click

from tfvae.cli.options import SEED_RANGE, ArraysFile
from tfvae.cli.runs import Run, load_run
from tfvae.runs.folder import RunFolder


@click.command("segment", short_help="Draw masks of images by a run's model.")
@click.argument("run", type=Run())
@click.argument("data", required=False)
@click.option(
    "--num-samples",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="Masks of each image.",
)
@click.option("--seed", type=SEED_RANGE, default=0, show_default=True, help="Of the draws.")
@click.option(
    "--output",
    type=ArraysFile(),
    help="The .npz file; its picture is beside.  [RUN/segmented.npz]",
)
def command(
    run: RunFolder, data: str | None, num_samples: int, seed: int, output: Path | None
) -> None:
    """Draw several plausible masks of each image, and their mean.

    RUN is the folder that `tfvae train` wrote, such as runs/digits-segmentation; DATA a file or
    folder of images as for --dataset of that, by default the run's held-out examples. Where masks x
    stand beside a column of images, what is drawn is held against them.
    """
    run.check_data()
    model, config = load_run(run), run.read_config()
    from tfvae.runs.segmentation import save_segmented

    output = run.path / "segmented.npz" if output is None else output
    save_segmented(model, config, data, output, num_samples, seed, click.echo)
