"""Larger images that a run's model draws of small ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfvae.errors import UserError
from tfvae.evaluation.image_filters import bicubic
from tfvae.runs.datasets import load_data
from tfvae.runs.other_data import new_examples
from tfvae.runs.restoration import (
    enlarged,
    examples_by_field,
    quality_lines,
    save_arrays,
    save_image_rows,
    shows_images,
)
from tfvae.settings.settings import Settings
from tfvae.uses.super_resolution import small_condition, super_resolve

_SHOWN = 3  # samples of an image in the picture


def save_super_resolved(
    model: Any,
    settings: Settings,
    name_or_path: str | None,
    path: Path,
    num_samples: int = 16,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> None:
    """Writes larger images that small ones may be of, with a picture; reports how near they are.

    Args:
        model: Of the run.
        settings: Of the run.
        name_or_path: As for `tfvae.data.load`, of small images or of large ones, which are made
            small; None for the run's held-out examples.
        path: Of the `.npz` file: `low`, `samples`, `mean`, `spread`, `consistency`, and of large
            images `x`.
        num_samples: S, of each image.
        seed: Of the draws.
        report: Called with lines for people.

    Raises:
        UserError: for a model that does not draw images given a smaller one, or images of another
            size.
    """
    low_name, field, factor = small_condition(model)
    examples = _examples(model, settings, name_or_path, field.shape)
    low, truth = examples[low_name], examples.get("x")
    found = super_resolve(model, low, num_samples, seed)
    large = {} if truth is None else {"x": truth}
    save_arrays(path, {low_name: low, **found._asdict(), **large})
    smooth = bicubic(low, factor)
    if truth is not None:
        compared = {"bicubic": smooth, "mean": found.mean, "one sample": found.samples[:, 0]}
        for line in quality_lines(truth, compared):
            report(line)
    report(
        f"consistency {found.consistency.mean():.4f}: the root mean squared difference of a "
        "sample, made small again, from what was given, in units of pixels"
    )
    report(str(path))
    if shows_images(model.fields()["x"]):
        most = float(found.spread.max())
        rows = {
            "given": enlarged(low, found.mean.shape[1:]),
            "bicubic": smooth,
            "mean": found.mean,
            **{f"sample {n + 1}": found.samples[:, n] for n in range(min(_SHOWN, num_samples))},
            f"spread, white {most:.2f}": found.spread / (most or 1.0),
            **({} if truth is None else {"true": truth}),
        }
        shown = {name: np.clip(images, 0.0, 1.0) for name, images in rows.items()}
        report(str(save_image_rows(path, shown, "Images that small ones may be of")))


def _examples(
    model: Any, settings: Settings, name_or_path: str | None, small: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Small images by the condition's name and, where they are known, large ones as x."""
    if name_or_path is None:
        return examples_by_field(load_data(settings, model)[1])
    name, shape = next(iter(model.conditions())), model.fields()["x"].shape
    stored = new_examples(model, settings, name_or_path, as_it_is=True)
    found = stored.recipe.fields["x"].shape
    if found == small:
        return {name: examples_by_field(stored)["x"]}
    if found != shape:
        raise UserError(
            f"{name_or_path} holds images of shape {found}; expected {shape}, which are made "
            f"small, or {small}, which are small."
        )
    return examples_by_field(new_examples(model, settings, name_or_path))
