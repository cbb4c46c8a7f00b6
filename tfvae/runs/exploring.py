"""What a run's codes hold: pictures of attributes, ways between codes, and nearest examples."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tfvae.errors import UserError
from tfvae.models.capabilities import Emits, Generates, can, require
from tfvae.noise import EMISSION, Noise
from tfvae.runs.datasets import load_data
from tfvae.runs.drawing import held_out_labels, write_drawings
from tfvae.runs.restoration import examples_by_field
from tfvae.settings.settings import Settings
from tfvae.uses.attributes import find_attribute
from tfvae.uses.latent_pictures import (
    analogy_pictures,
    attribute_changes,
    class_traversals,
    nearest_pictures,
    path_pictures,
)
from tfvae.uses.neighbours import data_copying

_SHOWN = 8  # images of a picture
_DIRECTIONS = {"means": "the class means", "classifier": "a linear classifier"}
_COPIES = 500  # samples that are held against the training images


def explore(
    model: Any,
    settings: Settings,
    folder: Path,
    classes: tuple[int, int] | None = None,
    direction: Literal["means", "classifier"] = "means",
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> list[Path]:
    """Draws what a run's codes hold into a folder, and returns the pictures' paths.

    Args:
        model: Of the run, of images.
        settings: Of the run.
        folder: Made if missing.
        classes: The labels that an attribute leads between; None for the first two.
        direction: How the attribute's is found; see `uses.find_attribute`.
        seed: Of the samples.
        report: Called with lines for people.

    Raises:
        UserError: for a model of other data than images, or classes that the data have not.
    """
    x = next(iter(model.fields().values()))
    if len(x.shape) != 3:
        raise UserError(
            f"tfvae explore draws images [H, W, C], and x of this run has shape {x.shape}. "
            "tfvae.uses.find_attribute, code_paths and data_copying take any model of one vector."
        )
    require(model, "tfvae explore", Generates)
    train, test = load_data(settings, model)
    drawings: dict[str, Callable[[Path], Any]] = {}
    if model.conditions():
        drawings["class_traversals"] = lambda path: class_traversals(model, seed=seed, save=path)
    else:
        images = examples_by_field(test)["x"]
        drawings |= _of_classes(model, settings, images, classes, direction, report)
        learned = examples_by_field(train)["x"]
        samples = _samples(model, min(_COPIES, len(images)), seed)
        copying = data_copying(samples, learned, images[:_COPIES])
        report(
            f"copying z {copying.z:+.1f}, far below 0 where samples copy: a sample is nearer to "
            "the training images than a held-out image is with a probability of "
            f"{copying.nearer:.2f}"
        )
        drawings["nearest"] = lambda path: nearest_pictures(
            samples[:_SHOWN], learned, count=2, save=path
        )
    return write_drawings(drawings, folder)


def _of_classes(
    model: Any,
    settings: Settings,
    images: np.ndarray,
    classes: tuple[int, int] | None,
    direction: Literal["means", "classifier"],
    report: Callable[[str], None],
) -> dict[str, Callable[[Path], Any]]:
    """Ways between two images; of known labels an attribute between classes, and analogies."""
    labels = held_out_labels(settings)
    if labels is None:
        if classes is not None:
            raise UserError(f"--classes: {settings['dataset']} has no labels that are known.")
        report("Note: the data have no labels that are known, so no attribute is drawn.")
        return {"paths": lambda path: path_pictures(model, images[0], images[-1], save=path)}
    known = [int(value) for value in np.unique(labels)]
    before, after = classes or (known[0], known[1])
    for value in (before, after):
        if value not in known:
            raise UserError(
                f"--classes: {value} is no label of the held-out images; expected two of "
                f"{', '.join(map(str, known))}."
            )
    if before == after:
        raise UserError(f"--classes: {before} twice; expected two different labels.")
    chosen = np.isin(labels, (before, after))
    attribute = find_attribute(model, images[chosen], labels[chosen] == after, direction)
    shown = images[labels == before][:_SHOWN]
    ends = shown[0], images[labels == after][0]
    report(
        f"attribute from label {before} to label {after}, by {_DIRECTIONS[direction]} of "
        f"{int(chosen.sum())} images"
    )
    return {
        "attribute": lambda path: attribute_changes(model, shown, attribute, save=path),
        "analogies": lambda path: analogy_pictures(
            model, *_analogous(images[labels == before], images[labels == after]), save=path
        ),
        "paths": lambda path: path_pictures(model, *ends, save=path),
    }


def _analogous(
    without: np.ndarray, having: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images of one class, as many of another, and further ones of the first, if there are."""
    count = max(1, min(_SHOWN, len(without) // 2, len(having)))
    return without[:count], having[:count], without[-count:]


def _samples(model: Any, count: int, seed: int) -> np.ndarray:
    """Samples as the data are: x ~ p(x|z), or E[x|z] of a model that can't draw x."""
    noise = Noise(seed, row=np.arange(count, dtype=np.int32))
    z = model.generate(noise, {})
    if not can(model, Emits):
        return model.decode(z, {}).numpy()
    return np.asarray(model.emit(noise.part(EMISSION), z, {}), np.float32)
