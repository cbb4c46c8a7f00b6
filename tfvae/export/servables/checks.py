"""What a request may ask for, checked in the graph: a wrong one is answered with an error."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.data.passing import has_some
from tfvae.data.spacing import on_spacing
from tfvae.export.limits import MAX_ROWS, MAX_SAMPLES_PER_ROW


def asserted(value: tf.Tensor, valid: tf.Tensor, *message: Any) -> tf.Tensor:
    """The value; where it is not valid the request fails with the message."""
    with tf.control_dependencies([tf.debugging.Assert(valid, message)]):
        return tf.identity(value)


def as_specified(
    inputs: Mapping[str, tf.Tensor], specs: Mapping[str, tf.TensorSpec]
) -> dict[str, tf.Tensor]:
    """The inputs, checked to have the shapes of their specs and one number of rows, `MAX_ROWS` at
    most. A session checks neither: `[1, 64]` for `[1, 8, 8, 1]` would be answered.
    """
    found = {name: tf.ensure_shape(inputs[name], spec.shape) for name, spec in specs.items()}
    rows = tf.shape(next(iter(found.values())))[0]
    few = tf.less_equal(rows, MAX_ROWS)
    for name, values in found.items():
        count = tf.shape(values)[0]
        message = f"{name} needs one value per row; values, rows:"
        values = asserted(values, tf.equal(count, rows), message, count, rows)
        message = f"a request has at most {MAX_ROWS} rows: split it; received:"
        found[name] = asserted(values, few, message, rows)
    return found


def whole_batch(fields: Mapping[str, Field], inputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """The fields among the inputs, checked to hold what they may."""
    found = {}
    for name, declared in fields.items():
        values = inputs[name]
        held = values
        if declared.missing:
            least = declared.interval[0] if declared.interval else 0.0
            held = tf.where(tf.math.is_nan(values), least, values)
        valid = [_valid(held[..., at], part) for at, part in declared.divided()]
        valid = tf.reduce_all([has_some(values, declared), *valid])
        message = f"{name} must be {declared.values}; received values between:"
        ends = tf.reduce_min(values), tf.reduce_max(values)
        found[name] = asserted(values, valid, message, *ends)
    return found


def _valid(values: tf.Tensor, declared: Field) -> tf.Tensor:
    """Whether values are finite, in the interval and multiples of the spacing."""
    finite = tf.reduce_all(tf.math.is_finite(tf.cast(values, tf.float32)))
    if declared.interval is None:
        return finite
    low, high = declared.ends
    return finite & tf.reduce_all((values >= low) & (values <= high)) & on_spacing(values, declared)


def within(numbers: tf.Tensor, name: str, low: int, high: int) -> tf.Tensor:
    """The rows' numbers `[B]`, checked to lie between limits, which are included."""
    valid = tf.reduce_all((numbers >= low) & (numbers <= high))
    return asserted(numbers, valid, f"{name} must be from {low} to {high}; received:", numbers)


def most(counts: tf.Tensor, name: str, per_row: int = MAX_SAMPLES_PER_ROW) -> tf.Tensor:
    """S: the largest of the rows' counts `[B]`, checked to lie within a row's limit."""
    counts = within(counts, name, 1, per_row)
    return tf.reduce_max(tf.concat([counts, [1]], axis=0))  # 1 where there are no rows
