"""Training data of which few examples keep their labels."""

import dataclasses
from typing import Any

import numpy as np

from tfvae.data.fields import HOLE
from tfvae.data.rows import Columns, Rows
from tfvae.errors import UserError

LABEL = "label"
_STREAM = 1406  # of the choice of labels, apart from what else a seed decides


def with_few_labels(columns: Columns, count: int, seed: int, source: Any) -> Columns:
    """Returns the columns with so many labels left, as many of each class; the others are holes.

    What does not divide by the number of classes goes to classes that are chosen as well.

    Args:
        columns: with a column "label".
        count: how many labels are left, at least one of each class.
        seed: which; the same rows for one seed, and all their order.
        source: what messages call the data.

    Raises:
        UserError: without labels, for fewer than there are classes, and for more than a class has
            examples.
    """
    rows = columns.rows.get(LABEL)
    if rows is None or not rows.field.classes or rows.field.shape:
        found = "no column label is loaded" if rows is None else f"label has {rows.field.values}"
        raise UserError(
            f"labels={count} keeps so many labels of the training examples, and of {source} "
            f'{found}. Load one, fields=("x", "label").'
        )
    label, classes = rows.read(np.arange(len(rows))), len(rows.field.classes)
    if count < classes:
        raise UserError(
            f"labels is {count} and {source} has {classes} classes; expected at least one label of "
            "each."
        )
    generator = np.random.Generator(np.random.PCG64([_STREAM, seed]))
    extra = generator.permutation(classes)[: count % classes]
    kept = np.full_like(label, HOLE)
    for number, value in enumerate(rows.field.classes):
        of_class = np.flatnonzero(label == value)
        wanted = count // classes + int(number in extra)
        if wanted > len(of_class):
            raise UserError(
                f"labels={count} keeps {wanted} labels of class {value}, and {source} has "
                f"{len(of_class)} training examples of it. Keep fewer."
            )
        kept[generator.choice(of_class, wanted, replace=False)] = value
    return columns.replaced(label=Rows(kept, dataclasses.replace(rows.field, holes=True)))
