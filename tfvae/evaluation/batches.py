"""A user's data as equal batches of checked examples, with a progress bar."""

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.data.fields import Fields, input_shapes
from tfvae.data.naming import by_name
from tfvae.errors import UserError, UserRuntimeError, UserTypeError
from tfvae.training.inputs import are_arrays, checked_inputs

BATCH_SIZE = 128


class PaddedBatch(NamedTuple):
    """Examples of one compiled call.

    Attributes:
        fields: name -> `[batch_size, ...]`; the last batch is filled with copies of its last
            example, so that one program serves all.
        first: Number of the first example in the data set.
        count: How many examples are not filling.
    """

    fields: dict[str, np.ndarray]
    first: int
    count: int  # type: ignore[assignment]  # a tuple has count()

    def tensors(self) -> dict[str, tf.Tensor]:
        """Returns the fields as tensors."""
        return {name: tf.constant(values) for name, values in self.fields.items()}


def batches(
    model: Any, data: Any, batch_size: int = BATCH_SIZE, verbose: int = 0
) -> Iterator[PaddedBatch]:
    """Yields the data in order, each example once.

    Args:
        model: A built model; its `fields()` are what the data must have.
        data: What `fit` takes: an array `[N, ...]` of the model's one field, a dict of arrays by
            field, or a `tf.data.Dataset` of batches of them.
        batch_size: Examples of one batch, at least 1.
        verbose: 1 shows a progress bar, counted in examples, on standard output; 0 does not.

    Raises:
        UserRuntimeError: for a model that is not built.
        UserTypeError: for data that are neither arrays nor a data set.
        UserError: for a batch size below 1, for data that `fit` would refuse, none, or an endless
            data set.
    """
    positive_int("batch_size", batch_size)
    fields = model.fields()
    if not model.built:
        raise UserRuntimeError(
            "The model is not built. Train or load it first, or call "
            f"build({input_shapes(fields)})."
        )
    data = checked_inputs(data, fields, "data")
    if isinstance(data, tf.data.Dataset):
        chunks, total = _from_dataset(data, fields, batch_size), None
    elif are_arrays(data):
        columns = by_name(data, fields, "data")
        total = len(next(iter(columns.values())))
        batch_size = min(batch_size, total)
        chunks = (
            {name: values[i : i + batch_size] for name, values in columns.items()}
            for i in range(0, total, batch_size)
        )
    else:
        raise UserTypeError(
            "data must be an array [N, ...], a dict of arrays by field or a tf.data.Dataset of "
            f"batches, received {type(data).__name__}."
        )
    return _padded(chunks, fields, batch_size, _Progress(total, verbose))


def _from_dataset(
    data: tf.data.Dataset, fields: Fields, batch_size: int
) -> Iterator[dict[str, np.ndarray]]:
    if data.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise UserError("The data set is endless: pass data.take(number_of_batches).")
    data = data.map(lambda *batch: by_name(batch, fields, "data"))
    return data.rebatch(batch_size).as_numpy_iterator()


def _padded(
    chunks: Iterator[dict[str, np.ndarray]],
    fields: Fields,
    batch_size: int,
    progress: "_Progress",
) -> Iterator[PaddedBatch]:
    first = 0
    for columns in chunks:
        count = len(next(iter(columns.values())))
        full = {
            name: np.concatenate([values, np.repeat(values[-1:], batch_size - count, axis=0)])
            .astype(fields[name].dtype, copy=False)
            for name, values in columns.items()
        }  # fmt: skip
        yield PaddedBatch(full, first, count)
        first += count
        progress.at(first)
    progress.end(first)
    if not first:
        raise UserError("The data set is empty; expected at least one example.")


class _Progress:
    """Keras' progress bar, or nothing."""

    def __init__(self, total: int | None, verbose: int):
        self.bar = keras.utils.Progbar(total, unit_name="example") if verbose else None

    def at(self, done: int) -> None:
        if self.bar is not None:
            self.bar.update(done, finalize=False)

    def end(self, done: int) -> None:
        if self.bar is not None:
            self.bar.target = done
            self.bar.update(done, finalize=True)
            sys.stdout.flush()
