"""Which value is which field, where a user passes one, a tuple or a dict."""

from collections.abc import Mapping
from typing import Any

from tfvae.data.fields import Fields, listed
from tfvae.errors import UserError
from tfvae.suggestions import nearest


def by_name(values: Any, fields: Fields, what: str) -> dict[str, Any]:
    """Returns what is given for each field: names are checked, values are not.

    Args:
        values: a mapping from names; a tuple or list in the order of `fields`; or the bare value
            of the only field that is required. None stands for what is not given.
        fields: what the model declares.
        what: names `values` in messages.

    Raises:
        UserError: for a field that is missing, misspelt or not declared.
    """
    if isinstance(values, tuple | list):
        while values and values[-1] is None:
            values = values[:-1]
        if len(values) == 1:
            return by_name(values[0], fields, what)
        if len(values) > len(fields):
            raise UserError(_surplus(values, fields, what))
        values = dict(zip(fields, values, strict=False))
    elif not isinstance(values, Mapping):
        required = [name for name, field in fields.items() if not field.optional]
        values = {(required or list(fields))[0]: values}
    values = {name: value for name, value in values.items() if value is not None}
    for name in values:
        if name not in fields:
            raise UserError(
                f"{what} has the field {name!r}, which the model does not have."
                f"{nearest(name, [known for known in fields if known not in values])} Expected "
                f"{listed(fields)}; leave out the rest."
            )
    for name, field in fields.items():
        if name not in values and not field.optional:
            raise UserError(
                f"{what} lacks the field {name!r}; expected {listed(fields)}, as a dict: "
                f"{{{', '.join(f'{known!r}: ...' for known in fields)}}}."
            )
    return {name: values[name] for name in fields if name in values}


def is_bare(values: Any) -> bool:
    """Whether a structure is one value without a name, possibly in a tuple of its own."""
    if isinstance(values, tuple | list):
        given = [value for value in values if value is not None]
        return len(given) == 1 and is_bare(given[0])
    return not isinstance(values, Mapping)


def _surplus(values: Any, fields: Fields, what: str) -> str:
    """What is wrong with a tuple that has more parts than there are fields."""
    count = len(values)
    if len(fields) == 1 and values[1] is None:
        return (
            f"{what} has {count} parts, as (x, y, sample_weight) has: sample_weight is not "
            "supported. Resample the data set instead."
        )
    if len(fields) == 1:
        return (
            f"The model learns from {listed(fields)} alone, and {what} has {count} parts: part "
            f"number 2{_described(values[1])} is no field of it. It received targets as well. Pass "
            "the one only: fit(x), or dataset.map(lambda x, y: x)."
        )
    return (
        f"{what} has {count} parts and the model has the fields {listed(fields)}: part number "
        f"{len(fields) + 1}{_described(values[len(fields)])} is no field of it. Leave it out; "
        "there are no targets or weights."
    )


def _described(value: Any) -> str:
    """Type and shape of a part, where it has both: ", int64 of shape (None,),"."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is None or dtype is None:
        return ""
    return f", {getattr(dtype, 'name', dtype)} of shape {tuple(shape)},"
