"""Runs rows of restoration: images lose something, and a method brings back what it can."""

from collections.abc import Iterator

import numpy as np
from sklearn.linear_model import RidgeCV

from tfvae import presets, uses
from tfvae.data.low_resolution import block_means
from tfvae.evaluation import pooled_peak_signal_to_noise, structural_similarity
from tfvae.evaluation.image_filters import bicubic, fitted_filters
from tfvae.reproduce.method_result import Measured
from tfvae.reproduce.methods import MethodRow
from tfvae.reproduce.restoration_table import (
    DRAWS_OF_EACH,
    LINEAR,
    OF_VAE,
    PLAIN_VAE,
    RestorationTask,
)
from tfvae.reproduce.trained import datasets_of, trained_model
from tfvae.runs.restoration import FITTED, enlarged, examples_by_field
from tfvae.settings.settings import Settings

_PENALTIES = np.logspace(-3, 3, 7)  # of the squared weights
_TRAINING_NOISE = 1000  # what is added to the seed, so that no held-out image has the same noise
Restored = Iterator[tuple[str, np.ndarray]]  # what was made of the held-out images, by name


def run_restoration(row: MethodRow[RestorationTask], seed: int) -> Measured:
    """How near a row's method comes to the images that were, with a seed."""
    task = row.task
    settings = presets.get(task.preset, seed=seed, **task.changes)
    restore = _denoised if task.of_noise else _enlarged
    train, test = (examples_by_field(part) for part in datasets_of(settings))
    test = {name: values[: task.num_examples] for name, values in test.items()}
    low = None if task.of_noise else test["low"]
    return {
        way: how_near(test["x"], images, low)
        for way, images in restore(row, settings, train, test, seed)
    }


def how_near(
    truth: np.ndarray, found: np.ndarray, low: np.ndarray | None = None
) -> dict[str, list[float]]:
    """How near images come to the truth and, where a small one is given, to that."""
    near = {
        "psnr": [pooled_peak_signal_to_noise(truth, found)],
        "ssim": [float(np.mean(structural_similarity(truth, found)))],
    }
    if low is None:
        return near
    small = block_means(found, truth.shape[1] // low.shape[1]).numpy()
    errors = np.sqrt(np.mean(np.square(small - low), axis=(1, 2, 3)))
    return {**near, "consistency": [float(np.mean(errors))]}


def _denoised(
    row: MethodRow[RestorationTask],
    settings: Settings,
    train: dict[str, np.ndarray],
    test: dict[str, np.ndarray],
    seed: int,
) -> Restored:
    corruption = settings.build("corruption")
    corrupted = uses.corrupted_examples(corruption, test["x"], seed)
    if row.method in OF_VAE:
        if row.method == PLAIN_VAE:
            changes = {n: v for n, v in row.task.changes.items() if "corruption" not in n}
            settings = presets.get(row.task.preset, seed=seed, **changes, corruption=None)
        model = trained_model(settings)
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
    row: MethodRow[RestorationTask],
    settings: Settings,
    train: dict[str, np.ndarray],
    test: dict[str, np.ndarray],
    seed: int,
) -> Restored:
    low, shape = test["low"], test["x"].shape[1:]
    if row.method in OF_VAE:
        found = uses.super_resolve(trained_model(settings), low, DRAWS_OF_EACH, seed)
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
