"""What the rows of a section are compared by."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """What the rows of a section are compared by.

    Attributes:
        heading: Of its column.
        attribute: Of a `RowResult`; None there means that the run has no such number.
        what: It is, in a sentence.
        axis: What a chart's axis says.
        narrowest: Width of that axis at least: what differs by less should not look like much.
        decimals: That a page shows.
    """

    heading: str
    attribute: str
    what: str
    axis: str
    narrowest: float
    decimals: int

    def of(self, result: Any) -> str:
        """What a run came to, in a few words."""
        value = getattr(result, self.attribute)
        return f"{self.what} {'unknown' if value is None else f'{value:.{self.decimals}f}'}"


LIKELIHOOD = Measure(
    "log p(x)",
    "log_likelihood",
    "log p(x)",
    "log p(x) of each run, nats an example",
    1.0,
    2,
)
BITS = Measure(
    "bits",
    "bits_per_dimension",
    "bits a dimension",
    "bits a dimension of each run: fewer are better",
    0.1,
    3,
)
ERROR = Measure(
    "error",
    "error",
    "error",
    "share of held-out examples whose label is missed, of each run: fewer are better",
    0.01,
    4,
)
