"""Whether values are multiples of a field's spacing: whole counts, levels of an image."""

from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.errors import UserError

_CHUNK = 1 << 22  # values a look: bounds the temporaries to some 20 MB
# Of a spacing: what rounding to float32 moves bytes that are divided by 255, and much more.
_ROUNDING = 1e-3


def check_spacing(array: np.ndarray, field: Field, what: str) -> None:
    """Raises `UserError` for values between the multiples of the field's spacing.

    Args:
        array: of numbers in the field's interval.
        field: with a spacing.
        what: what messages call the array.
    """
    flat = array.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        steps = _steps(flat[start : start + _CHUNK].astype("float32"), field)
        between = np.flatnonzero(np.abs(steps - np.rint(steps)) > _ROUNDING)
        if between.size:
            place = np.unravel_index(start + int(between[0]), array.shape)
            advice = "Counts are whole: undo their scaling, or use a likelihood of real numbers."
            if field.nonempty:
                advice = "A mask is 1 for what is seen, or counts, and 0 elsewhere."
            elif field.spacing != 1:
                advice = (
                    "Grey levels are kept by binarisation='none', and their number is the "
                    "likelihood's num_levels; other values need a likelihood of real numbers."
                )
            raise UserError(
                f"{what} has {array[place]:.9g} at index {tuple(map(int, place))}; expected "
                f"{field.values}. {advice}"
            )


def on_spacing(value: tf.Tensor, field: Field) -> tf.Tensor:
    """Whether all values are multiples of the field's spacing; true where it has none."""
    if field.spacing is None or value.dtype.is_integer:
        return tf.constant(True)
    steps = _steps(tf.cast(value, tf.float32), field)
    return tf.reduce_all(tf.abs(steps - tf.round(steps)) <= _ROUNDING)


def _steps(values: Any, field: Field) -> Any:
    """How many spacings the values are from the least."""
    assert field.interval is not None  # a field with a spacing has one
    assert field.spacing is not None  # its callers have asked
    return (values - field.interval[0]) / field.spacing
