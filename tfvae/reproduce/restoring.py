"""Runs rows of restoration: images lose something, and a method brings back what it can."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import RidgeCV

from tfvae import data, presets, uses
from tfvae.data.low_resolution import block_means
from tfvae.evaluation import pooled_peak_signal_to_noise, structural_similarity
from tfvae.evaluation.image_filters import bicubic, fitted_filters
from tfvae.reproduce.files import TableFiles
from tfvae.reproduce.keeping import circumstances, keep_results
from tfvae.reproduce.restoration_result import (
    Restoration,
    RestorationResult,
    restoration_page,
)
from tfvae.reproduce.restoration_table import (
    DRAWS_OF_EACH,
    LINEAR,
    PLAIN_VAE,
    RestorationRow,
    RestorationTable,
)
from tfvae.reproduce.results import read_results
from tfvae.runs.datasets import model_and_data
from tfvae.runs.files import write_text
from tfvae.runs.restoration import FITTED, enlarged, examples_by_field
from tfvae.settings import building
from tfvae.settings.settings import Settings

_PENALTIES = np.logspace(-3, 3, 7)  # of the squared weights
_TRAINING_NOISE = 1000  # what is added to the seed, so that no held-out image has the same noise
Restored = Iterator[tuple[str, np.ndarray]]  # what was made of the held-out images, by name


def reproduce_restoration(
    table: RestorationTable,
    rows: Sequence[str],
    seeds: Sequence[int] | None,
    paths: TableFiles,
    report: Callable[[str], None] = print,
) -> None:
    """Runs the rows that have no result yet; see `keep_results`."""
    keep_results(
        table, rows, seeds, paths, RestorationResult, run_restoration, restoration_page, report
    )


def run_restoration(row: RestorationRow, seed: int) -> RestorationResult:
    """Returns what a row comes to with a seed."""
    began = time.monotonic()
    settings = presets.get(row.task.preset, seed=seed, **row.task.changes)
    given: dict[str, np.ndarray] = {}
    restore = _denoised if row.task.of_noise else _enlarged
    train, test = (examples_by_field(part) for part in _images(settings))
    test = {name: values[: row.task.num_examples] for name, values in test.items()}
    if not row.task.of_noise:
        given["low"] = test["low"]
    found = {
        name: how_near(test["x"], images, given.get("low"))
        for name, images in restore(row, settings, train, test, seed)
    }
    return RestorationResult(
        row=row.name,
        seed=seed,
        protocol=row.protocol(),
        restorations=found,
        seconds=round(time.monotonic() - began, 1),
        **circumstances(),
    )


def how_near(truth: np.ndarray, found: np.ndarray, low: np.ndarray | None = None) -> Restoration:
    """How near images come to the truth and, where a small one is given, to that."""
    consistency = None
    if low is not None:
        small = block_means(found, truth.shape[1] // low.shape[1]).numpy()
        consistency = float(np.mean(np.sqrt(np.mean(np.square(small - low), axis=(1, 2, 3)))))
    return Restoration(
        pooled_peak_signal_to_noise(truth, found),
        float(np.mean(structural_similarity(truth, found))),
        consistency,
    )


def _images(settings: Settings) -> tuple[Any, Any]:
    """Training and held-out images of a run, those of training in the order of one epoch."""
    train, test = data.load(seed=settings["seed"], **settings.group("data"))
    return data.at_epoch(train, 0), test


def _trained(settings: Settings) -> Any:
    """The model of a run, trained as `tfvae train` does."""
    model, (train, _) = model_and_data(settings)
    epochs = settings["epochs"]
    options = settings.group("optimizer")
    model.compile(building.optimizer(settings, epochs * len(train), **options))
    model.fit(train, epochs=epochs, verbose=0)
    return model


def _denoised(
    row: RestorationRow,
    settings: Settings,
    train: dict[str, np.ndarray],
    test: dict[str, np.ndarray],
    seed: int,
) -> Restored:
    corruption = settings.build("corruption")
    corrupted = uses.corrupted_examples(corruption, test["x"], seed)
    if row.of_vae:
        if row.method == PLAIN_VAE:
            changes = {n: v for n, v in row.task.changes.items() if "corruption" not in n}
            settings = presets.get(row.task.preset, seed=seed, **changes, corruption=None)
        model = _trained(settings)
        yield f"{row.method}, at the code", uses.denoise(model, corrupted)
        averaged = uses.denoise(model, corrupted, num_samples=DRAWS_OF_EACH, seed=seed)
        yield f"{row.method}, mean of {DRAWS_OF_EACH} draws", averaged
        return
    clean, noise_seed = train["x"], seed + _TRAINING_NOISE
    if row.method == LINEAR:
        noisy = uses.corrupted_examples(corruption, clean, noise_seed)
        yield LINEAR, _linear(noisy, clean, corrupted)
        return
    yield "corrupted", corrupted
    clean = clean[:FITTED]
    noisy = uses.corrupted_examples(corruption, clean, noise_seed)
    for name, each in fitted_filters(clean, noisy).items():
        yield name, each(corrupted)


def _enlarged(
    row: RestorationRow,
    settings: Settings,
    train: dict[str, np.ndarray],
    test: dict[str, np.ndarray],
    seed: int,
) -> Restored:
    low, shape = test["low"], test["x"].shape[1:]
    if row.of_vae:
        found = uses.super_resolve(_trained(settings), low, DRAWS_OF_EACH, seed)
        yield f"{row.method}, mean of {DRAWS_OF_EACH} samples", found.mean
        yield f"{row.method}, one sample", found.samples[:, 0]
    elif row.method == LINEAR:
        yield LINEAR, _linear(train["low"], train["x"], low)
    else:
        yield "blocks", enlarged(low, shape)
        yield "bicubic", bicubic(low, shape[0] // low.shape[1])


def _linear(inputs: np.ndarray, outputs: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Images by least squares of pixels on pixels, its penalty by leaving one out."""
    x, y, new = (values.reshape(len(values), -1) for values in (inputs, outputs, given))
    found = RidgeCV(_PENALTIES).fit(x, y).predict(new)
    return found.reshape(len(given), *outputs.shape[1:]).astype(np.float32)


def write_restoration_page(table: RestorationTable, paths: TableFiles) -> Path:
    """Writes the page of what is kept, and returns where."""
    kept = read_results(paths.results, table, RestorationResult)
    paths.folder.mkdir(parents=True, exist_ok=True)
    write_text(paths.page, restoration_page(table, kept))
    return paths.page
