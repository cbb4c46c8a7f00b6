"""Masks that a run's model draws of images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfvae.data import sources
from tfvae.errors import UserError
from tfvae.evaluation import generalised_energy_distance, matched_iou
from tfvae.runs.datasets import load_data
from tfvae.runs.other_data import new_examples
from tfvae.runs.restoration import (
    MEASURED,
    examples_by_field,
    save_arrays,
    save_image_rows,
    shows_images,
)
from tfvae.settings.settings import Settings
from tfvae.uses.segmentation import segment

_SHOWN = 4  # masks of each kind in the picture


def save_segmented(
    model: Any,
    settings: Settings,
    name_or_path: str | None,
    path: Path,
    num_samples: int = 16,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> None:
    """Writes masks of images with a picture, and reports how well they follow the annotators'.

    Args:
        model: Of the run.
        settings: Of the run.
        name_or_path: As for `tfvae.data.load`, of images alone as x, or of masks x with their
            images beside them by the condition's name; None for the run's held-out examples. Rows
            of one and the same image, one after another, are its annotators'.
        path: Of the `.npz` file: the images by the condition's name, `masks` `[S, N, H, W, 1]`,
            booleans, `mean`, their mean, and `annotators`, likewise, where masks are known and all
            images have as many.
        num_samples: S, masks of each image.
        seed: Of the draws.
        report: Called with lines for people.

    Raises:
        UserError: for a model that does not draw masks given one image, or images of another size.
    """
    conditions = model.conditions()
    name = next((n for n, field in conditions.items() if len(field.shape) == 3), None)
    if name is None or len(conditions) > 1:
        raise UserError(
            "tfvae segment is for runs of masks given an image, and this run's model, a "
            f"{type(model).__name__}, is given {', '.join(conditions) or 'nothing'}. Train one: "
            "tfvae train digits-segmentation."
        )
    images, truth = _examples(model, settings, name_or_path, name)
    masks = segment(model, images, num_samples, seed)
    mean = masks.mean(axis=0, dtype=np.float32)
    known = {} if truth is None else {"annotators": truth}
    save_arrays(path, {name: images, "masks": masks, "mean": mean, **known})
    if truth is not None:
        report(_quality_line(masks[:, :MEASURED], truth[:, :MEASURED]))
    report(str(path))
    if shows_images(conditions[name]):
        several = {"annotator": known.get("annotators", masks[:0]), "mask": masks}
        rows = {name: images}
        for who, part in several.items():
            rows |= {f"{who} {n + 1}": each for n, each in enumerate(part[:_SHOWN])}
        rows["mean"] = mean
        shown = {row: np.asarray(each, np.float32) for row, each in rows.items()}
        report(str(save_image_rows(path, shown, "Images and masks that are drawn of them")))


def _quality_line(masks: np.ndarray, truth: np.ndarray) -> str:
    return (
        f"squared energy distance {generalised_energy_distance(masks, truth).mean():.4f}, matched "
        f"IoU {matched_iou(masks, truth).mean():.4f}, of {len(masks)} masks and {len(truth)} "
        f"annotators of each of {truth.shape[1]} images"
    )


def _examples(
    model: Any, settings: Settings, name_or_path: str | None, name: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Images, and the masks of their annotators `[M, N, ...]` if they are known."""
    if name_or_path is None:
        examples = examples_by_field(load_data(settings, model)[1])
    else:
        alone = name not in sources.read(name_or_path).train.rows
        examples = examples_by_field(new_examples(model, settings, name_or_path, as_it_is=alone))
        examples = {name: examples["x"]} if alone else examples
    shape = model.conditions()[name].shape
    if examples[name].shape[1:] != shape:
        raise UserError(
            f"{name_or_path} holds images of shape {examples[name].shape[1:]}; expected {shape}, "
            "as the run's own."
        )
    return _annotated(examples[name], examples["x"]) if "x" in examples else (examples[name], None)


def _annotated(images: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Each image once, and its masks; None where not all have as many."""
    other = np.any(images[1:] != images[:-1], axis=tuple(range(1, images.ndim)))
    first = np.concatenate([[0], np.flatnonzero(other) + 1])
    counts = np.diff([*first, len(images)])
    if np.ptp(counts):
        return images[first], None
    found = masks.reshape(len(first), counts[0], *masks.shape[1:]) > 0.5
    return images[first], np.moveaxis(found, 1, 0)
