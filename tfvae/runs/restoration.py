"""What commands that restore images share: examples, how near they come, and the files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.evaluation import pooled_peak_signal_to_noise, structural_similarity
from tfvae.evaluation.image_filters import Filter, fitted_filters
from tfvae.evaluation.image_quality import WINDOW
from tfvae.runs.files import replacing

MEASURED = 1000  # images: non-local means take a hundredth of a second each
FITTED = 100  # training images that the filters' settings are chosen by


def examples_by_field(dataset: tf.data.Dataset, count: int | None = None) -> dict[str, np.ndarray]:
    """The examples of batches, or the first so many, by field; what is bare is x."""
    found: list[dict[str, np.ndarray]] = []
    for batch in dataset.as_numpy_iterator():
        found.append(batch if isinstance(batch, dict) else {"x": batch})
        if count is not None and sum(len(part["x"]) for part in found) >= count:
            break
    return {name: np.concatenate([part[name] for part in found])[:count] for name in found[0]}


def shows_images(field: Field) -> bool:
    """Whether examples of a field can be looked at: as grey images, or as those in colour."""
    return len(field.shape) == 3 and field.shape[2] in (1, 3)


def quality_lines(truth: np.ndarray, found: Mapping[str, np.ndarray]) -> list[str]:
    """How near each of several results comes to the truth, of the first `MEASURED` examples.

    Of images of pixels the PSNR of all together, in decibels, and the mean structural similarity;
    of anything else the error.
    """
    truth = truth[:MEASURED]
    pixels = truth.ndim == 4 and truth.min() >= 0.0 and truth.max() <= 1.0
    lines = []
    for name, values in found.items():
        values = values[:MEASURED]
        if not pixels:
            error = float(np.sqrt(np.mean(np.square(values - truth))))
            lines.append(f"{name:16} root mean squared error {error:.4f}")
            continue
        quality = f"PSNR {pooled_peak_signal_to_noise(truth, values):.2f} dB"
        if min(truth.shape[1:3]) >= WINDOW:
            quality += f", SSIM {np.mean(structural_similarity(truth, values)):.4f}"
        lines.append(f"{name:16} {quality}")
    return [*lines, f"of {len(truth)} examples"]


def filters_beside(
    clean: np.ndarray, corrupted: np.ndarray, report: Callable[[str], None]
) -> dict[str, Filter]:
    """scikit-image's filters with the settings that suit these images; none if it is missing."""
    try:
        return fitted_filters(clean, corrupted)
    except UserError as error:
        report(f"Note: no filters beside the model. {error}")
        return {}


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Writes arrays by name, `.npz`."""
    with replacing(path) as beside:
        np.savez(beside, **arrays)


def save_image_rows(path: Path, rows: Mapping[str, np.ndarray], title: str) -> Path:
    """Draws rows of images beside a file of arrays, and returns where."""
    from tfvae.evaluation.pictures import image_rows  # matplotlib

    picture = path.with_suffix(".png")
    with replacing(picture) as beside:
        image_rows(rows, title, save=beside)
    return picture


def enlarged(images: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Images `[N, h, w, C]` with each pixel as a block, of the size of others `(H, W, C)`."""
    down, across = shape[0] // images.shape[1], shape[1] // images.shape[2]
    return images.repeat(down, axis=1).repeat(across, axis=2)
