"""`tfvae denoise`."""

from pathlib import Path

import click

from tfvae.cli.options import SEED_RANGE, ArraysFile
from tfvae.cli.runs import Run, load_run
from tfvae.runs.folder import RunFolder


@click.command("denoise", short_help="Take noise from examples by a run's model.")
@click.argument("run", type=Run())
@click.argument("data", required=False)
@click.option("--noisy", is_flag=True, help="DATA is corrupted already: nothing is added to it.")
@click.option(
    "--num-samples",
    type=click.IntRange(min=1),
    help="Average over so many draws of the posterior.  [the mean at the code]",
)
@click.option("--seed", type=SEED_RANGE, default=0, show_default=True, help="Of noise and draws.")
@click.option(
    "--output", type=ArraysFile(), help="The .npz file; its picture is beside.  [RUN/denoised.npz]"
)
def command(
    run: RunFolder,
    data: str | None,
    noisy: bool,
    num_samples: int | None,
    seed: int,
    output: Path | None,
) -> None:
    """Corrupt examples as a run's training did, and remove that again by its model.

    RUN is the folder that `tfvae train` wrote, such as runs/digits-denoising; DATA a name, file or
    folder as for --dataset of that, by default the run's held-out examples. Writes the arrays
    clean, corrupted and denoised with a picture, and says how near each comes to what is clean,
    beside the median filter and non-local means of scikit-image where that is installed.
    """
    if noisy and data is None:
        raise click.UsageError("--noisy: say which DATA is corrupted already.")
    run.check_data()
    model, config = load_run(run), run.read_config()
    from tfvae.runs.denoising import save_denoised

    output = run.path / "denoised.npz" if output is None else output
    save_denoised(model, config, data, output, noisy, num_samples, seed, click.echo)
