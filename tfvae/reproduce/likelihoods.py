"""The rows that compare likelihoods of pixels."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tfvae.reproduce.measure import BITS
from tfvae.reproduce.rows import Row, Section

_SCALES: dict[str, float | str] = {
    "unit": 1.0,
    "learned": "learned",
    "optimal": "optimal",
    "per-pixel": "per_pixel",
}
_DENSITIES: dict[str, dict[str, Any]] = {
    **{name: {"likelihood": "normal", "scale": scale} for name, scale in _SCALES.items()},
    "continuous-bernoulli": {"likelihood": "continuous_bernoulli"},
}
_RAW = ("learned", "per-pixel", "continuous-bernoulli")  # as densities of pixels are often trained
_MIXTURE = "discretised-logistic-mixture"


def compare_likelihoods(
    title: str,
    text: str,
    prefix: str,
    row: Row,
    num_levels: int,
    by_level: bool,
) -> Section:
    """The section of a data set.

    Args:
        title: Its heading.
        text: What to know when reading it.
        prefix: Of the names of its rows.
        row: What they share; of its name only the prefix stays.
        num_levels: Of the data's pixels.
        by_level: Whether they are few enough for a probability each.
    """

    def of(name: str, changes: Mapping[str, Any]) -> Row:
        return replace(row, name=f"{prefix}-{name}", changes={**row.changes, **changes})

    raw, noisy = {"binarisation": "none"}, {"dequantise": num_levels}
    levels = {**raw, "num_levels": num_levels}
    mixture = {"likelihood": _MIXTURE.replace("-", "_"), **levels}
    return Section(
        title,
        text,
        (
            *(of(name, {**changes, **noisy}) for name, changes in _DENSITIES.items()),
            of(_MIXTURE, mixture),
            *([of("categorical", {"likelihood": "categorical", **levels})] if by_level else []),
            *(of(f"{name}-raw", {**_DENSITIES[name], **raw}) for name in _RAW),
        ),
        measure=BITS,
    )
