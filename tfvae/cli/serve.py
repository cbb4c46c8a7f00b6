"""`tfvae serve`."""

from pathlib import Path

import click

from tfvae.cli.quiet import load_tensorflow

NOTE = (
    "This is a development server for one machine, without batching, authentication or TLS. "
    "Production is TensorFlow Serving: see export/README.md."
)


@click.command("serve", short_help="Serve exported models on this machine, for development.")
@click.argument("export_dir", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--rest-port",
    type=click.IntRange(0, 65535),
    default=8501,
    show_default=True,
    help="Port of the REST interface; 0 for a free one.",
)
@click.option(
    "--grpc-port",
    type=click.IntRange(0, 65535),
    default=8500,
    show_default=True,
    help="Port of the gRPC interface; 0 for a free one.",
)
@click.option("--no-grpc", is_flag=True, help="REST only.")
@click.option(
    "--num-versions",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many of the newest versions to serve.",
)
@click.option("--label", "labels", multiple=True, metavar="LABEL=N", help="Name a version.")
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    default=4,
    show_default=True,
    help="Requests worked on at once.",
)
@click.option(
    "--max-body-mib",
    type=click.IntRange(1, 1024),
    default=8,
    show_default=True,
    help="Size of the largest request.",
)
@click.option(
    "--poll-seconds",
    type=click.FloatRange(0.1, 3600),
    default=1.0,
    show_default=True,
    help="How often to look for new versions.",
)
def command(
    export_dir: Path,
    host: str,
    rest_port: int,
    grpc_port: int,
    no_grpc: bool,
    labels: tuple[str, ...],
    max_body_mib: int,
    **options: int,
) -> None:
    """Serve the SavedModels below EXPORT_DIR over TensorFlow Serving's REST and gRPC interfaces.

    New versions are picked up as they are published. Ctrl-C or SIGTERM ends the server once the
    requests that it has are answered.
    """
    versions = _labels(labels)
    click.echo(NOTE)
    load_tensorflow()
    try:
        from tfvae.serving.server.refusals import Limits
        from tfvae.serving.server.server import serve
    except ImportError as error:
        raise click.ClickException(
            f"no module {error.name}: the server needs pip install 'tfvae[serving]'."
        ) from error

    serve(
        export_dir,
        host=host,
        rest_port=rest_port,
        grpc_port=None if no_grpc else grpc_port,
        labels=versions,
        limits=Limits(body_bytes=max_body_mib * 2**20),
        **options,
    )


def _labels(given: tuple[str, ...]) -> dict[str, int]:
    labels = {}
    for text in given:
        label, _, number = text.partition("=")
        if not label or not (number.isascii() and number.isdigit()):
            raise click.BadParameter(
                f"{text!r} is not a label and a version, such as stable=3.", param_hint="--label"
            )
        labels[label] = int(number)
    return labels
