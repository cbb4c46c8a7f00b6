"""`tfvae explore`."""

from pathlib import Path
from typing import Any, Literal

import click

from tfvae.cli.options import SEED_RANGE, OneOf
from tfvae.cli.runs import Run, load_run
from tfvae.runs.folder import RunFolder


class TwoLabels(click.ParamType):
    """Two labels, separated by a comma."""

    name = "a,b"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        """The labels, or a failure that says what they look like."""
        if isinstance(value, tuple):
            return value
        try:
            before, after = map(int, value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not two labels. Expected whole numbers, such as 3,8.")
        return before, after


@click.command("explore", short_help="Draw what a run's codes hold.")
@click.argument("run", type=Run())
@click.option("--classes", type=TwoLabels(), help="From one label to another.  [the first two]")
@click.option(
    "--direction",
    type=OneOf("direction", ["means", "classifier"]),
    default="means",
    show_default=True,
    help="Of the attribute. means: the difference of the classes' mean codes; classifier: the "
    "normal of a linear classifier of them.",
)
@click.option("--seed", type=SEED_RANGE, default=0, show_default=True, help="Of the samples.")
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the pictures.  [RUN/explored]",
)
def command(
    run: RunFolder,
    classes: tuple[int, int] | None,
    direction: Literal["means", "classifier"],
    seed: int,
    output_dir: Path | None,
) -> None:
    """Draw attributes, analogies, ways between two images, and what samples are nearest to.

    RUN is the folder that `tfvae train` wrote, such as runs/digits. Images of one class are given
    what another has, by an attribute that leads from one to the other and as single images differ
    (analogies); a straight line, a great arc and a geodesic lead from the first held-out image
    to the last; samples stand above their nearest training images, and a test says whether they
    copy. Of a conditional model one latent dimension is drawn in each class.
    """
    run.check_data()
    model, config = load_run(run), run.read_config()
    from tfvae.runs.exploring import explore

    output_dir = run.path / "explored" if output_dir is None else output_dir
    for path in explore(model, config, output_dir, classes, direction, seed, click.echo):
        click.echo(path)
