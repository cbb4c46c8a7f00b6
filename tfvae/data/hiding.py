"""What `load` hides of x, and the columns that this makes."""

from dataclasses import dataclass
from typing import Any

from tfvae.checks import positive_int, real
from tfvae.data.low_resolution import LOW, LowResolution
from tfvae.data.missing import ENTRIES, PATTERNS, SEEN, without_some
from tfvae.data.quadrants import COUNTED, MOST_QUADRANTS, VISIBLE, Quadrants
from tfvae.data.rows import Columns
from tfvae.errors import UserError

Derived = Quadrants | LowResolution
_MADE = {
    SEEN: "missing=0.5",
    VISIBLE: "quadrants=1",
    COUNTED: "quadrants=1",
    LOW: "low_resolution=2",
}


@dataclass(frozen=True)
class Hidden:
    """Nothing, entries of a table, quadrants of images, or what is finer than blocks of pixels.

    Attributes:
        missing: share of the entries that are taken away; None for none.
        pattern: which those are, one of `missing.PATTERNS`.
        derived: what makes columns of images; None where nothing does.
        names: of the columns of a batch; None for a bare x.
    """

    missing: float | None
    derived: Derived | None
    names: tuple[str, ...] | None
    pattern: str = ENTRIES

    @property
    def made(self) -> tuple[str, ...]:
        """The columns that are made of the images of a batch."""
        if self.derived is None:
            return ()
        return tuple(name for name in self.names or () if name in self.derived.names)

    @property
    def stored(self) -> tuple[str, ...] | None:
        """The columns that the source has; None for x alone."""
        added = (*self.made, *([] if self.missing is None else [SEEN]))
        return tuple(n for n in self.names if n not in added) if self.names else None

    def applied(self, columns: Columns, seed: int, source: Any) -> Columns:
        """The columns with what is missing taken away by a seed, and a column that says so."""
        if self.derived is not None:
            self.derived.check(columns.fields.get("x"))
        if self.missing is None:
            return columns
        return without_some(columns, self.missing, self.pattern, seed, source)


def hiding(
    missing: Any,
    quadrants: Any,
    low_resolution: Any,
    dequantise: Any,
    names: tuple[str, ...] | None,
    pattern: Any = ENTRIES,
) -> Hidden:
    """Checked arguments of `load`.

    Args:
        missing: share of the entries of x, or None.
        quadrants: how many are given, or None.
        low_resolution: by what factor images are made smaller, or None.
        dequantise: whether noise is added, None if it is not.
        names: of the columns that were asked for, or None.
        pattern: of what is missing, one of `missing.PATTERNS`.

    Raises:
        UserError: for two of these, a share or a pattern that is none, or columns without the one
            that says what is missing.
    """
    asked = {"missing": missing, "quadrants": quadrants, "low_resolution": low_resolution}
    given = [name for name, value in asked.items() if value is not None]
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)} both hide a part of x; give one of them.")
    if pattern not in PATTERNS:
        raise UserError(
            f"missing_pattern must be one of {', '.join(PATTERNS)}, received {pattern!r}."
        )
    if missing is None and pattern != ENTRIES:
        raise UserError(
            f"missing_pattern is {pattern!r}, and nothing is missing: give missing, too, such as "
            "missing=0.5."
        )
    if missing is None:
        derived = derived_columns(quadrants, low_resolution)
        if derived is not None:
            names = names or ("x", *derived.names)
        return Hidden(None, derived, names)
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
    return Hidden(float(missing), None, names, pattern)


def derived_columns(quadrants: Any, low_resolution: Any) -> Derived | None:
    """What makes columns of images, of arguments of `load`; None of two Nones."""
    if quadrants is not None:
        return Quadrants(positive_int("quadrants", quadrants, maximum=MOST_QUADRANTS))
    if low_resolution is not None:
        return LowResolution(positive_int("low_resolution", low_resolution, minimum=2))
    return None


def made_by(name: str) -> str:
    """What makes a column that a source lacks, for messages."""
    return f" {_MADE[name]} makes one." if name in _MADE else ""
