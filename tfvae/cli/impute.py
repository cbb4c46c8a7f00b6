"""`tfvae impute`."""

from pathlib import Path

import click

from tfvae.checks import MOST_DRAWS
from tfvae.cli.options import SEED_RANGE, OutputFile
from tfvae.cli.runs import Run, load_run
from tfvae.runs.folder import RunFolder


@click.command("impute", short_help="Fill what is missing of rows by a run's model.")
@click.argument("run", type=Run())
@click.argument("data", required=False, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--num-samples",
    type=click.IntRange(min=1, max=MOST_DRAWS),
    default=1000,
    show_default=True,
    help="Draws of z for each row.",
)
@click.option(
    "--imputations",
    type=click.IntRange(min=1, max=1000),
    help="So many random fillings.  [one, by expectations]",
)
@click.option("--seed", type=SEED_RANGE, default=0, show_default=True, help="Of the draws.")
@click.option(
    "--output",
    type=OutputFile(),
    help="A .csv or .npz file.  [RUN/imputed.csv, or imputed.npz of images]",
)
def command(
    run: RunFolder,
    data: Path | None,
    num_samples: int,
    imputations: int | None,
    seed: int,
    output: Path | None,
) -> None:
    """Fill the holes of rows by what is likely given the rest of each, in the data's own units.

    RUN is the folder that `tfvae train` wrote, such as runs/breast-cancer-missing; DATA a table
    (.csv, .parquet) with empty entries, or a .npy or .npz file with NaN, by default the run's
    held-out rows, of which it knows what was there. Entries that are seen stay as they are. Several
    imputations follow each other, with their number in the first column. Of images it draws a
    picture beside the .npz file: with their holes, by expectations, and at random.
    """
    if output is not None and output.suffix not in (".csv", ".npz"):
        raise click.UsageError(f"--output: {output.name!r} ends neither in .csv nor in .npz.")
    run.check_data()
    model, config = load_run(run), run.read_config()
    from tfvae.runs.imputation import save_imputed

    if output is None:
        output = run.path / (
            "imputed.csv" if len(model.fields()["x"].shape) == 1 else "imputed.npz"
        )
    save_imputed(model, config, data, output, num_samples, imputations, seed, click.echo)
    click.echo(output)
