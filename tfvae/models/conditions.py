"""What a model is given and does not generate: one value for all samples, or one for each."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.data.validate import check_array
from tfvae.errors import UserError
from tfvae.suggestions import nearest


def checked_conditions(
    given: Mapping[str, Any],
    wanted: Mapping[str, Field],
    num_samples: int,
    model: str,
    what: str = "sample()",
) -> dict[str, tf.Tensor]:
    """Returns the value of each condition for each sample, `[num_samples, *shape]`.

    Args:
        given: one value, or `num_samples` of them, by name.
        wanted: the conditions of the model.
        num_samples: N.
        model: names it in messages.
        what: names who takes them.

    Raises:
        UserError: for a condition that is missing or none of the model's, of the wrong shape, or
            with values that its field does not hold.
    """
    for name in given:
        if name not in wanted:
            raise UserError(
                f"{what} was given {name!r}, which is no condition of {model}."
                f"{nearest(name, wanted)} Expected {', '.join(wanted) or 'none'}."
            )
    found = {}
    for name, field in wanted.items():
        if name not in given:
            raise UserError(
                f"{what} needs {name}=, one value of shape {field.shape}, or {num_samples} of "
                f"them: {field.values}."
            )
        values = np.asarray(given[name])
        if values.shape == field.shape:
            values = np.broadcast_to(values, (num_samples, *field.shape))
        if values.shape != (num_samples, *field.shape):
            raise UserError(
                f"{what} received {name} of shape {values.shape}; expected {field.shape}, or "
                f"{(num_samples, *field.shape)} for {num_samples} samples."
            )
        check_array(values, field, name)
        found[name] = tf.constant(values, field.dtype)
    return found
