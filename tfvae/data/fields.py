"""What one example holds, by name. Imports nothing heavy: the catalogue and `--help` read it."""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfvae.checks import LARGEST_SIZE
from tfvae.errors import UserError, UserTypeError

DTYPES = ("float32", "int32")
HOLE = -1  # a label that is not known


@dataclass(frozen=True)
class Field:
    """One of the things that an example holds, such as its image or its label.

    Attributes:
        shape: of one example: `()` for a number, `(D,)` for a vector, `(H, W, C)` for an image.
        dtype: "float32" (default), or "int32" for whole numbers.
        interval: the closed interval of the values, such as (0.0, 1.0), the default, which is that
            of pixels; (0.0, inf) for the non-negative reals; None for any finite value.
        optional: whether a batch may lack it.
        spacing: what reals are multiples of, counted from the least of the interval: 1.0 for counts
            from (0.0, inf), 1 / 255 for bytes that were scaled to [0, 1]; None for any value.
        parts: fields of vectors that consecutive entries of a vector are, where those are of
            several kinds, such as the columns of a table; each is checked for itself.
        holes: of a label, whether -1 stands for one that is not known; refused elsewhere.
        missing: whether NaN stands for an entry that is missing; no example has NaN alone.
        nonempty: whether each example has an entry other than 0, as a mask does.

    Raises:
        UserError: for sizes below 1, more than 2^24 numbers, another dtype, an interval without a
            value inside, a spacing of nothing, parts that are not the vector's, or holes in
            anything but a label from 0 on.

    Example:
        >>> Field((28, 28, 1)).values
        'values in [0, 1]'
        >>> Field((30,), interval=(0.0, math.inf), spacing=1.0).values
        'finite whole numbers of at least 0'
        >>> Field.label(10).interval
        (0, 9)
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    interval: tuple[float, float] | None = (0.0, 1.0)
    optional: bool = False
    spacing: float | None = None
    parts: tuple["Field", ...] = ()
    missing: bool = False
    nonempty: bool = False
    holes: bool = False

    def __post_init__(self) -> None:
        shape = tuple(int(size) for size in self.shape)
        if min(shape, default=1) < 1:
            raise UserError(f"The shape of a field is {shape}; expected sizes of at least 1.")
        if math.prod(shape) > LARGEST_SIZE:
            raise UserError(
                f"The shape of a field is {shape}, {math.prod(shape):,} numbers; expected at most "
                f"{LARGEST_SIZE:,} in one example. Cut or shrink it."
            )
        object.__setattr__(self, "shape", shape)
        if self.dtype not in DTYPES:
            raise UserError(
                f"The dtype of a field is {self.dtype!r}; expected one of {', '.join(DTYPES)}."
            )
        if self.interval is not None and not self.interval[0] <= self.interval[1]:
            raise UserError(
                f"The interval of a field is {self.interval}; expected (least, most), or None."
            )
        if self.spacing is not None and not (self.spacing > 0 and self.interval is not None):
            raise UserError(
                f"The spacing of a field is {self.spacing!r} in the interval {self.interval}; "
                "expected a number above 0, and an interval to count from."
            )
        if self.parts and shape != (sum(part.shape[0] for part in self.parts),):
            raise UserError(
                f"The parts of a field of shape {shape} are {self.parts}; expected vectors whose "
                "sizes add up to its own."
            )
        if self.holes and (shape or self.classes[:1] != range(1)):
            raise UserError(
                f"A field with holes is {self.values}, of shape {shape}; expected a label, whole "
                "numbers from 0 on: Field.label(10, holes=True)."
            )

    @classmethod
    def label(cls, num_classes: int, holes: bool = False) -> "Field":
        """A whole number from 0 to `num_classes` - 1; with holes also -1, for one not known."""
        return cls((), "int32", (0, num_classes - 1), holes=holes)

    @classmethod
    def mask(cls, shape: Sequence[int], optional: bool = False) -> "Field":
        """Ones and zeros, at least a one in each example: what of x is seen, or counts."""
        return cls(tuple(shape), spacing=1.0, optional=optional, nonempty=True)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, as JSON holds them."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        interval = None if self.interval is None else list(self.interval)
        parts = [part.get_config() for part in self.parts]
        return {**own, "shape": list(self.shape), "interval": interval, "parts": parts}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Field":
        """Makes one of what `get_config` returned."""
        interval = config["interval"]
        parts = tuple(cls.from_config(part) for part in config["parts"])
        ends = None if interval is None else (interval[0], interval[1])
        return cls(**{**config, "shape": tuple(config["shape"]), "interval": ends, "parts": parts})

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return self.dtype == "int32"

    @property
    def classes(self) -> range:
        """What a label may be: the whole numbers of a finite interval; empty of other fields."""
        if not self.whole or self.interval is None or math.isinf(max(map(abs, self.interval))):
            return range(0)
        return range(int(self.interval[0]), int(self.interval[1]) + 1)

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest value, infinite where there is none; a hole is one."""
        low, high = self.interval or (-math.inf, math.inf)
        return (HOLE, high) if self.holes else (low, high)

    @property
    def of_pixels(self) -> bool:
        """Whether its values are what pixels are: reals from 0 to 1."""
        return not self.whole and self.interval == (0.0, 1.0)

    @property
    def values(self) -> str:
        """What its values are, for messages: "values in [0, 1]"."""
        if self.parts:
            places = self.divided()
            return "; ".join(f"{p.values} in entries {at.start}:{at.stop}" for at, p in places)
        if self.nonempty:
            return "ones and zeros, at least a one in each example"
        kind = "whole numbers" if self.whole or self.spacing == 1 else "values"
        if self.spacing not in (None, 1):
            kind = f"multiples of {self.step}"
        if self.interval is None:
            return f"finite {kind}"
        low, high = self.interval
        if math.isinf(high):
            return f"finite {kind} of at least {low:g}"
        if not self.whole:
            return f"{kind} in [{low:g}, {high:g}]"
        return f"{kind} from {low} to {high}{f', or {HOLE} for unknown' * self.holes}"

    def divided(self) -> list[tuple[slice, "Field"]]:
        """Where each part lies in the last axis, and what it is; of a field of one kind all."""
        if not self.parts:
            return [(slice(None), self)]
        ends = list(itertools.accumulate(part.shape[0] for part in self.parts))
        starts = [0, *ends[:-1]]
        return [(slice(*at), p) for *at, p in zip(starts, ends, self.parts, strict=True)]

    @property
    def step(self) -> str:
        """The spacing, for messages: "1/255"."""
        levels = 1 / self.spacing if self.spacing else 0.0
        whole = levels > 1 and abs(levels - round(levels)) < 1e-6
        return f"1/{round(levels)}" if whole else f"{self.spacing:g}"

    @property
    def batch(self) -> str:
        """The shape of a batch, for messages: "[N, 28, 28, 1]"."""
        return f"[{', '.join(map(str, ('N', *self.shape)))}]"

    def contains(self, other: "Field") -> bool:
        """Whether all values that `other` may hold are values of this field."""
        if self.parts or (self.whole and not other.whole):
            return False
        if (self.nonempty and not other.nonempty) or (other.missing and not self.missing):
            return False
        if self.spacing is not None and not (
            other.spacing == self.spacing or (other.whole and self.spacing == 1)
        ):
            return False
        if self.interval is None or other.interval is None:
            return self.interval is None
        return self.ends[0] <= other.ends[0] and other.ends[1] <= self.ends[1]


