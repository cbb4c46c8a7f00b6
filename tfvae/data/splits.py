"""What a source returns, and what users get as arrays."""

import numbers
from dataclasses import dataclass

import numpy as np

from tfvae.data.catalogue import DatasetSpec
from tfvae.data.rows import Columns
from tfvae.errors import UserError

SPLIT_SEED = 20131220  # fixed for all runs, so that their test sets are comparable


@dataclass(frozen=True)
class Split:
    """Training and held-out rows of one source, before batching. What a source's `read` returns.

    Attributes:
        spec: the catalogue's entry, or one made from what was found.
        train, test: the two parts.
        whole: all rows in the source's own order, where the parts were made of them here.
    """

    spec: DatasetSpec
    train: Columns
    test: Columns
    whole: Columns | None = None


@dataclass(frozen=True)
class Arrays:
    """A data set in NumPy arrays, neither scaled nor binarised.

    Attributes:
        spec: the catalogue's entry; for a file or folder, one made from what was found.
        train, test: name -> column `[N, *shape]`: the data under "x" (uint8 pixels are read as
            value / 255), labels under "label", and what else a file holds under its own name.
    """

    spec: DatasetSpec
    train: dict[str, np.ndarray]
    test: dict[str, np.ndarray]


def hold_out(spec: DatasetSpec, columns: Columns, fraction: float, what: str) -> Split:
    """Split rows that come without a test set; the same rows are held out for every run seed.

    Raises:
        ValueError: `fraction` is not inside (0, 1), or there are fewer than two rows.
    """
    if not isinstance(fraction, numbers.Real) or not 0 < fraction < 1:
        raise UserError(
            f"test_fraction is {fraction!r}; expected a number above 0 and below 1, such as 0.1."
        )
    if len(columns) < 2:
        raise UserError(
            f"{what} holds {len(columns)} example; expected at least 2, one to train on and one to "
            "hold out. Bring more."
        )
    held = min(max(1, round(fraction * len(columns))), len(columns) - 1)
    order = np.random.Generator(np.random.PCG64(SPLIT_SEED)).permutation(len(columns))
    test, train = np.sort(order[:held]), np.sort(order[held:])
    return Split(spec, columns.subset(train), columns.subset(test), whole=columns)
