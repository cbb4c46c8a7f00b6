"""Checks of constructor arguments: what was received, what was expected."""

import math
import numbers
from collections.abc import Sequence
from typing import Any

from tfvae.errors import UserError, UserTypeError


def positive_int(name: str, value: Any, minimum: int = 1, most: int | None = None) -> int:
    """Returns `value` as an int of at least `minimum`, and `most`; or raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or int(value) < minimum:
        raise UserError(f"{name} must be an integer of at least {minimum}, received {value!r}.")
    if most is not None and int(value) > most:
        raise UserError(f"{name} must be at most {most}, received {value!r}.")
    return int(value)


def positive_ints(name: str, values: Any) -> tuple[int, ...]:
    """Returns `values` as a non-empty tuple of positive ints, or raises `ValueError`."""
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise UserError(
            f"{name} must be a non-empty list of positive integers, received {values!r}."
        )
    return tuple(positive_int(f"{name}[{i}]", value) for i, value in enumerate(values))


def int32(name: str, value: Any) -> int:
    """Returns `value` as an int that 32 bits with a sign hold, or raises `ValueError`."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or not -(2**31) <= value < 2**31:
        raise UserError(f"{name} must be an int32, from -2^31 to 2^31 - 1, received {value!r}.")
    return int(value)


def real(name: str, value: Any, *, minimum: float = -math.inf, above: float = -math.inf) -> float:
    """Returns `value` as a finite float, at least `minimum` and more than `above`."""
    expected = "a finite number"
    if minimum > -math.inf:
        expected = f"a finite number of at least {minimum:g}"
    elif above > -math.inf:
        expected = f"a finite number above {above:g}"
    valid = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not valid or not math.isfinite(value) or value < minimum or value <= above:
        raise UserError(f"{name} must be {expected}, received {value!r}.")
    return float(value)


def instance_of(name: str, value: Any, expected: type, hint: str) -> Any:
    """Returns `value` if it is an `expected` layer, or raises `TypeError` with the hint."""
    if not isinstance(value, expected):
        raise UserTypeError(
            f"{name} must be a {expected.__module__.split('.')[0]} {expected.__name__} ({hint}), "
            f"received {value!r}."
        )
    if not hasattr(value, "name"):
        raise UserTypeError(
            f"{name} is a {type(value).__name__} that was made without Keras: its __init__ has to "
            "call super().__init__(...) first."
        )
    return value