Fields = Mapping[str, Field]


def checked_fields(found: Any, kind: str) -> Fields:
    """Returns what `fields()` of a model did, if it is fields by name.

    Args:
        found: what it returned.
        kind: the model's class, for messages.
    """
    of_fields = isinstance(found, Mapping) and all(isinstance(f, Field) for f in found.values())
    if not of_fields or not found:
        raise UserTypeError(
            f"{kind}.fields() returned {found!r}; expected a dict of Field by name, such as "
            '{"x": tfvae.data.Field((28, 28, 1))}.'
        )
    return found


def required(fields: Fields) -> dict[str, Field]:
    """The fields that every example has: those that are not optional."""
    return {name: field for name, field in fields.items() if not field.optional}


def input_shapes(fields: Fields) -> Any:
    """What `build` is given: `(None, *shape)` of the only field, or a dict of these by name."""
    shapes = {name: (None, *field.shape) for name, field in fields.items()}
    return shapes if len(shapes) > 1 else next(iter(shapes.values()))


def listed(fields: Fields) -> str:
    """The names of fields, for messages: "'x' and 'label' (optional)"."""
    names = [f"{name!r}{' (optional)' * field.optional}" for name, field in fields.items()]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def check_field_names(names: Any) -> tuple[str, ...]:
    """Returns names of fields as a tuple without repetition, or raises."""
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise UserTypeError(f"fields is {names!r}; expected names, such as ('x', 'label').")
    if not names or len(set(names)) < len(names):
        raise UserError(f"fields is {names!r}; expected each name once, such as ('x', 'label').")
    return tuple(names)


def example_size(fields: Mapping[str, Field]) -> int:
    """Returns how many numbers the modelled field of an example holds."""
    return math.prod(next(iter(fields.values())).shape)
