"""What a data set of this package remembers of how its batches are made."""

from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from tfvae.data.epochs import EpochCounter
from tfvae.data.fields import Field
from tfvae.data.hiding import Derived
from tfvae.data.labelled_batches import LabelledBatches
from tfvae.data.rows import Columns
from tfvae.errors import UserTypeError


@dataclass(frozen=True)
class Recipe:
    """How batches are made of columns; with it they can be made on the device as well.

    Attributes:
        columns: the rows, as they are stored.
        binarisation: of the column x: "dynamic", "static" or "none".
        seed: of the order and of the bits.
        batch_size: rows of a batch.
        drop_remainder: whether a smaller last batch is left out.
        bare: whether a batch is the only column's tensor, rather than a dict by name.
        epochs: which epoch comes next; None where all are alike.
        log_jacobian: what a log-density of x in its own units adds to that of x as it is here.
        levels: how many x has, where uniform noise is added to it; None where it is not.
        derived: what makes further columns of x; None where none are.
        made: the names of these columns.
        drawn: whether the column x holds static bits already; the binarisation is then "none".
        labelled: which rows have a label, where each batch has as many of them; None where
            batches are as the order has it.
    """

    columns: Columns
    binarisation: str
    seed: int
    batch_size: int
    drop_remainder: bool = False
    bare: bool = True
    epochs: EpochCounter | None = field(default=None, compare=False)
    log_jacobian: float = 0.0
    levels: int | None = None
    derived: Derived | None = None
    made: tuple[str, ...] = ()
    drawn: bool = False
    labelled: LabelledBatches | None = None

    @property
    def fields(self) -> dict[str, Field]:
        """What one row of each column is, those that are made included."""
        if self.derived is None or not self.made:
            return self.columns.fields
        of_images = self.derived.fields(self.columns.fields["x"])
        return {**self.columns.fields, **{name: of_images[name] for name in self.made}}

    @property
    def num_batches(self) -> int:
        """Batches of an epoch."""
        if self.labelled is not None:
            return self.labelled.num_batches(self.batch_size)
        whole, rest = divmod(len(self.columns), self.batch_size)
        return whole + (1 if rest and not self.drop_remainder else 0)

    @property
    def num_shown(self) -> int:
        """Rows of an epoch's order: each once, or whole batches."""
        return len(self.columns) if self.labelled is None else self.num_batches * self.batch_size

    @property
    def labelled_share(self) -> float | None:
        """The share of rows with a label in each batch, where all have as many."""
        return None if self.labelled is None else self.labelled.count / self.batch_size

    @property
    def static_size(self) -> int | None:
        """The rows of every batch where all have as many, else None."""
        uneven = self.num_shown % self.batch_size and not self.drop_remainder
        return None if uneven else self.batch_size


class LoadedSet(tf.data.Dataset):
    """Batches of a data set of `tfvae.data.load`, which knows its columns.

    What `map`, `take` and the like make of it is a plain `tf.data.Dataset`.

    Args:
        batches: the pipeline.
        recipe: how it makes its batches.
    """

    def __init__(self, batches: tf.data.Dataset, recipe: Recipe):
        self._batches = batches.apply(tf.data.experimental.assert_cardinality(recipe.num_batches))
        self.recipe = recipe
        super().__init__(self._batches._variant_tensor)

    def _inputs(self) -> list[tf.data.Dataset]:
        return [self._batches]

    @property
    def element_spec(self) -> Any:
        """The structure of a batch."""
        return self._batches.element_spec


def fields_of(dataset: tf.data.Dataset) -> dict[str, Field]:
    """Returns what a loaded data set's examples hold: the field of each column.

    Pixels have the interval (0, 1), labels (0, classes - 1), tables None.

    Args:
        dataset: as `tfvae.data.load` returned it.

    Raises:
        UserTypeError: for any other object; what `map` made of a loaded data set is one.

    Example:
        >>> from tfvae.data import load
        >>> fields_of(load("digits", fields=("x", "label"))[0])["label"].interval
        (0, 9)
    """
    if not isinstance(dataset, LoadedSet):
        raise UserTypeError(
            f"fields_of got {dataset!r}; expected a data set as tfvae.data.load returned it."
        )
    return dataset.recipe.fields
