"""Checks of constructor arguments: what was received, what was expected."""

import math
import numbers
from collections.abc import Sequence
from typing import Any

from tfvae.errors import UserError, UserTypeError

MOST = 2**31 - 1
"""What TensorFlow counts in 32 bits: steps, draws, rows."""

LARGEST_SIZE = 2**24
"""Of an axis, of a layer and of an example: 16 million numbers, 64 MiB in float32."""

MOST_DRAWS = 10**6
"""In an estimate for one example; the literature takes 5000."""

_LONGEST = 1000  # sizes of one thing, such as the layers of a network


def positive_int(name: str, value: Any, minimum: int = 1, maximum: int = MOST) -> int:
    """Returns `value` as an int from `minimum` to `maximum`, or raises `ValueError`."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or int(value) < minimum:
        raise UserError(f"{name} must be an integer of at least {minimum}, received {value!r}.")
    if int(value) > maximum:
        raise UserError(
            f"{name} must be an integer of at most {maximum:,}, received {int(value):,}."
        )
    return int(value)


def positive_ints(name: str, values: Any, maximum: int = LARGEST_SIZE) -> tuple[int, ...]:
    """Returns `values` as a non-empty tuple of positive ints, or raises `ValueError`."""
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise UserError(
            f"{name} must be a non-empty list of positive integers, received {values!r}."
        )
    if len(values) > _LONGEST:
        raise UserError(f"{name} must be at most {_LONGEST} integers, received {len(values):,}.")
    return tuple(
        positive_int(f"{name}[{i}]", value, maximum=maximum) for i, value in enumerate(values)
    )


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
