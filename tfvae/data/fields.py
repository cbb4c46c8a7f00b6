"""What one example holds, field by field."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """What a field of an example holds.

    Attributes:
        shape: of one example, without a batch axis.
        dtype: "float32" or "int32".
        interval: the least and the largest value; None for any finite one.
        optional: whether an example may lack it.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    interval: tuple[float, float] | None = (0.0, 1.0)
    optional: bool = False

    @classmethod
    def label(cls, num_classes: int, optional: bool = False) -> "Field":
        """A whole number from 0 to `num_classes` - 1."""
        return cls((), "int32", (0, num_classes - 1), optional)
