"""Runs rows of detection: each detector learns normal examples and ranks others."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from tfvae import data, presets
from tfvae.reproduce.detection_table import (
    ENSEMBLE,
    RATIO,
    REPLACED,
    SCORES_OF_VAE,
    WAIC,
    DetectionTask,
)
from tfvae.reproduce.method_result import Measured
from tfvae.reproduce.methods import MethodRow
from tfvae.uses import compared_scores
from tfvae.uses.anomaly import ANOMALY_SCORES
from tfvae.uses.anomaly_scores import AnomalyScore
from tfvae.uses.perturbing import perturbed
from tfvae.uses.table_model import table_model

_HELD_OUT = 0.2  # of the normal examples of a data set that has no test set of its own
_BATCH_SIZE, _LEARNING_RATE = 128, 1e-3
_CALIBRATED = 2000  # examples tell a score what it has to know of normal data
_APART = 1000  # between the seeds of the models of an ensemble, so that no two rows share one
_BESIDE: dict[str, Callable[[int], Any]] = {
    "isolation-forest": lambda seed: IsolationForest(random_state=seed),
    "local-outlier-factor": lambda seed: LocalOutlierFactor(novelty=True),
    "one-class-svm": lambda seed: OneClassSVM(),
}
Examples = tuple[np.ndarray, np.ndarray, np.ndarray]  # to learn, normal, strange


def run_detection(row: MethodRow[DetectionTask], seed: int) -> Measured:
    """How well the scores of a row's detector rank anomalies, with a seed."""
    found: Measured = {}
    for learned, normal, strange in examples_of(row.task, seed):
        normal, strange = normal[: row.task.num_ranked], strange[: row.task.num_ranked]
        both = np.concatenate([normal, strange])
        truth = np.repeat([0, 1], [len(normal), len(strange)])
        for way, values in _scores(row, learned, both, seed).items():
            ranked = found.setdefault(way, {"auroc": [], "auprc": []})
            ranked["auroc"].append(float(roc_auc_score(truth, values)))
            ranked["auprc"].append(float(average_precision_score(truth, values)))
    return found


def examples_of(task: DetectionTask, seed: int) -> Iterator[Examples]:
    """Yields examples to learn from, normal ones and anomalies, for each class that is strange."""
    if task.preset is not None:
        train, test = _bits(task.dataset)
        if task.anomalies is not None:
            yield train["x"], test["x"], _bits(task.anomalies)[1]["x"]
        for strange in task.classes:
            learned, others = (part["x"][part["label"] != strange] for part in (train, test))
            yield learned, others, test["x"][test["label"] == strange]
        return
    found = data.arrays(task.dataset, fields=("x", "label"))
    x, label = (np.concatenate([found.train[n], found.test[n]]) for n in ("x", "label"))
    x = x.reshape(len(x), -1).astype(np.float64)
    for strange in task.classes:
        normal = np.random.default_rng(seed).permutation(x[label != strange])
        held_out = round(_HELD_OUT * len(normal))
        learned = normal[held_out:]
        scaler = StandardScaler().fit(learned)
        learned, others, anomalies = (
            scaler.transform(part).astype(np.float32)
            for part in (learned, normal[:held_out], x[label == strange])
        )
        yield learned, others, anomalies


def _bits(dataset: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Training and test images, whose bits are drawn once, with their labels."""
    loaded = data.load(dataset, 1000, "static", fields=("x", "label"))
    order = data.at_epoch(loaded[0], 0), loaded[1]
    train, test = (
        {name: np.concatenate([batch[name] for batch in batches]) for name in ("x", "label")}
        for batches in (list(part.as_numpy_iterator()) for part in order)
    )
    return train, test


def _scores(
    row: MethodRow[DetectionTask], learned: np.ndarray, others: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """The scores of others, higher = less normal, by name."""
    if row.method not in SCORES_OF_VAE:
        learned = learned[: row.task.learned_beside]
        fitted = _BESIDE[row.method](seed).fit(learned.reshape(len(learned), -1))
        return {row.method: -fitted.score_samples(others.reshape(len(others), -1))}
    model, found = _trained(row.task, learned, seed), {}
    for name in SCORES_OF_VAE[row.method]:
        score = _score(name, row.task, learned, seed)
        score = score.calibrated(model, learned[:_CALIBRATED], seed)
        found[f"VAE, {name}"] = score(model, others, seed)
    return found


def _score(name: str, task: DetectionTask, learned: np.ndarray, seed: int) -> AnomalyScore:
    """A score, and the further models that it compares with, trained."""
    if name == RATIO:
        background = perturbed(learned, REPLACED, levels=(0.0, 1.0), seed=seed)
        return compared_scores.LikelihoodRatio(_trained(task, background, seed))
    if name == WAIC:
        seeds = (seed + _APART * n for n in range(1, ENSEMBLE))
        return compared_scores.WAIC([_trained(task, learned, each) for each in seeds])
    return ANOMALY_SCORES[name]()


def _trained(task: DetectionTask, learned: np.ndarray, seed: int) -> Any:
    """A VAE that has learned examples."""
    if task.preset is None:
        model = table_model(learned.shape[1], seed)
    else:
        model = presets.model(task.preset, seed=seed)
    model.compile(keras.optimizers.Adam(_LEARNING_RATE))
    model.fit(learned, epochs=task.epochs, batch_size=_BATCH_SIZE, verbose=0)
    return model
