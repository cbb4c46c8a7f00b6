"""Examples that a run's model takes the corruption from."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfvae.data.sources import numpy_file
from tfvae.errors import UserError, UserFileNotFoundError
from tfvae.models.capabilities import Decodes, Encodes, require
from tfvae.runs.datasets import load_data
from tfvae.runs.other_data import new_examples
from tfvae.runs.restoration import (
    FITTED,
    MEASURED,
    examples_by_field,
    filters_beside,
    quality_lines,
    save_arrays,
    save_image_rows,
    shows_images,
)
from tfvae.settings.settings import Settings
from tfvae.uses.denoising import corrupted_examples, denoise

_TITLE = "Examples as they are corrupted, and what the model makes of them"


def save_denoised(
    model: Any,
    settings: Settings,
    name_or_path: str | None,
    path: Path,
    noisy: bool = False,
    num_samples: int | None = None,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> None:
    """Writes examples, as they are corrupted and denoised, with a picture beside; reports how near.

    Args:
        model: Of the run.
        settings: Of the run.
        name_or_path: As for `tfvae.data.load`; None for the run's held-out examples.
        path: Of the `.npz` file: `clean`, `corrupted`, `denoised`.
        noisy: Whether the examples are corrupted already: there is no truth then.
        num_samples: See `uses.denoise`.
        seed: Of the corruption and of the draws.
        report: Called with lines for people.

    Raises:
        UserError: for a model that can't, one trained without a corruption unless the examples are
            noisy, or examples that are not the model's.
    """
    require(model, "tfvae denoise", Encodes, Decodes)
    corruption = getattr(model, "corruption", None)
    if corruption is None and not noisy:
        raise UserError(
            "tfvae denoise corrupts examples as the run's training did, and this run was trained "
            "without: train one with --corruption additive_normal, such as `tfvae train "
            "digits-denoising`, or give examples that are noisy already, with --noisy."
        )
    train, test = load_data(settings, model)
    if name_or_path is None:
        examples = examples_by_field(test)
    elif noisy and Path(name_or_path).suffix == ".npy":
        examples = {"x": _stored(Path(name_or_path))}
    else:
        examples = examples_by_field(new_examples(model, settings, name_or_path, as_it_is=noisy))
    options = {"num_samples": num_samples, "seed": seed}
    if noisy:
        arrays = {"corrupted": examples["x"], "denoised": denoise(model, examples, **options)}
    else:
        corrupted = corrupted_examples(corruption, examples["x"], seed)
        denoised = denoise(model, {**examples, "x": corrupted}, **options)
        arrays = {"clean": examples["x"], "corrupted": corrupted, "denoised": denoised}
    save_arrays(path, arrays)
    images = shows_images(model.fields()["x"])
    if not noisy:
        compared = {name: array for name, array in arrays.items() if name != "clean"}
        if images:
            clean = examples_by_field(train, FITTED)["x"]
            beside = filters_beside(clean, corrupted_examples(corruption, clean, seed), report)
            compared |= {name: each(corrupted[:MEASURED]) for name, each in beside.items()}
        for line in quality_lines(arrays["clean"], compared):
            report(line)
    report(str(path))
    if images:
        rows = {name: np.clip(array, 0.0, 1.0) for name, array in arrays.items()}
        report(str(save_image_rows(path, rows, _TITLE)))


def _stored(path: Path) -> np.ndarray:
    """The array of a `.npy` file, whose values may leave the range of pixels; bytes in [0, 1]."""
    if not path.is_file():
        raise UserFileNotFoundError(f"No such file: {path}.")
    found = np.asarray(numpy_file.read(path, sys.maxsize))
    return (found / 255 if found.dtype == np.uint8 else found).astype(np.float32)
