"""The label of a semi-supervised model, and what its training data have to hold."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfvae.checks import real
from tfvae.data.fields import HOLE, Field
from tfvae.data.rows import Columns
from tfvae.errors import UserError, UserTypeError

_EXAMPLE = '{"label": tfvae.Field.label(10)}'


def checked_label(found: Any, taken: Sequence[str]) -> tuple[str, Field]:
    """Returns name and field of the one label of a model, which may have holes and be left out.

    Args:
        found: what the constructor was given.
        taken: the names of the model's other inputs and codes.

    Raises:
        UserTypeError: for anything but fields by name.
        UserError: unless it is one label of two classes or more, counted from 0, with a name that
            is not taken.
    """
    if not isinstance(found, Mapping) or not all(isinstance(f, Field) for f in found.values()):
        raise UserTypeError(f"conditions is {found!r}; expected the label: {_EXAMPLE}.")
    if len(found) != 1:
        raise UserError(
            f"A semi-supervised model has one condition, its label; received "
            f"{', '.join(map(repr, found)) or 'none'}. Expected {_EXAMPLE}; a run takes the "
            "columns that it is told: --fields x,label."
        )
    name, field = next(iter(found.items()))
    if not isinstance(name, str) or name in taken:
        raise UserError(
            f"The label has the name {name!r}; expected a word other than {', '.join(taken)}, "
            "which the model's other inputs and codes have."
        )
    if field.shape or len(field.classes) < 2 or field.classes[0] != 0:
        raise UserError(
            f"The field {name!r} has {field.values}, of shape {field.shape}; expected a label, a "
            f"whole number from 0 to K - 1 with K at least 2: {_EXAMPLE}.{_advice(field)}"
        )
    return name, dataclasses.replace(field, holes=True, optional=True)


def _advice(field: Field) -> str:
    """What to do about data whose label is none, as a file's or a table's may be."""
    if field.shape:
        return " Labels are numbers, and no one-hot rows: label.argmax(axis=1)."
    if not field.whole:
        return f" Save whole numbers, label.astype('int32'), and {HOLE} where one is not known."
    if field.interval is None:
        return f" Of the labels all are {HOLE}, unknown, or some are below that: give those known."
    return ""


def checked_class_prior(found: Any, num_classes: int) -> list[float]:
    """Returns p(y), K numbers that add up to 1.

    Raises:
        UserError: for another count, and for numbers that are not above 0 or do not add up to 1.
    """
    if found is None:
        return [1.0 / num_classes] * num_classes
    shares = np.asarray(found, np.float64)
    total = math.isclose(float(shares.sum()), 1.0, abs_tol=1e-4)
    if shares.shape != (num_classes,) or not (shares > 0).all() or not total:
        raise UserError(
            f"class_prior is {found!r}; expected {num_classes} numbers above 0 that add up "
            "to 1, one for each class."
        )
    return shares.tolist()


def checked_share(found: Any) -> float:
    """Returns a share of labelled rows, above 0 and below 1."""
    if real("bound_share", found, above=0.0) >= 1:
        raise UserError(f"bound_share is {found!r}; expected a share below 1, such as 0.25.")
    return float(found)


def check_labels(columns: Columns | None, name: str, field: Field) -> float:
    """Returns which share of the training rows has a label.

    Args:
        columns: of the training data; None where they do not say what they hold.
        name: of the label.
        field: what it is.

    Raises:
        UserError: if that is not known, no row has a label, or a class is on no row.
    """
    if columns is None:
        raise UserError(
            "A semi-supervised model learns which share of the rows has a label, and this data set "
            "does not say. Pass arrays, or what tfvae.data.load returns."
        )
    label = None
    if name in columns.rows:
        label = columns.rows[name].read(np.arange(len(columns)))
        label = label[label != HOLE]
    if label is None or not len(label):
        lacking = f"The training data have no field {name!r}" if label is None else (
            f"All {len(columns):,} labels of the training data are {HOLE}, unknown"
        )  # fmt: skip
        raise UserError(
            f"{lacking}; expected at least one example of each of the {len(field.classes)} "
            "classes with its label. Without labels, train a tfvae.VAE."
        )
    counts = np.bincount(label, minlength=len(field.classes))
    if len(missing := np.flatnonzero(counts == 0)):
        raise UserError(
            f"No training example of class {', '.join(map(str, missing))} has its label "
            f"({len(label):,} of {len(columns):,} rows have one); a class that is never shown is "
            f"never found. Label at least one of each, or make the model for fewer classes."
        )
    return len(label) / len(columns)
