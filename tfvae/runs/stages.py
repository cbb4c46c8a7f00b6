"""Further stages of a run: each a run of its own, on the codes of a stage before it.

The two-stage VAE of B. Dai and D. Wipf, 2019, "Diagnosing and Enhancing VAE Models",
arXiv:1903.05789, section 4: a second VAE learns the first one's aggregate posterior, which the
first one's prior misses.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.sources.files import CODES
from tfvae.evaluation.batches import batches
from tfvae.evaluation.latents import latent_codes
from tfvae.models.capabilities import Batch, Decodes, Emits, Generates, Scores, require
from tfvae.models.stages import StagedModel, stage_codes
from tfvae.noise import example_noise, example_seeds
from tfvae.runs.datasets import Datasets, load_beside, load_data
from tfvae.runs.drawing import draw_pictures
from tfvae.runs.files import cannot_write, replacing
from tfvae.runs.folder import RunFolder
from tfvae.runs.machine import library_versions
from tfvae.runs.stage import Report, Stage
from tfvae.settings.settings import FIRST_STAGE, Settings
from tfvae.training.programs import compiled


def train_stages(
    first: Stage, folder: RunFolder, report: Report
) -> tuple[StagedModel, dict[str, dict[str, Any]]]:
    """Trains the stages after the first, or goes on with them.

    A stage is a run in `stages/NAME`, and its data are `stages/NAME.npz`: codes of the training
    data's epoch 0, and of the held-out data, with the columns that the stage names beside x.

    Args:
        first: Trained.
        folder: Of the run.
        report: Called with lines that say how it goes.

    Returns:
        The model of the last stage and those that it stands on, also written to `staged.keras`,
        and the metrics of each further stage.
    """
    done, results = {FIRST_STAGE: (first.model, first.settings)}, {}
    for name, settings in first.settings.stages.items():
        place, codes = folder.stage(name), folder.stages / f"{name}.npz"
        report(f"stage {name}: {settings['dataset']}")
        source, its_settings = done[settings.source]
        on_codes = settings.on(str(codes.absolute()))
        if place.finished:
            model = place.read_model()
        else:
            others = load_beside(its_settings, settings)
            datasets = load_data(its_settings, source)
            seed = None if settings.of_means else settings["seed"]
            write_codes(source, datasets, codes, seed, others)
            model = _trained(name, on_codes, place, report)
        done[name] = model, on_codes
        results[name] = place.read_metrics()
    model = StagedModel([done[name][0] for name in first.settings.chain()])
    with replacing(folder.staged) as beside:
        model.save(beside)
    return model, results


def _trained(name: str, settings: Settings, place: RunFolder, report: Report) -> Any:
    stage = Stage.of(settings)
    require(stage.model, f"stage {name}", Generates, Decodes, Emits)
    with place.locked():
        place.prepare(settings, library_versions(), overwrite=False, own_data=True)
        stage.train(place, report)
        draw_pictures(stage.model, settings, stage.datasets[1], stage.rows, place.pictures)
        place.finish(stage.metrics)
    return stage.model


def write_codes(
    model: Any,
    datasets: Datasets,
    path: Path,
    seed: int | None,
    others: Sequence[Mapping[str, np.ndarray]] = ({}, {}),
) -> None:
    """Writes codes of training and held-out data, and columns beside them.

    A code is a draw from q(z|x), one for each example: together they are draws from the aggregate
    posterior, which posterior means, being narrower, are not. Of a model that does not score it is
    the point estimate, float32 `[N, D]` or whole numbers of whatever shape; and of any model if the
    seed is None, for a stage that classifies: of few labelled examples one draw each says little.
    """
    parts: dict[str, Any] = {}
    first = 0
    for part, data, columns in zip(("train", "test"), datasets, others, strict=True):
        codes = drawn_codes(model, data, seed, first)
        first += len(codes)
        of_maps = codes.ndim == 3 or codes.dtype != np.int32  # which x in a file are by themselves
        parts |= {f"{'x' if of_maps else CODES}_{part}": codes}
        parts |= {f"{name}_{part}": values for name, values in columns.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    with replacing(path) as beside:
        np.savez(beside, **parts)


def drawn_codes(model: Any, data: tf.data.Dataset, seed: int | None, first: int) -> np.ndarray:
    """A draw from each example's posterior, or its mean, float32 `[N, D]`; whole codes, int32.

    Args:
        model: Built; its codes are one vector, or whole numbers.
        data: Batches of its examples.
        seed: Of the draws; None for means.
        first: Number of the first example: draws are a function of the seed and this number.
    """
    if stage_codes(model).whole:
        return np.asarray(latent_codes(model, data)).astype(np.int32)
    if seed is None or not isinstance(model, Scores):
        return np.asarray(latent_codes(model, data), np.float32)
    run, found = compiled(model, _draw), []
    for batch in batches(model, data):
        numbers = tf.constant(seed), tf.constant(first + batch.first)
        found.append(run(batch.tensors(), *numbers).numpy()[: batch.count])
    return np.concatenate(found)


def _draw(model: Any, batch: Batch, seed: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
    rows = next(iter(batch.values())).shape[0]
    noise = example_noise(example_seeds(seed, first, rows), 0, 1)
    return model.infer(batch).proposal.draw(noise).z[0]
