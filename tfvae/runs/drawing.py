"""The pictures of a run, by what its model and data have to show."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae import data
from tfvae.data.catalogue import CATALOGUE
from tfvae.data.fields import required
from tfvae.data.naming import by_name
from tfvae.evaluation import pictures
from tfvae.evaluation.levels import levels_held
from tfvae.models.capabilities import Continues, Decodes, Encodes, Generates
from tfvae.models.codes import has_real_codes
from tfvae.models.generation import SAMPLES_AT_ONCE
from tfvae.runs.files import cannot_write, replacing
from tfvae.settings.settings import Settings

POINTS = 2000  # held-out images in the scatter plot
CLASSES = 30  # columns that can still be looked at
PAIRS = 8  # interpolations


def draw_pictures(
    model: Any,
    settings: Settings,
    test: tf.data.Dataset,
    rows: list[dict[str, float]],
    folder: Path,
) -> list[Path]:
    """Draws all pictures that suit the model into the folder, and returns their paths.

    Args:
        model: The trained model.
        settings: Of the run.
        test: Its held-out data.
        rows: Its history.
        folder: Made if missing.
    """
    history = {name: [row[name] for row in rows] for name in rows[0] if name != "epoch"}
    drawings: dict[str, Callable[[Path], Any]] = {
        "training_curves": lambda path: pictures.training_curves(history, save=path),
        **_of_codes(model, settings, test),
    }
    if len(next(iter(model.fields().values())).shape) == 3:
        drawings |= _of_images(model, test)
    return write_drawings(drawings, folder)


def write_drawings(drawings: Mapping[str, Callable[[Path], Any]], folder: Path) -> list[Path]:
    """Draws each picture into a folder, which is made if missing, and returns their paths."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    paths = []
    for name, drawing in drawings.items():
        paths.append(folder / f"{name}.png")
        with replacing(paths[-1]) as beside:
            drawing(beside)
    return paths


def _of_codes(model: Any, settings: Settings, test: tf.data.Dataset) -> dict[str, Callable]:
    if not isinstance(model, Encodes) or not has_real_codes(model):
        return {}
    examples = data.first_examples(test, POINTS)
    labels = held_out_labels(settings)
    if labels is not None:
        labels = labels[: len(tf.nest.flatten(examples)[0])]
    return {
        "latent_scatter": lambda path: pictures.latent_scatter(model, examples, labels, save=path)
    }


def _of_images(model: Any, test: tf.data.Dataset) -> dict[str, Callable]:
    """Pictures of a model of images, as far as it has the capabilities."""
    fields, drawings = model.fields(), {}
    examples = by_name(data.first_examples(test, POINTS), fields, "the held-out data")
    images = next(iter(examples.values()))
    few = {name: values[:40] for name, values in examples.items()}
    half = min(PAIRS, len(images) // 2)
    can = {kind for kind in (Encodes, Decodes, Generates) if isinstance(model, kind)}
    if can >= {Encodes, Decodes}:
        drawings["reconstructions"] = lambda path: pictures.reconstructions(model, few, save=path)
    if can >= {Generates, Decodes}:
        given: dict[str, Any] = {name: np.resize(examples[name], (64, *f.shape)) for name, f in
                 model.conditions().items() if name in examples}  # fmt: skip
        drawings["samples"] = lambda path: pictures.prior_samples(model, 64, save=path, **given)
        if (label := pictures.class_condition(model)) and len(label[1]) <= CLASSES:
            drawings["classes"] = lambda path: pictures.samples_by_class(model, save=path)
    if isinstance(model, Continues) and can >= {Encodes, Decodes}:
        ten = {name: values[:10] for name, values in examples.items()}
        drawings["levels"] = lambda path: levels_held(model, ten, save=path)
    if can >= {Decodes} and pictures.has_manifold(model):
        drawings["manifold"] = lambda path: pictures.latent_manifold(model, save=path)
    elif can >= {Encodes, Decodes} and pictures.walks(model) and len(required(fields)) == 1:
        drawings["traversals"] = lambda path: pictures.traversals(model, images, save=path)
        if half:
            drawings["interpolations"] = lambda path: pictures.interpolations(
                model, images[:half], images[half : 2 * half], save=path
            )
    return drawings


def held_out_labels(settings: Settings) -> np.ndarray | None:
    """Labels of the held-out images, of data sets that are known by name."""
    if settings["dataset"] not in CATALOGUE:
        return None
    columns = data.arrays(settings["dataset"], test_fraction=settings["test_fraction"]).test
    return columns.get("label")


def save_samples(
    model: Any,
    path: Path,
    num_samples: int,
    seed: int,
    temperature: float,
    conditions: Mapping[str, Any],
) -> None:
    """Writes samples from the prior: a picture, or for `.npy` the numbers `[N, ...]`."""
    options = {
        "seed": seed,
        "temperature": temperature,
        "verbose": int(num_samples > SAMPLES_AT_ONCE),
        **conditions,
    }
    with replacing(path) as beside:
        if path.suffix == ".npy":
            np.save(beside, model.sample(num_samples, **options).numpy())
        else:
            pictures.prior_samples(model, num_samples, save=beside, **options)
