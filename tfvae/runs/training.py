"""The straight line behind `tfvae train`: data, model, compile, fit, and the run's folder."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tfvae import data
from tfvae.errors import UserError
from tfvae.models import VAE
from tfvae.runs import building
from tfvae.runs.checkpoint import Checkpoint
from tfvae.runs.config import Config
from tfvae.runs.drawing import draw
from tfvae.runs.exporting import check_writable, export_run
from tfvae.runs.files import replacing, write_text
from tfvae.runs.folder import RunFolder
from tfvae.runs.machine import peak_memory_mb, versions
from tfvae.runs.measuring import measure
from tfvae.runs.progress import Progress


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
    model: VAE
    metrics: dict[str, Any]
    written: list[Path]


def train(
    config: Config,
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
        config: The settings, such as `tfvae.presets.get("digits")`.
        path: The run's folder, made if missing.
        export_to: Where to export the model to, such as export/NAME; None does not.
        overwrite: Whether to begin anew where the folder holds a run.
        report: Called with lines that say how it goes.
        begun: `time.perf_counter()` where the elapsed time in them begins; None for now.

    Raises:
        ValueError: for a folder of another run, of something else, or of a finished run.
        OSError: if the folder can't be written; known before training starts.
    """
    begun = time.perf_counter() if begun is None else begun
    config, folder = config.resolve(), RunFolder(path)
    if not overwrite:
        folder.check(config)
    datasets = load_data(config)  # before there is a folder: an unknown data set leaves nothing
    if export_to is not None:
        check_writable(export_to)
    with folder.locked():
        folder.prepare(config, versions(), overwrite)
        if folder.finished:
            raise UserError(f"The run in {folder.path} is finished. Train it anew with overwrite.")
        if changed := folder.changed_versions(versions()):
            report(
                f"Note: the run began with other versions ({', '.join(changed)}), and may end with "
                "other weights than it would have had with those."
            )
        _report_bits(config, datasets[1], report)
        vae, rows = _fit(config, folder, datasets, report, begun)
        with replacing(folder.model) as beside:
            vae.save(beside)
        metrics = _results(config, vae, datasets, rows, report)
        report(f"drawing into {folder.pictures}")
        written = draw(vae, config, datasets[1], rows, folder.pictures)
        if export_to is not None:
            written += export_run(vae, datasets, export_to, report=report)
        write_text(folder.metrics, json.dumps(metrics, indent=2) + "\n")
        folder.checkpoint.unlink(missing_ok=True)
    return TrainedRun(
        folder, vae, metrics, [folder.model, folder.metrics, folder.history, *written]
    )


def load_data(config: Config, first_epoch: int = 0) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Training and held-out images of a run."""
    settings = config.data
    return data.load(
        settings.dataset,
        batch_size=settings.batch_size,
        binarisation=settings.binarisation,
        seed=config.training.seed,
        first_epoch=first_epoch,
        test_fraction=settings.test_fraction,
        size=settings.image_size,
    )


def _report_bits(config: Config, test_set: tf.data.Dataset, report: Callable[[str], None]) -> None:
    """Reports bits that a Normal likelihood would describe: its density has no bound there."""
    if config.model.likelihood == "normal":
        images = next(iter(test_set))
        if bool(tf.reduce_all((images == 0) | (images == 1))):
            report(
                "Note: all pixels of the first held-out images are 0 or 1, and the likelihood is a "
                "Normal. For bits, choose --likelihood bernoulli."
            )


def _fit(
    config: Config,
    folder: RunFolder,
    datasets: tuple[tf.data.Dataset, tf.data.Dataset],
    report: Callable[[str], None],
    begun: float,
) -> tuple[VAE, list[dict[str, float]]]:
    """The trained model and the history, from the beginning or from the checkpoint."""
    train_set, test_set = datasets
    training = config.training
    keras.utils.set_random_seed(training.seed)
    vae = building.build(config, train_set.element_spec.shape[1:])
    vae.decoder.head.adapt(data.mean(train_set))
    optimizer = building.optimizer(training, len(train_set))
    optimizer.build(vae.trainable_variables)
    steps = training.steps_per_execution
    vae.compile(optimizer, **({} if steps is None else {"steps_per_execution": steps}))
    checkpoint = Checkpoint(folder.checkpoint, folder.history)
    seen = checkpoint.restore(vae)
    if seen:
        report(f"going on after epoch {seen} of {folder.path}")
    if seen < training.epochs:
        report(f"{vae.count_params():,} weights; compiling the training step")
        vae.fit(
            load_data(config, first_epoch=seen)[0] if seen else train_set,
            validation_data=test_set,
            epochs=training.epochs,
            initial_epoch=seen,
            callbacks=[
                *building.callbacks(config.objective),
                Progress(training.epochs, report, begun),
                checkpoint,
            ],
            verbose=0,
        )
    return vae, checkpoint.rows


def _results(
    config: Config,
    vae: VAE,
    datasets: tuple[tf.data.Dataset, tf.data.Dataset],
    rows: list[dict[str, float]],
    report: Callable[[str], None],
) -> dict[str, Any]:
    """What `metrics.json` holds."""
    settings = config.evaluation
    report(f"evaluating: importance-weighted likelihood, {settings.eval_samples} samples an image")
    begun = time.perf_counter()
    test = measure(vae, datasets[1], settings.eval_samples, settings.eval_images)
    return {
        "test": test,
        "train": {name: rows[-1][name] for name in ("elbo", "nll", "kl")},
        "epochs": len(rows),
        "weights": vae.count_params(),
        "seconds": {
            "first_epoch": rows[0]["seconds"],
            "training": round(sum(row["seconds"] for row in rows), 2),
            "evaluation": round(time.perf_counter() - begun, 2),
        },
        "peak_memory_mb": peak_memory_mb(),
    }
