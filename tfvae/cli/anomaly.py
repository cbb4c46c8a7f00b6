"""`tfvae anomaly`."""

from pathlib import Path

import click

from tfvae.cli.compared_runs import BACKGROUND_RUN, ENSEMBLE_RUNS, compared_runs
from tfvae.cli.options import ANOMALY_SCORE, FALSE_ALARM_RATE, SEED_RANGE, OutputFile
from tfvae.cli.runs import Run, load_run
from tfvae.runs.folder import RunFolder


@click.command("anomaly", short_help="Say which examples are strange to a run's model.")
@click.argument("run", type=Run())
@click.argument("data")
@click.option(
    "--score",
    type=ANOMALY_SCORE,
    default=ANOMALY_SCORE.names[0],
    show_default=True,
    help=f"One of {', '.join(ANOMALY_SCORE.names)}.",
)
@BACKGROUND_RUN
@ENSEMBLE_RUNS
@click.option("--false-alarm-rate", **FALSE_ALARM_RATE)
@click.option("--seed", type=SEED_RANGE, default=0, show_default=True, help="Of the draws.")
@click.option("--output", type=OutputFile(), help="The .csv file.  [RUN/anomalies.csv]")
def command(
    run: RunFolder,
    data: str,
    score: str,
    background: RunFolder | None,
    ensemble: tuple[RunFolder, ...] | None,
    false_alarm_rate: float,
    seed: int,
    output: Path | None,
) -> None:
    """Score examples by a run's model, higher = less normal, and compare with a threshold.

    RUN is the folder that `tfvae train` wrote, such as runs/digits; DATA a name, file or folder as
    for --dataset of that. Half of the run's held-out examples give the threshold, the other half
    tell how often normal examples exceed it. Writes row, score and verdict of each example.
    """
    others = compared_runs("--score", score, background, ensemble)
    run.check_data()
    model, config = load_run(run), run.read_config()
    from tfvae.runs.anomaly import fitted_detector, save_verdicts, score_beside
    from tfvae.runs.other_data import new_examples

    output = run.path / "anomalies.csv" if output is None else output
    chosen = score_beside(score, model, config, others)
    examples = new_examples(model, config, data)
    detector = fitted_detector(model, config, chosen, false_alarm_rate, seed)
    save_verdicts(detector, examples, output, click.echo)
    click.echo(output)
