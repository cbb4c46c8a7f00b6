"""Runs rows of imputation: holes are filled, and what was there is compared."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

from tfvae import presets, uses
from tfvae.data.loading import arrays
from tfvae.data.missing import ENTRIES, chosen_entries, small_entries
from tfvae.reproduce.imputation_table import MIWAE, NOT_MIWAE, ImputationTask
from tfvae.reproduce.method_result import Measured
from tfvae.reproduce.methods import MethodRow
from tfvae.settings.settings import Settings

_BATCH = 64
_BESIDE: dict[str, Callable[[int], Any]] = {
    "mean": lambda seed: SimpleImputer(),
    "knn": lambda seed: KNNImputer(),
    "iterative": lambda seed: IterativeImputer(random_state=seed),
}


def run_imputation(row: MethodRow[ImputationTask], seed: int) -> Measured:
    """The error of what a row's method fills the holes with that a seed draws."""
    x, seen = rows_with_holes(row.task, seed)
    holes = np.where(seen, x, np.nan)
    if row.method in (MIWAE, NOT_MIWAE):
        changes = {} if row.method == NOT_MIWAE else {"missing_process": None}
        filled = _filled_by_model(
            row.task, holes, presets.get(row.task.preset, seed=seed, **changes)
        )
    else:
        imputer = _BESIDE[row.method](seed)
        filled = imputer.fit_transform(holes.reshape(len(holes), -1)).reshape(x.shape)
    return {row.method: {"error": [float(np.mean(np.square(filled - x)[~seen]))]}}


def rows_with_holes(task: ImputationTask, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The standardised table, or images in [0, 1], `[N, ...]`, and which entries are seen."""
    found = arrays(task.dataset)
    x = np.concatenate([found.train["x"], found.test["x"]])[: task.num_rows]
    if x.ndim == 4:
        x = x / 255.0 if x.dtype == np.uint8 else x.astype("float64")
        return x, chosen_entries(x.shape, 1.0 - task.share, seed)
    x = x.astype("float64")
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    if task.pattern == ENTRIES:
        return x, chosen_entries(x.shape, 1.0 - task.share, seed)
    x = x[:, np.random.default_rng(seed).permutation(x.shape[1])]  # for the first lose theirs
    return x, small_entries(x, task.share)


def _filled_by_model(task: ImputationTask, holes: np.ndarray, settings: Settings) -> np.ndarray:
    model = settings.model(holes.shape[1:])
    seen = ~np.isnan(holes)
    data = {"x": np.where(seen, holes, 0.0).astype("float32"), "seen": seen.astype("float32")}
    model.compile(keras.optimizers.Adam(settings["learning_rate"]))
    model.fit(data, batch_size=_BATCH, epochs=task.epochs, verbose=0)
    return uses.impute(model, data, num_samples=task.draws, seed=settings["seed"])
