"""Runs rows of imputation: the holes of a table are filled, and what was there is compared."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

from tfvae import presets, uses
from tfvae.data.loading import arrays
from tfvae.data.missing import ENTRIES, chosen_entries, small_entries
from tfvae.reproduce.imputation_table import DRAWS_OF_CODES, MIWAE, NOT_MIWAE, ImputationTask
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
    x, seen = table_with_holes(row.task, seed)
    holes = np.where(seen, x, np.nan)
    if row.method in (MIWAE, NOT_MIWAE):
        changes = {} if row.method == NOT_MIWAE else {"missing_process": None}
        filled = _filled_by_model(
            row.task, holes, presets.get(row.task.preset, seed=seed, **changes)
        )
    else:
        filled = _BESIDE[row.method](seed).fit_transform(holes)
    return {row.method: {"error": [float(np.mean(np.square(filled - x)[~seen]))]}}


def table_with_holes(task: ImputationTask, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The standardised table `[rows, columns]`, and which of its entries are seen."""
    table = arrays(task.dataset)
    x = np.concatenate([table.train["x"], table.test["x"]]).astype("float64")
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
    return uses.impute(model, data, num_samples=DRAWS_OF_CODES, seed=settings["seed"])
