"""Batches of somebody's data set, checked on the host as they pass."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.catalogue import NONE
from tfvae.data.fields import Field, Fields
from tfvae.data.loaded import LoadedSet
from tfvae.data.naming import by_name, is_bare
from tfvae.data.spacing import on_spacing
from tfvae.data.validate import (
    bounds,
    check_array,
    check_dtype,
    check_lengths,
    check_shape,
    check_values,
)
from tfvae.errors import UserError, UserTypeError


def checked(dataset: tf.data.Dataset, fields: Fields, what: str = "x") -> tf.data.Dataset:
    """Returns a data set of bare batches or of dicts by name, whose batches are checked.

    What `tfvae.data.load` made was checked when it was read and is returned as it is; its columns
    are looked at where they may hold what a field may not. What `map` and the like made of it is
    checked batch by batch.
    128 images of 784 pixels cost some 50 microseconds.

    Args:
        dataset: of bare batches, of dicts by name, or of tuples in the order of `fields`.
        fields: what the model declares.
        what: names the data set in messages.

    Raises:
        UserTypeError: at once, for elements that are no tensors or of a wrong dtype.
        UserError: at once, for names or shapes that are known to be wrong, and for loaded data
            outside a field's interval.
        tf.errors.InvalidArgumentError: while iterating, with the text of `check_array`.
    """
    structure = dataset.element_spec
    bare, specs = is_bare(structure), by_name(structure, fields, what)
    titles = {name: title(what, name, bare) for name in specs}
    for name, spec in specs.items():
        _check_spec(spec, fields[name], titles[name])
    stored = all(spec.dtype == fields[name].dtype for name, spec in specs.items())
    if isinstance(dataset, LoadedSet) and stored:
        _check_columns(dataset, fields, titles)
        return dataset

    def check(*element: Any) -> Any:
        named = by_name(element, fields, what)
        with tf.control_dependencies([_all_fine(named, fields, titles, what)]):
            batch = {name: _as_field(value, fields[name]) for name, value in named.items()}
        return next(iter(batch.values())) if bare else batch

    return dataset.map(check)


def title(what: str, name: str, bare: bool) -> str:
    """How messages call one field of `what`."""
    return what if bare else f"{what}[{name!r}]"


def _check_spec(spec: Any, field: Field, what: str) -> None:
    """Refuses what is known to be wrong before the first batch is made."""
    if not isinstance(spec, tf.TensorSpec):
        raise UserTypeError(
            f"{what} yields {spec}; expected batches {field.batch}, or dicts of fields by name."
        )
    check_dtype(np.dtype(spec.dtype.as_numpy_dtype), field, what)
    if spec.shape.rank is None:
        return
    if spec.shape.rank == len(field.shape):
        advice = "Single examples need .batch(batch_size)"
        if field.shape[-1:] == (1,):
            advice += "; grey images need a channel axis, .map(lambda x: x[..., None])"
        raise UserError(
            f"{what} yields tensors of rank {spec.shape.rank} (shape {spec.shape}); expected "
            f"batches {field.batch}. {advice}."
        )
    check_shape(tuple(spec.shape), field, what)


def _check_columns(dataset: LoadedSet, fields: Fields, titles: dict[str, str]) -> None:
    """Looks at the stored values of columns that may hold what a field may not."""
    stored = dataset.recipe.columns.rows
    for name, rows in ((name, stored[name]) for name in titles if name in stored):
        if name == "x" and dataset.recipe.levels and fields[name].spacing is not None:
            raise UserError(
                f"{titles[name]} is dequantised, between its levels; expected "
                f"{fields[name].values}. Leave dequantise out: a likelihood of levels needs none."
            )
        of_bits = name == "x" and dataset.recipe.binarisation != NONE
        passed = dataclasses.replace(rows.field, spacing=1.0) if of_bits else rows.field
        if not fields[name].contains(passed):
            for chunk in rows.chunks():
                check_values(chunk, fields[name], titles[name])


def _as_field(value: tf.Tensor, field: Field) -> tf.Tensor:
    """A checked batch as the field's dtype and shape."""
    batch = tf.ensure_shape(tf.identity(value), [None, *field.shape])
    return tf.cast(batch, field.dtype)


def _all_fine(
    named: dict[str, tf.Tensor], fields: Fields, titles: dict[str, str], what: str
) -> tf.Operation:
    """An operation that fails with the text of `check_array` unless all fields are fine."""

    def explain(*arrays: np.ndarray) -> bytes:
        try:
            for name, array in zip(named, arrays, strict=True):
                check_array(array, fields[name], titles[name])
            check_lengths({n: len(a) for n, a in zip(named, arrays, strict=True)}, what)
        except UserError as error:
            return str(error).encode()
        return b""

    def refuse() -> tf.Tensor:
        text = tf.numpy_function(explain, list(named.values()), tf.string)
        with tf.control_dependencies([tf.debugging.Assert(tf.equal(text, ""), [text])]):
            return tf.constant(False)

    fine = [_fine(value, fields[name]) for name, value in named.items()]
    lengths = [tf.shape(value)[:1] for value in named.values()]
    fine += [tf.reduce_all(tf.equal(length, lengths[0])) for length in lengths[1:]]
    return tf.cond(tf.reduce_all(fine), lambda: tf.constant(True), refuse).op


def _fine(value: tf.Tensor, field: Field) -> tf.Tensor:
    """Whether a batch has the field's rank, is not empty, and holds what the field may."""
    right_rank = tf.equal(tf.rank(value), len(field.shape) + 1)
    if value.dtype.is_bool:
        value = tf.cast(value, tf.uint8)
    some = has_some(value, field)
    if field.missing:
        least = tf.cast(field.interval[0] if field.interval else 0.0, value.dtype)
        value = tf.where(tf.equal(value, value), value, least)
    parts = [_holds(value[..., place], part) for place, part in field.divided()]
    return tf.reduce_all([right_rank, some, *parts])


def has_some(value: tf.Tensor, field: Field) -> tf.Tensor:
    """Whether each example has an entry that is not 0, or not NaN, where the field wants one."""
    axes, some = list(range(1, len(field.shape) + 1)), tf.constant(True)
    if field.nonempty:
        some &= tf.reduce_all(tf.reduce_any(tf.not_equal(value, 0), axis=axes))
    if field.missing:
        some &= tf.reduce_all(tf.reduce_any(tf.equal(value, value), axis=axes))
    return some


def _holds(value: tf.Tensor, field: Field) -> tf.Tensor:
    """Whether there are values, all finite, in the interval and multiples of the spacing."""
    least, most = bounds(field, value.dtype.is_integer)
    # NaN compares as false with everything, and both reductions propagate it. Bounds as float64:
    # int32's cannot be written in float32. The minimum of an empty batch is above its maximum.
    low, high = (tf.cast(reduce(value), tf.float64) for reduce in (tf.reduce_min, tf.reduce_max))
    inside = (low >= least) & (high <= most) & (low <= high)
    return inside & on_spacing(value, field)
