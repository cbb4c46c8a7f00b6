"""The exported files of a run."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfvae import export
from tfvae.export.publishing import staging
from tfvae.export.tflite_files.variants import VARIANTS
from tfvae.runs.drawing import first_examples

EXAMPLES = 500  # by which variants are judged, and as many by which int8 is calibrated


def export_run(
    model: Any,
    datasets: tuple[tf.data.Dataset, tf.data.Dataset],
    directory: Path,
    variants: Sequence[str] = VARIANTS,
    report: Callable[[str], None] = print,
    **options: Any,
) -> list[Path]:
    """Exports SavedModels and TFLite files, compared with the live model.

    Args:
        model: The trained model.
        datasets: Its training and held-out data.
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
    models = export.saved_model(model, directory)
    for note in models.notes:
        report(f"Note: {note}.")
    train, test = datasets
    files = export.tflite(
        model,
        directory,
        variants,
        data=first_examples(test, EXAMPLES),
        calibration=first_examples(train, EXAMPLES),
        **options,
    )
    for line in files.report.table().splitlines():
        report(line)
    for path in files.removed:
        report(f"removed {path}: of an earlier export, and this one did not make it")
    return [*models.paths.values(), *files.paths.values()]


def check_export_folder(directory: Path) -> None:
    """Raises `tfvae.export.ExportError` if nothing can be written there, and leaves no trace."""
    with staging(directory):
        pass
