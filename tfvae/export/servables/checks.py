"""What a request may ask for, checked in the graph: a wrong one is answered with an error."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.data.spacing import on_spacing

# A request may ask for this many examples or latents in one row, and in all of its rows together;
# more would exhaust the memory.
MAX_SAMPLES_PER_ROW = 4_096
MAX_SAMPLES = 16_384
# `score` works in chunks of constant memory, so only its time needs a limit.
MAX_SCORE_SAMPLES = 100_000


def asserted(value: tf.Tensor, valid: tf.Tensor, *message: Any) -> tf.Tensor:
    """The value; where it is not valid the request fails with the message."""
    with tf.control_dependencies([tf.debugging.Assert(valid, message)]):
        return tf.identity(value)


def same_rows(reference: tf.Tensor, **inputs: tf.Tensor) -> list[tf.Tensor]:
    """The inputs, checked to have one value per row of `reference`."""
    rows, found = tf.shape(reference)[0], []
    for name, values in inputs.items():
        count = tf.shape(values)[0]
        message = f"{name} needs one value per row; values, rows:"
        found.append(asserted(values, tf.equal(count, rows), message, count, rows))
    return found


def whole_batch(fields: Mapping[str, Field], inputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """The fields among the inputs, checked to have one length and to hold what they may."""
    found = {name: inputs[name] for name in fields}
    if len(found) > 1:
        found = dict(zip(found, same_rows(next(iter(found.values())), **found), strict=True))
    for name, declared in fields.items():
        values = found[name]
        valid = tf.reduce_all([_valid(values[..., at], part) for at, part in declared.divided()])
        message = f"{name} must be {declared.values}; received values between:"
        ends = tf.reduce_min(values), tf.reduce_max(values)
        found[name] = asserted(values, valid, message, *ends)
    return found


def _valid(values: tf.Tensor, declared: Field) -> tf.Tensor:
    """Whether values are finite, in the interval and multiples of the spacing."""
    finite = tf.reduce_all(tf.math.is_finite(tf.cast(values, tf.float32)))
    if declared.interval is None:
        return finite
    low, high = declared.interval
    return finite & tf.reduce_all((values >= low) & (values <= high)) & on_spacing(values, declared)


def most(counts: tf.Tensor, name: str, per_row: int, total: int | None = None) -> tf.Tensor:
    """S: the largest of the rows' counts `[B]`, checked to lie within the limits."""
    valid = tf.reduce_all((counts >= 1) & (counts <= per_row))
    counts = asserted(counts, valid, f"{name} must be from 1 to {per_row}; received:", counts)
    largest = tf.reduce_max(tf.concat([counts, [1]], axis=0))  # 1 where there are no rows
    if total is None:
        return largest
    rows = tf.size(counts, tf.int64)  # the product of two int32 could wrap around
    message = f"{name} times rows must be at most {total}: split the request; received:"
    return asserted(largest, tf.cast(largest, tf.int64) * rows <= total, message, largest, rows)
