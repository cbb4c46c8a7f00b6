"""`tfvae export`."""

from pathlib import Path
from typing import Any

import click

from tfvae.cli.compared_runs import BACKGROUND_RUN, ENSEMBLE_RUNS, compared_runs
from tfvae.cli.options import AGGREGATE, ANOMALY_SCORE, FALSE_ALARM_RATE
from tfvae.cli.runs import Run, load_run
from tfvae.export.tflite_files.variants import VARIANTS
from tfvae.runs.folder import RunFolder
from tfvae.suggestions import nearest


class Variants(click.ParamType):
    """Variants of TFLite files, separated by commas."""

    name = "V,V,..."

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        """The variants, or a failure with the nearest name."""
        if isinstance(value, tuple):
            return value
        names = tuple(value.split(","))
        for name in names:
            if name not in VARIANTS:
                self.fail(
                    f"{name!r} is not one of {', '.join(VARIANTS)}.{nearest(name, VARIANTS)}",
                    param,
                    ctx,
                )
        return names


@click.command("export", short_help="Write a run's SavedModels and TFLite files.")
@click.argument("run", type=Run())
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to export to.  [export/NAME]",
)
@click.option(
    "--variants",
    type=Variants(),
    help=f"Of the TFLite files.  [of {','.join(VARIANTS)} those that the model can]",
)
@click.option(
    "--max-nll-change",
    type=click.FloatRange(min=0),
    default=0.1,
    show_default=True,
    help="Nats an example; a variant that loses more is refused.",
)
@click.option("--allow", type=Variants(), default=(), help="Variants to publish all the same.")
@click.option(
    "--browser-samples",
    type=click.IntRange(min=1),
    help="Write decoder_browser.tflite too, for web pages: it gives so many samples at once.",
)
@AGGREGATE
@click.option(
    "--anomaly",
    type=ANOMALY_SCORE,
    help="Add the signature `anomaly` to the SavedModel of the whole model, by this score.",
)
@BACKGROUND_RUN
@ENSEMBLE_RUNS
@click.option("--false-alarm-rate", **FALSE_ALARM_RATE)
def command(
    run: RunFolder,
    output: Path | None,
    variants: tuple[str, ...] | None,
    aggregate: int | str | None,
    anomaly: str | None,
    background: RunFolder | None,
    ensemble: tuple[RunFolder, ...] | None,
    false_alarm_rate: float,
    **options: Any,
) -> None:
    """Write a run's SavedModels for TensorFlow Serving and its TFLite files for phones.

    RUN is the folder that `tfvae train` wrote, such as runs/digits. Every file is loaded again and
    compared with the model; what differs is not published. All of them are published at once, with
    a manifest.json that `tfvae verify` checks.
    """
    if anomaly is not None and aggregate is not None:
        raise click.UsageError("--anomaly: a model with --aggregate has no likelihood to score by.")
    others = compared_runs("--anomaly", anomaly, background, ensemble)
    run.check_data()
    config = run.read_config()
    output = Path("export", run.path.resolve().name) if output is None else output
    model = load_run(run)
    from tfvae.runs.abilities import variants_of
    from tfvae.runs.aggregate import with_aggregate
    from tfvae.runs.exporting import export_run

    options["fingerprint"] = run.fingerprint()
    options["metrics"] = run.read_metrics() if run.finished else None
    if aggregate is not None:
        model = with_aggregate(model, config, aggregate)
        options["metrics"] = None  # they are of the model with its own prior
    if anomaly is not None:
        from tfvae.runs.anomaly import detector_lines, fitted_detector, score_beside

        score = score_beside(anomaly, model, config, others)
        options["anomaly"] = fitted_detector(model, config, score, false_alarm_rate)
        for line in detector_lines(options["anomaly"]):
            click.echo(line)
    chosen = variants or variants_of(model)
    for path in export_run(model, config, output, chosen, click.echo, **options):
        click.echo(path)
