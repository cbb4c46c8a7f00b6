"""The straight line behind `tfvae train`: data, model, compile, fit, and the run's folder."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from pydantic import PositiveInt

from tfvae import data
from tfvae.errors import UserError
from tfvae.runs.checkpoint import Checkpoint
from tfvae.runs.drawing import draw_pictures
from tfvae.runs.exporting import check_writable, export_run
from tfvae.runs.files import replacing, write_text
from tfvae.runs.folder import RunFolder
from tfvae.runs.machine import peak_memory_mb, versions
from tfvae.runs.measuring import measure
from tfvae.runs.progress import Progress
from tfvae.runs.stages import train_stages
from tfvae.settings import building
from tfvae.settings.settings import Settings


@dataclass(frozen=True)
class TrainedRun:
    """What `train` returns.

    Attributes:
        folder: With `model.keras`, `config.json`, `metrics.json`, `history.csv` and `pictures/`.
        model: The trained model.
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
    settings come with the same folder, and ends with the weights that it would have had.

    Args:
        settings: Such as `tfvae.presets.get("digits")`.
        path: The run's folder, made if missing.
        export_to: Where to export the model to, such as export/NAME; None does not.
        overwrite: Whether to begin anew where the folder holds a run.
        report: Called with lines that say how it goes.
        begun: `time.perf_counter()` where the elapsed time in them begins; None for now.

    Raises:
        UserError: for a folder of another run, of something else, or of a finished run.
        OSError: if the folder can't be written; known before training starts.
    """
    begun = time.perf_counter() if begun is None else begun
    folder = RunFolder(path)
    if not overwrite:
        folder.check(settings)
    datasets = load_data(settings)  # before there is a folder: an unknown data set leaves nothing
    model = settings.model(_event_shape(datasets[0]))  # and so does a refused setting
    if _declared(model) is not None:
        datasets = load_data(settings, model)
    if export_to is not None:
        check_writable(export_to)
    with folder.locked():
        folder.prepare(settings, versions(), overwrite)
        if folder.finished:
            raise UserError(f"The run in {folder.path} is finished. Train it anew with overwrite.")
        if changed := folder.changed_versions(versions()):
            report(
                f"Note: the run began with other versions ({', '.join(changed)}), and may end with "
                "other weights than it would have had with those."
            )
        _report_bits(settings, datasets[1], report)
        rows = fit(model, settings, folder, datasets, report, begun, **settings.group("training"))
        with replacing(folder.model) as beside:
            model.save(beside)
        metrics = _results(settings, model, datasets, rows, report)
        report(f"drawing into {folder.pictures}")
        written = draw_pictures(model, settings, datasets[1], rows, folder.pictures)
        if export_to is not None:
            written += export_run(model, datasets, export_to, report=report)
        if settings.stages:
            metrics["stages"] = train_stages(settings, model, folder, report)
        write_text(folder.metrics, json.dumps(metrics, indent=2) + "\n")
        folder.checkpoint.unlink(missing_ok=True)
    return TrainedRun(
        folder, model, metrics, [folder.model, folder.metrics, folder.history, *written]
    )


def load_data(
    settings: Settings, model: Any = None, first_epoch: int = 0
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Training and held-out data of a run.

    Args:
        settings: Of the run.
        model: The fields that it declares are loaded, unless the settings say which.
        first_epoch: The epoch that the first iteration over the training data shows.
    """
    options = settings.group("data")
    if (declared := _declared(model)) is not None:
        options.setdefault("fields", declared)
    return data.load(seed=settings["seed"], first_epoch=first_epoch, **options)


def _declared(model: Any) -> tuple[str, ...] | None:
    """The fields that a model declares; None for x alone, which is loaded bare."""
    names = tuple(model.fields()) if hasattr(model, "fields") else ("x",)
    return None if names == ("x",) else names


def _event_shape(dataset: tf.data.Dataset) -> tuple[int, ...]:
    spec = dataset.element_spec
    return tuple((spec["x"] if isinstance(spec, dict) else spec).shape[1:])


def _report_bits(
    settings: Settings, test_set: tf.data.Dataset, report: Callable[[str], None]
) -> None:
    """Reports bits that a density would describe: it has no bound there."""
    if "likelihood" in settings and not settings.discrete:
        batch = next(iter(test_set))
        images = batch["x"] if isinstance(batch, dict) else batch
        if bool(tf.reduce_all((images == 0) | (images == 1))):
            report(
                "Note: all pixels of the first held-out images are 0 or 1, and --likelihood "
                f"{settings['likelihood']} is a density. For bits, choose --likelihood bernoulli."
            )


def fit(
    model: Any,
    settings: Settings,
    folder: RunFolder,
    datasets: tuple[tf.data.Dataset, tf.data.Dataset],
    report: Callable[[str], None],
    begun: float,
    epochs: PositiveInt = 100,
    steps_per_execution: PositiveInt | None = None,
) -> list[dict[str, float]]:
    """Trains a model from the beginning or from the folder's checkpoint, and returns the history.

    Args:
        model: Built, with fresh weights.
        settings: Of the run.
        folder: Has the checkpoint.
        datasets: Training and held-out data.
        report: Called with lines that say how it goes.
        begun: `time.perf_counter()` where the elapsed time in them begins.
        epochs: Passes over the training data.
        steps_per_execution: Steps in one call of the graph; none leaves it to `compile`.
    """
    train_set, test_set = datasets
    if hasattr(model, "adapt"):
        model.adapt(data.mean(train_set))
    steps = epochs * len(train_set)
    optimizer = building.optimizer(settings, steps, **settings.group("optimizer"))
    options = {} if steps_per_execution is None else {"steps_per_execution": steps_per_execution}
    model.compile(optimizer, **options)
    model.optimizer.build(model.trainable_variables)  # before its state is restored
    checkpoint = Checkpoint(folder.checkpoint, folder.history)
    seen = checkpoint.restore(model)
    if seen:
        report(f"going on after epoch {seen} of {folder.path}")
    if seen < epochs:
        report(f"{model.count_params():,} weights; compiling the training step")
        model.fit(
            load_data(settings, model, first_epoch=seen)[0] if seen else train_set,
            validation_data=test_set,
            epochs=epochs,
            initial_epoch=seen,
            callbacks=[
                *building.callbacks(settings),
                Progress(epochs, report, begun),
                checkpoint,
            ],
            verbose=0,
        )
    return checkpoint.rows


def _results(
    settings: Settings,
    model: Any,
    datasets: tuple[tf.data.Dataset, tf.data.Dataset],
    rows: list[dict[str, float]],
    report: Callable[[str], None],
) -> dict[str, Any]:
    """What `metrics.json` holds."""
    report(f"evaluating: importance-weighted likelihood, {settings['eval_samples']} samples each")
    begun = time.perf_counter()
    test = measure(model, datasets[1], **settings.group("evaluation"))
    return {
        "test": test,
        "train": {name: rows[-1][name] for name in ("elbo", "nll", "kl") if name in rows[-1]},
        "epochs": len(rows),
        "weights": model.count_params(),
        "seconds": {
            "first_epoch": rows[0]["seconds"],
            "training": round(sum(row["seconds"] for row in rows), 2),
            "evaluation": round(time.perf_counter() - begun, 2),
        },
        "peak_memory_mb": peak_memory_mb(),
    }
