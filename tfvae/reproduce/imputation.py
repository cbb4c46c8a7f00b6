"""How well the holes of a table are filled: imputers side by side, on the same holes."""

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfvae import presets, uses
from tfvae.checks import positive_int, real
from tfvae.data.loading import arrays
from tfvae.data.missing import chosen_entries
from tfvae.errors import UserError
from tfvae.runs.files import read_object, write_text
from tfvae.suggestions import nearest

PRESET = "breast-cancer-missing"
_BATCH = 64
Imputer = Callable[[np.ndarray, int, int], np.ndarray]


def compare_imputers(
    path: str | os.PathLike,
    dataset: str = "breast_cancer",
    share: float = 0.5,
    draws: int = 5,
    epochs: int = 400,
    methods: Sequence[str] = ("mean", "knn", "iterative", "miwae"),
    report: Callable[[str], None] = print,
) -> dict[str, np.ndarray]:
    """Fills the holes of a table by several methods, and measures each by its squared error.

    As Mattei and Frellsen 2019 do: the whole table is standardised, entries are missing completely
    at random, and a method is given all rows at once, with NaN in the holes; no row is held out,
    for what is missing of them nobody is shown. The error is the mean over the holes of
    (x - filled)^2, in units of a column's variance: filling with the true means would have 1.

    Every result is kept in a file at once, so that an interrupted comparison goes on when it is
    called again.

    Args:
        path: Of the JSON file of results.
        dataset: A table of `tfvae.data.names()`.
        share: Of the entries that are missing, between 0 and 1.
        draws: How many times holes are drawn; draw n by the seed n.
        epochs: Of the preset `breast-cancer-missing` on 64 rows a batch.
        methods: "mean", "knn" and "iterative" are scikit-learn's `SimpleImputer`, `KNNImputer` and
            `IterativeImputer` with their defaults, "miwae" is the preset with 10,000 draws of z.
        report: Called with a line for each result.

    Returns:
        Method -> errors `[draws]`.

    Raises:
        UserError: for an unknown method, or an argument out of range.
    """
    for name in methods:
        if name not in _IMPUTERS:
            raise UserError(
                f"no such imputer {name!r}.{nearest(name, _IMPUTERS)} Expected some of "
                f"{', '.join(_IMPUTERS)}."
            )
    positive_int("draws", draws)
    positive_int("epochs", epochs)
    if real("share", share, above=0.0) >= 1:
        raise UserError(f"share is {share!r}; expected less than 1.")
    path = Path(path)
    kept = read_object(path)["rows"] if path.is_file() else []
    table = arrays(dataset)
    x = np.concatenate([table.train["x"], table.test["x"]]).astype("float64")
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    for draw in range(draws):
        seen = chosen_entries(x.shape, 1.0 - share, draw)
        for name in methods:
            key = _key(dataset, share, draw, name, epochs)
            if any(key.items() <= row.items() for row in kept):
                continue
            begun = time.perf_counter()
            filled = _IMPUTERS[name](np.where(seen, x, np.nan), draw, epochs)
            error = float(np.mean(np.square(filled - x)[~seen]))
            row = {**key, "error": error, "seconds": round(time.perf_counter() - begun, 1)}
            kept.append(row)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, json.dumps({"rows": kept}, indent=1) + "\n")
            report(f"{name:10} draw {draw}: squared error {error:.4f}, {row['seconds']} s")
    found = {}
    for name in methods:
        keys = [_key(dataset, share, draw, name, epochs) for draw in range(draws)]
        errors = [next(r["error"] for r in kept if key.items() <= r.items()) for key in keys]
        found[name] = np.array(errors)
    return found


def _key(dataset: str, share: float, draw: int, name: str, epochs: int) -> dict[str, Any]:
    """What a result is of."""
    trained = {"epochs": epochs} if name == "miwae" else {}
    return {"dataset": dataset, "share": share, "draw": draw, "method": name, **trained}


def _mean(holes: np.ndarray, seed: int, epochs: int) -> np.ndarray:
    from sklearn.impute import SimpleImputer

    return SimpleImputer().fit_transform(holes)


def _knn(holes: np.ndarray, seed: int, epochs: int) -> np.ndarray:
    from sklearn.impute import KNNImputer

    return KNNImputer().fit_transform(holes)


def _iterative(holes: np.ndarray, seed: int, epochs: int) -> np.ndarray:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    return IterativeImputer(random_state=seed).fit_transform(holes)


def _miwae(holes: np.ndarray, seed: int, epochs: int) -> np.ndarray:
    settings = presets.get(PRESET, seed=seed)
    model = settings.model(holes.shape[1:])
    seen = ~np.isnan(holes)
    data = {"x": np.where(seen, holes, 0.0).astype("float32"), "seen": seen.astype("float32")}
    model.compile(keras.optimizers.Adam(settings["learning_rate"]))
    model.fit(data, batch_size=_BATCH, epochs=epochs, verbose=0)
    return uses.impute(model, data, num_samples=10_000, seed=seed)


_IMPUTERS: dict[str, Imputer] = {
    "mean": _mean,
    "knn": _knn,
    "iterative": _iterative,
    "miwae": _miwae,
}
