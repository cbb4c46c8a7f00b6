"""Columns of a table in units of their spread, and what that does to a density."""

from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.loaded import LoadedSet
from tfvae.data.rows import Columns, Rows
from tfvae.errors import UserError


def standardised(
    train: Columns, test: Columns, source: Any
) -> tuple[Columns, Columns, tuple[float, float]]:
    """Shifts and scales each entry of x by the mean and standard deviation over training rows.

    Where a column `seen` says what is missing, by what is seen alone; what is not stays 0.

    Args:
        train: with a column x of real numbers.
        test: likewise; shifted and scaled by the same.
        source: what messages call the data.

    Returns:
        Both, and of each the logarithm of the change of volume, -sum_i log s_i: what to add to
        log p of the standardised x for the density of x in its own units. Of entries that are
        missing nothing is added: it is then a mean over the examples.

    Raises:
        UserError: if x has pixels, whole numbers or a bound, or an entry that is constant.
    """
    rows = train.rows.get("x")
    if rows is None or rows.field.interval is not None or not rows.resident:
        found = "no column x is loaded" if rows is None else f"x has {rows.field.values}"
        raise UserError(
            f"standardise=True is for tables of real numbers in memory, and of {source} {found}. "
            "Leave it out."
        )
    mean, scale = mean_and_scale(train)
    constant = np.flatnonzero(scale == 0)
    if constant.size:
        raise UserError(
            f"{source} has the same value in all training rows of entry {constant[0]} of x, which "
            "has no spread to divide by. Leave that column out."
        )
    of_train, of_test = (
        -float(np.sum(_seen(part).mean(axis=0) * np.log(scale))) for part in (train, test)
    )
    return _scaled(train, mean, scale), _scaled(test, mean, scale), (of_train, of_test)


def mean_and_scale(train: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and standard deviation of each entry of x, of what is seen, float64."""
    values = train.read()["x"].astype(np.float64)
    seen = _seen(train)
    mean = np.average(values, axis=0, weights=seen)
    return mean, np.sqrt(np.average(np.square(values - mean), axis=0, weights=seen))


def _seen(columns: Columns) -> np.ndarray:
    """1 for the entries of x that are seen: all of them, where no column says so."""
    held = columns.read()
    return held["seen"] if "seen" in held else np.ones_like(held["x"])


def _scaled(columns: Columns, mean: np.ndarray, scale: np.ndarray) -> Columns:
    values = _seen(columns) * (columns.read()["x"] - mean) / scale
    return columns.replaced(x=Rows(values.astype(np.float32), columns.rows["x"].field))


def log_jacobian(dataset: tf.data.Dataset) -> float:
    """Returns what makes a log-density of standardised columns one of columns in their own units.

        log p(x) = log p(standardised x) + log_jacobian,   log_jacobian = -sum_i log s_i

    Args:
        dataset: as `tfvae.data.load` returned it; 0 of any other, and of what it did not
            standardise.

    Example:
        >>> from tfvae.data import load
        >>> train, test = load("wine", standardise=True)
        >>> log_jacobian(train) == log_jacobian(test) != 0.0
        True
    """
    return dataset.recipe.log_jacobian if isinstance(dataset, LoadedSet) else 0.0
