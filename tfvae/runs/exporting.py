"""The exported set of a run."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfvae.data import first_examples
from tfvae.data.catalogue import CATALOGUE
from tfvae.export.saved_models.export import write_servables
from tfvae.export.servables.choice import check_detector, check_exportable, servables_of
from tfvae.export.sets.manifest import MANIFEST, Spread
from tfvae.export.sets.publication import publication
from tfvae.export.source import source_of
from tfvae.export.tflite_files.data import ExportData
from tfvae.export.tflite_files.export import NO_ANOMALY, write_files
from tfvae.export.tflite_files.variants import VARIANTS
from tfvae.runs.datasets import load_data
from tfvae.settings.settings import Settings

if TYPE_CHECKING:
    from tfvae.uses.anomaly import AnomalyDetector

EXAMPLES = 500  # by which variants are judged, and as many by which int8 is calibrated
_MEASURED = ("elbo", "nll", "kl")


def export_run(
    model: Any,
    settings: Settings,
    directory: Path,
    variants: Sequence[str] = VARIANTS,
    report: Callable[[str], None] = print,
    *,
    fingerprint: str | None = None,
    metrics: Mapping[str, Any] | None = None,
    anomaly: "AnomalyDetector | None" = None,
    max_nll_change: float = 0.1,
    **options: Any,
) -> list[Path]:
    """Exports SavedModels and TFLite files, compared with the live model, as one set.

    What comes out is a function of the run alone: its data are loaded anew, from their first epoch.

    Args:
        model: The trained model.
        settings: Of the run.
        directory: Such as export/mnist, made if missing.
        variants: Of the TFLite files.
        report: Called with lines that say how it goes.
        fingerprint: Of the data set, for the manifest.
        metrics: Of the run, likewise; those of a model of several stages are not its own.
        anomaly: Fitted with the model, for a signature `anomaly` of the SavedModel of all of it.
        max_nll_change: As for `tfvae.export.tflite`.
        **options: Of `tfvae.export.tflite`: `allow`, `browser_samples`.

    Returns:
        What was published.

    Raises:
        tfvae.export.ExportError: if the folder can't be written or a file differs from the model.
    """
    report(f"exporting to {directory}, and comparing with the live model")
    check_exportable(model)
    if anomaly is not None:
        check_detector(model, anomaly)
        report(f"Note: {NO_ANOMALY}; the SavedModel vae has it.")
    train, test = load_data(settings, model)
    examples = ExportData.checked(
        model, variants, first_examples(test, EXAMPLES), first_examples(train, EXAMPLES)
    )
    known = {} if settings.stages or metrics is None else spreads(metrics)
    source = source_of(model, _data(settings["dataset"], fingerprint), known)
    servables = [servable.name for servable in servables_of(model)]
    with publication(directory, source, servables=servables, files=True) as target:
        models = write_servables(model, target, anomaly=anomaly)
        files = write_files(model, target, variants, examples, max_nll_change, **options)
    for note in (*models.notes, *target.notes):
        report(f"Note: {note}.")
    for line in files.report.table().splitlines():
        report(line)
    for path in target.removed:
        report(f"removed {path}: of an earlier export, and this one did not make it")
    return [*models.paths.values(), *files.paths.values(), target.path(MANIFEST)]


def spreads(metrics: Mapping[str, Any]) -> dict[str, Spread]:
    """What a run has measured on held-out data, as a manifest says it."""
    test = metrics.get("test", {})
    return {
        name: Spread(test[name], test[f"{name}_std"], test["num_examples"])
        for name in _MEASURED
        if name in test
    }


def _data(dataset: str, fingerprint: str | None) -> dict[str, str]:
    """The data by name: of a file its own, without the folder that it is in."""
    known = {} if fingerprint is None else {"fingerprint": fingerprint}
    return {"name": dataset if dataset in CATALOGUE else Path(dataset).name, **known}
