"""What a model is given and does not generate: one value for all samples, or one for each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.fields import HOLE, Field
from tfvae.data.validate import check_array
from tfvae.errors import UserError, UserTypeError
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
        given: one value, or `num_samples` of them, by name; a label with holes that is not given
            is one.
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
        if name not in given and field.holes:
            found[name] = tf.fill([num_samples], tf.constant(HOLE, field.dtype))
            continue
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


def checked_condition_fields(found: Any, taken: Sequence[str]) -> dict[str, Field]:
    """Returns the conditions that a model is made with, each with a name of its own.

    Args:
        found: what the constructor was given.
        taken: the names of the model's other inputs.

    Raises:
        UserTypeError: for anything but fields by name.
        UserError: for none, and for one that is optional or has a name that is taken.
    """
    wanted = 'expected fields by name, such as {"label": tfvae.data.Field.label(10)}.'
    if not isinstance(found, Mapping) or not all(isinstance(f, Field) for f in found.values()):
        raise UserTypeError(f"conditions is {found!r}; {wanted}")
    if not found:
        raise UserError(
            f"The model has no conditions; {wanted} A run takes the columns that it is told: "
            "--fields x,label."
        )
    for name, field in found.items():
        if not isinstance(name, str) or name in taken:
            raise UserError(
                f"A condition has the name {name!r}; expected a word other than "
                f"{', '.join(taken)}, which the model's other inputs have."
            )
        if field.optional:
            raise UserError(
                f"The condition {name!r} is optional, and p(x|c) needs a c for every x: leave "
                "optional out."
            )
        if field.holes:
            raise UserError(
                f"The condition {name!r} has unknown labels, and p(x|c) needs a c for every x. "
                "Leave those examples out, or train a tfvae.SemiSupervisedVAE (--model "
                "semi_supervised), which learns from them."
            )
    return dict(found)


def with_condition_fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a model's configuration with its conditions as fields again."""
    fields = {name: Field.from_config(its) for name, its in config["conditions"].items()}
    return {**config, "conditions": fields}


def as_numbers(values: tf.Tensor, field: Field) -> tf.Tensor:
    """Returns a condition as networks take it: classes one-hot, `[..., K]`, other numbers as reals.

    Args:
        values: `[B, *shape]`.
        field: what they are; whole numbers in a finite interval are classes.
    """
    if field.classes:
        return tf.one_hot(values - field.classes[0], len(field.classes))
    return tf.cast(values, tf.float32)
