"""What `load` hides of x, and the columns that this makes."""

from dataclasses import dataclass
from typing import Any

from tfvae.checks import positive_int, real
from tfvae.data.missing import SEEN, without_some
from tfvae.data.quadrants import COUNTED, MOST_QUADRANTS, VISIBLE, check_quadrants
from tfvae.data.rows import Columns
from tfvae.errors import UserError

_MADE = {SEEN: "missing=0.5", VISIBLE: "quadrants=1", COUNTED: "quadrants=1"}


@dataclass(frozen=True)
class Hidden:
    """Nothing, entries of a table, or quadrants of images.

    Attributes:
        missing: share of the entries that are taken away; None for none.
        quadrants: how many are given; None where images are whole.
        names: of the columns of a batch; None for a bare x.
    """

    missing: float | None
    quadrants: int | None
    names: tuple[str, ...] | None

    @property
    def made(self) -> tuple[str, ...]:
        """The columns that are made of the images of a batch."""
        if self.quadrants is None:
            return ()
        return tuple(name for name in self.names or () if name in (VISIBLE, COUNTED))

    @property
    def stored(self) -> tuple[str, ...] | None:
        """The columns that the source has; None for x alone."""
        added = (*self.made, *([] if self.missing is None else [SEEN]))
        return tuple(n for n in self.names if n not in added) if self.names else None

    def applied(self, columns: Columns, seed: int, source: Any) -> Columns:
        """The columns with what is missing taken away by a seed, and a column that says so."""
        if self.quadrants is not None:
            check_quadrants(columns.fields.get("x"))
        if self.missing is None:
            return columns
        return without_some(columns, self.missing, seed, source)


def hiding(missing: Any, quadrants: Any, dequantise: Any, names: tuple[str, ...] | None) -> Hidden:
    """Checked arguments of `load`.

    Args:
        missing: share of the entries of x, or None.
        quadrants: how many are given, or None.
        dequantise: whether noise is added, None if it is not.
        names: of the columns that were asked for, or None.

    Raises:
        UserError: for both, a share that is none, or columns without the one that says what is
            missing.
    """
    if missing is None and quadrants is None:
        return Hidden(None, None, names)
    if missing is not None and quadrants is not None:
        raise UserError("missing and quadrants both hide a part of x; give one of them.")
    if quadrants is not None:
        quadrants = positive_int("quadrants", quadrants, maximum=MOST_QUADRANTS)
        return Hidden(None, quadrants, names or ("x", VISIBLE, COUNTED))
    if real("missing", missing, above=0.0) >= 1:
        raise UserError(f"missing is {missing!r}; expected a share below 1: something is seen.")
    if dequantise is not None:
        raise UserError("missing and dequantise do not go together: leave dequantise out.")
    names = names or ("x", SEEN)
    if SEEN not in names:
        raise UserError(
            f"fields is {names!r} and missing={missing!r}: x is 0 where it is missing, which the "
            f"column {SEEN!r} says. Add it to fields."
        )
    return Hidden(float(missing), None, names)


def made_by(name: str) -> str:
    """What makes a column that a source lacks, for messages."""
    return f" {_MADE[name]} makes one." if name in _MADE else ""
