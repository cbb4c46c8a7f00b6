"""The straight line behind `tfvae train`: data, model, compile, fit, and the run's folder."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfvae.errors import UserError
from tfvae.export.publishing import check_export_folder
from tfvae.runs.abilities import left_out, servable, variants_of
from tfvae.runs.datasets import check_stage, load_data
from tfvae.runs.drawing import draw_pictures
from tfvae.runs.exporting import export_run
from tfvae.runs.folder import RunFolder
from tfvae.runs.joint import JOINT, measure_joint
from tfvae.runs.machine import library_versions
from tfvae.runs.processes import refuse_workers
from tfvae.runs.stage import Stage
from tfvae.runs.stages import train_stages
from tfvae.settings.settings import FIRST_STAGE, Settings


@dataclass(frozen=True)
class TrainedRun:
    """What `train` returns.

    Attributes:
        folder: With `model.keras`, `config.json`, `metrics.json`, `history.csv` and `pictures/`.
        model: The trained model; of a run with stages the one that is made of all of them.
        metrics: The content of `metrics.json`.
        written: Paths of the run's files, pictures and exports.
    """

    folder: RunFolder
    model: Any
    metrics: dict[str, Any]
    written: list[Path]


def train(
    settings: Settings,
    path: str | os.PathLike,
    export_to: Path | None = None,
    overwrite: bool = False,
    report: Callable[[str], None] = print,
    begun: float | None = None,
) -> TrainedRun:
    """Trains a model, evaluates it, draws its pictures, and writes all that into a folder.

    A run that was killed, at whatever point, goes on from its last completed epoch when the same
    settings come with the same folder, and ends with the weights that it would have had. So does a
    finished run that is given more epochs, unless its schedule of the learning rate is over all
    epochs: that goes on where it would be among them. A run on data that were replaced is refused.
    What the model lacks the capabilities for is left out, and said before training starts.

    Args:
        settings: Such as `tfvae.presets.get("digits")`.
        path: The run's folder, made if missing.
        export_to: Where to export the model to, such as export/NAME; None does not.
        overwrite: Whether to begin anew where the folder holds a run.
        report: Called with lines that say how it goes.
        begun: `time.perf_counter()` where the elapsed time in them begins; None for now.

    Raises:
        UserError: for a folder of another run, of something else, or of a finished run; for codes
            that no further stage can learn; and in one of several workers.
        OSError: if the folder can't be written; known before training starts.
    """
    begun = time.perf_counter() if begun is None else begun
    refuse_workers()
    folder = RunFolder(path)
    if not overwrite:
        folder.check(settings)
    stage = Stage.of(settings)  # before there is a folder: what is refused leaves nothing
    notes = left_out(stage.model, settings, exporting=export_to is not None)
    for further in settings.stages.values():
        if further.source == FIRST_STAGE:
            check_stage(stage.model, settings, further)
    if export_to is not None:
        check_export_folder(export_to)
    with folder.locked():
        folder.prepare(settings, library_versions(), overwrite)
        if folder.finished:
            raise UserError(
                f"The run in {folder.path} is finished. Go on with it by more epochs, or train it "
                "anew with overwrite."
            )
        for note in notes:
            report(f"Note: {note} It is left out.")
        stage.train(folder, report, begun)
        model, metrics, files = stage.model, stage.metrics, [folder.model]
        test_set, pictures = stage.datasets[1], folder.pictures
        if settings.stages:
            model, metrics["stages"] = train_stages(stage, folder, report)
            files.append(folder.staged)
            test_set = load_data(settings, model)[1]  # with the conditions of all stages
            together = measure_joint(model, test_set, settings["eval_examples"])
            metrics |= {} if together is None else {JOINT: together}
        report(f"drawing into {pictures}")
        written = draw_pictures(model, settings, test_set, stage.rows, pictures)
        if export_to is not None and servable(model):
            written += export_run(
                model,
                settings,
                export_to,
                variants_of(model),
                report,
                fingerprint=folder.fingerprint(),
                metrics=metrics,
            )
        folder.finish(metrics)
    return TrainedRun(folder, model, metrics, [*files, folder.metrics, folder.history, *written])
