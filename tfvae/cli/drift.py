"""`tfvae drift`."""

import sys
from pathlib import Path
from typing import Any

import click

from tfvae.cli.options import OutputFile
from tfvae.cli.quiet import load_tensorflow

_DATA = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("drift", short_help="Compare live examples with what a served model is used to.")
@click.argument("export_dir", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("data", type=_DATA)
@click.option("--url", default="http://127.0.0.1:8501", show_default=True, help="Of the server.")
@click.option("--prefix", default="", help="Before the servables' names, such as 'mnist-'.")
@click.option("--field", default="x", show_default=True, help="What the model calls its examples.")
@click.option(
    "--authorization",
    envvar="TFVAE_AUTHORIZATION",
    help="The header for a proxy; better in the variable TFVAE_AUTHORIZATION, unseen by others.",
)
@click.option("--against", type=_DATA, help="Held-out data, in place of the manifest's metrics.")
@click.option(
    "--num-samples", type=click.IntRange(1), default=16, show_default=True, help="Draws of z each."
)
@click.option(
    "--standard-errors",
    type=click.FloatRange(0),
    default=4.0,
    show_default=True,
    help="A mean that has moved by more is beyond chance.",
)
@click.option(
    "--deviations",
    type=click.FloatRange(0),
    default=0.1,
    show_default=True,
    help="Of the held-out data: by more, it matters. An alarm needs both.",
)
@click.option("--textfile", type=OutputFile(), help="Also write Prometheus' text format here.")
def command(
    export_dir: Path,
    data: Path,
    url: str,
    prefix: str,
    field: str,
    authorization: str | None,
    against: Path | None,
    num_samples: int,
    standard_errors: float,
    deviations: float,
    textfile: Path | None,
) -> None:
    """Score a sample of live examples, and exit with 1 if they are not what the model is used to.

    EXPORT_DIR is the export folder whose set is served. DATA is a .npy with examples, or a .npz
    with an array for each of the model's fields, prepared as the held-out data were: binarised if
    those were. The served `score` gives each its KL, NLL and ELBO; their means are compared with
    those of the held-out data in the set's manifest.
    """
    load_tensorflow()
    from tfvae.export.sets.manifest import Spread, read_manifest
    from tfvae.runs.files import write_text
    from tfvae.serving import drift
    from tfvae.serving.client.client import Client
    from tfvae.serving.client.errors import ServingError

    manifest = read_manifest(export_dir)
    headers = {"Authorization": authorization} if authorization else {}
    with Client(
        url, version=manifest.version, prefix=prefix, headers=headers, field=field
    ) as client:

        def moments(path: Path) -> dict[str, Spread]:
            columns = _columns(path, field)
            return drift.score_moments(drift.score_all(client, columns, num_samples))

        try:
            found = drift.drifts(moments(data), moments(against) if against else manifest.metrics)
        except ServingError as error:
            raise click.ClickException(f"{url}: {error}") from error
    alarms = [m for m, d in found.items() if d.is_alarming(standard_errors, deviations)]
    click.echo(f"{manifest.name}, version {manifest.version}, at {url}")
    for line in _table(found):
        click.echo(line)
    if textfile is not None:
        labels = {"set": manifest.name, "version": manifest.version}
        write_text(textfile, drift.prometheus_text(labels, found, bool(alarms)))
    click.echo(f"drift: {', '.join(alarms)}" if alarms else "no drift")
    if alarms:
        sys.exit(1)


def _columns(path: Path, field: str) -> dict[str, Any]:
    from tfvae.data.sources.numpy_file import read

    found = read(path, resident_bytes=1 << 30)
    return found if isinstance(found, dict) else {field: found}


def _table(found: dict[str, Any]) -> list[str]:
    rows = [("nats", "held out", "live", "examples", "deviations", "standard errors")]
    for name, drift in found.items():
        means = (f"{drift.held_out.mean:.2f}", f"{drift.live.mean:.2f}", str(drift.live.count))
        rows.append((name, *means, f"{drift.shift:+.2f}", f"{drift.z:+.1f}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
