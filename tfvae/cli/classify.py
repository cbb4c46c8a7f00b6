"""`tfvae classify`."""

from pathlib import Path
from typing import Any

import click

from tfvae.checks import MOST_DRAWS
from tfvae.cli.options import SEED_RANGE, OneOf, OutputFile
from tfvae.cli.runs import Run, load_run
from tfvae.runs.folder import RunFolder

_METHODS = ["bayes", "classifier"]


@click.command("classify", short_help="Find the classes of examples by a run's model.")
@click.argument("run", type=Run())
@click.argument("data", required=False)
@click.option(
    "--method",
    type=OneOf("method", _METHODS),
    help="bayes: p(y|x) in proportion to p(y) p(x|y); classifier: the model's q(y|x).  [the "
    "classifier of a model that has one]",
)
@click.option(
    "--num-samples",
    type=click.IntRange(min=1, max=MOST_DRAWS),
    default=100,
    show_default=True,
    help="Draws of z for each class and example, by bayes.",
)
@click.option(
    "--labels",
    type=click.IntRange(min=2),
    help="Of a run without a label: so many training labels classify its codes (M1).",
)
@click.option("--num-examples", type=click.IntRange(min=1), help="Only so many.  [all]")
@click.option("--seed", type=SEED_RANGE, default=0, show_default=True, help="Of the draws.")
@click.option(
    "--output",
    type=OutputFile(),
    help="The .csv file; its picture is beside.  [RUN/classes.csv]",
)
def command(run: RunFolder, data: str | None, output: Path | None, **options: Any) -> None:
    """Find the probability of each class of examples, and how often the likeliest is right.

    RUN is the folder that `tfvae train` wrote, of a model whose one condition is a label, such as
    runs/digits-semi-supervised or runs/digits-conditional; DATA a name, file or folder as for
    --dataset of that, by default the run's held-out examples. Where labels are known it says the
    error and the expected calibration error, and draws a reliability picture; where not, it writes
    the probabilities alone. With --labels a logistic regression is fitted to the codes of a run
    that learned without labels, and held against DATA's own labels, where it has them.
    """
    if options["labels"] is not None and options["method"] is not None:
        raise click.UsageError("--method is of a model's label, and --labels of a run without one.")
    if output is not None and output.suffix != ".csv":
        raise click.UsageError(f"--output: {output.name!r} does not end in .csv.")
    run.check_data()
    model, config = load_run(run), run.read_config()
    from tfvae.runs.classifying import save_classes

    output = run.path / "classes.csv" if output is None else output
    save_classes(model, config, data, output, **options, report=click.echo)
    click.echo(output)
