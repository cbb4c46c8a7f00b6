"""`tfvae verify`."""

from pathlib import Path

import click


@click.command("verify", short_help="Check an exported set against its manifest.")
@click.argument("export_dir", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--public-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of a minisign key, by which the manifest must be signed.",
)
def command(export_dir: Path, public_key: Path | None) -> None:
    """Check that every file of an exported set is there and unchanged, and that there is no other.

    EXPORT_DIR is an export folder, such as export/mnist, or one of the sets in it. TensorFlow is
    not needed.
    """
    from tfvae.export.sets.integrity import verify

    manifest = verify(export_dir, public_key)
    signed = "" if public_key is None else ", signed"
    click.echo(
        f"{export_dir}: {manifest.name}, version {manifest.version}, {len(manifest.files)} files "
        f"as its manifest says{signed}"
    )
    click.echo(f"model {manifest.model}, weights {manifest.weights[:16]}")
