"""What a model accepts as data, checked where it enters."""

import inspect
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.data.fields import Fields, listed
from tfvae.data.naming import by_name, is_bare
from tfvae.data.passing import checked, title
from tfvae.data.validate import check_array, check_lengths
from tfvae.errors import UserError, UserTypeError


def refuse_extra(y: Any, sample_weight: Any, class_weight: Any = None) -> None:
    """Raises `ValueError` if there are targets or weights: they would have no effect."""
    if y is not None:
        raise UserError(
            "The model learns from its fields alone and received targets y as well. Pass the "
            "fields only: fit(x), or dataset.map(lambda x, y: x). Where labels are a field of the "
            "model, they go in by name: fit({'x': x, 'label': y})."
        )
    if sample_weight is not None:
        raise UserError(
            "sample_weight is not supported: the ELBO is a mean over examples. To weight examples, "
            "resample the data set (tf.data.Dataset.sample_from_datasets, or repeat rows)."
        )
    if class_weight is not None:
        raise UserError(
            f"class_weight={class_weight!r} is not supported: the model has no targets. To weight "
            "classes, repeat or resample their examples."
        )


def check_counts(arguments: dict[str, Any], *names: str) -> None:
    """Raises `ValueError` if one of these counts is given and below 1."""
    for name in names:
        if arguments.get(name) is not None:
            positive_int(name, arguments[name])


def checked_inputs(x: Any, fields: Fields, what: str) -> Any:
    """Returns x if it is what the fields say, else refuses it; batches are checked as they pass.

    Args:
        x: A bare array where one field is required; arrays by name, as a dict; arrays in the order
            of the fields, as a tuple; or a `tf.data.Dataset`, a `keras.utils.PyDataset` or a
            generator of batches of these forms, in a tuple or list of its own, too. A distributed
            data set is not looked at.
        fields: What the model declares.
        what: Names x in messages.

    Returns:
        Arrays (of the fields' dtypes) and batches, bare or in dicts by name.

    Raises:
        UserTypeError: for other types, and for numbers of a wrong kind.
        UserError: for fields that are missing, misspelt or not declared, of different lengths, or
            wrong in shape, range or finiteness, and for no data.
    """
    if isinstance(x, tuple) or (isinstance(x, list) and (len(x) == 1 or what == "validation_data")):
        if is_bare(x):
            return checked_inputs(next(part for part in x if part is not None), fields, what)
        x = by_name(x, fields, what)
    if isinstance(x, keras.utils.PyDataset):
        return _CheckedPyDataset(x, fields, what)
    if inspect.isgenerator(x):
        return ((checked_inputs(batch, fields, what),) for batch in x)  # Keras wants tuples there
    if isinstance(x, tf.data.Dataset):
        if x.cardinality() == 0:
            raise UserError(
                f"{what} is a data set without a single batch. With batch(drop_remainder=True) "
                "fewer examples than a batch give none: use a smaller batch or keep the remainder."
            )
        return checked(x, fields, what)
    if isinstance(x, tf.distribute.DistributedDataset):
        return x
    if not isinstance(x, dict) and not _is_array(x):
        raise UserTypeError(
            f"{what} is of type {type(x).__name__}; expected {_expected(fields)}, a "
            "tf.data.Dataset of batches, a keras.utils.PyDataset or a generator of batches. A list "
            "of arrays becomes one by np.stack(list)."
        )
    return _checked_arrays(x, fields, what)


def _checked_arrays(x: Any, fields: Fields, what: str) -> Any:
    bare, named, arrays = is_bare(x), by_name(x, fields, what), {}
    for name, values in named.items():
        called = title(what, name, bare)
        if not _is_array(values):
            raise UserTypeError(
                f"{called} is of type {type(values).__name__}; expected an array "
                f"{fields[name].batch}, such as np.asarray(values)."
            )
        check_array(values, fields[name], called)
        arrays[name] = np.asarray(values, fields[name].dtype)
    check_lengths({name: len(array) for name, array in arrays.items()}, what)
    return next(iter(arrays.values())) if bare else arrays


def _is_array(x: Any) -> bool:
    return hasattr(x, "shape") and hasattr(x, "dtype")


def _expected(fields: Fields) -> str:
    required = [name for name, field in fields.items() if not field.optional]
    if len(required) > 1:
        return f"a dict of arrays by name ({listed(fields)})"
    return f"an array {fields[(required or list(fields))[0]].batch}"


class _CheckedPyDataset(keras.utils.PyDataset):
    """Somebody's batches, checked where they are made."""

    def __init__(self, batches: keras.utils.PyDataset, fields: Fields, what: str):
        super().__init__(batches.workers, batches.use_multiprocessing, batches.max_queue_size)
        self.batches, self.fields, self.what = batches, fields, what

    def __getitem__(self, index: int) -> Any:
        return (checked_inputs(self.batches[index], self.fields, self.what),)

    @property
    def num_batches(self) -> int | None:
        return self.batches.num_batches

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()


def are_arrays(x: Any) -> bool:
    """Whether checked inputs are arrays: one, or a dict of them."""
    return isinstance(x, np.ndarray | dict)


def split(x: Any, fraction: float) -> tuple[Any, Any]:
    """Returns training and validation arrays as Keras splits them: the last rows validate."""
    if not are_arrays(x):
        raise UserError(
            f"validation_split={fraction} needs an array of examples, received a "
            f"{type(x).__name__}. Pass validation_data=, such as dataset.take(n), and train "
            "on dataset.skip(n)."
        )
    count = len(tf.nest.flatten(x)[0])
    first = math.floor(count * (1.0 - fraction))
    if not 0 < first < count:
        raise UserError(
            f"validation_split={fraction} leaves {first} of {count} examples to train on; "
            "expected at least one to train on and one to validate. Choose a fraction in (0, 1)."
        )
    return (
        tf.nest.map_structure(lambda array: array[:first], x),
        tf.nest.map_structure(lambda array: array[first:], x),
    )
