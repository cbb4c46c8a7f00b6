"""The exported files of a run."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfvae import export
from tfvae.export.publishing import staging
from tfvae.export.tflite_files.variants import VARIANTS
from tfvae.models import VAE
from tfvae.runs.drawing import first_images

IMAGES = 500  # by which variants are judged, and as many by which int8 is calibrated


def export_run(
    vae: VAE,
    datasets: tuple[tf.data.Dataset, tf.data.Dataset],
    directory: Path,
    variants: Sequence[str] = VARIANTS,
    report: Callable[[str], None] = print,
    **options: Any,
) -> list[Path]:
    """Exports SavedModels and TFLite files, compared with the live model.

    Args:
        vae: The trained model.
        datasets: Its training and held-out images.
        directory: Such as export/mnist, made if missing.
        variants: Of the TFLite files.
        report: Called with lines that say how it goes.
        **options: Of `tfvae.export.tflite`: `max_nll_change`, `allow`, `browser_samples`.

    Returns:
        What was published.

    Raises:
        tfvae.export.ExportError: if the folder can't be written or a file differs from the model.
    """
    report(f"exporting to {directory}, and comparing with the live model")
    models = export.saved_model(vae, directory)
    train, test = datasets
    files = export.tflite(
        vae,
        directory,
        variants,
        images=first_images(test, IMAGES),
        calibration_images=first_images(train, IMAGES),
        **options,
    )
    for line in files.report.table().splitlines():
        report(line)
    for path in files.removed:
        report(f"removed {path}: of an earlier export, and this one did not make it")
    return [*models.paths.values(), *files.paths.values()]


def check_writable(directory: Path) -> None:
    """Raises `tfvae.export.ExportError` if nothing can be written there, and leaves no trace."""
    with staging(directory):
        pass
