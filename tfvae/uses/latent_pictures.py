"""Pictures of attributes, ways between codes, and what samples are nearest to.

Each function returns a matplotlib figure, which a notebook shows, and writes it to `save` if that
is given.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import positive_int, real
from tfvae.errors import UserError
from tfvae.evaluation.canvas import Picture, show
from tfvae.evaluation.latents import latent_codes
from tfvae.evaluation.pictures import Path, class_condition
from tfvae.models.capabilities import Decodes, Generates, require
from tfvae.models.codes import vector_size
from tfvae.noise import Noise
from tfvae.uses.attributes import Attribute, analogies, with_attribute
from tfvae.uses.decoding import means_of
from tfvae.uses.neighbours import nearest_examples
from tfvae.uses.paths import PATH_KINDS, PathKind, code_paths, path_lengths

_FINE = 8  # pieces of a step of a way whose length is measured


def attribute_changes(
    model: Any,
    images: Any,
    attribute: Attribute,
    strengths: Sequence[float] = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5),
    save: Path = None,
) -> Picture:
    """Draws images, and beside each what it becomes with so much of an attribute.

    Args:
        model: The one that the attribute was found in, of images.
        images: `[N, H, W, C]`, a row each.
        attribute: What `find_attribute` found.
        strengths: See `with_attribute`; 0 is the reconstruction.
        save: Where to write the figure.
    """
    given = _checked_images("attribute_changes()", images)
    changed = with_attribute(model, given, attribute, strengths)
    rows = np.concatenate([given[np.newaxis], changed])
    sheet = np.moveaxis(rows, 0, 1).reshape(-1, *given.shape[1:])
    figure, axes = show(sheet, len(rows), "Original, and with an attribute")
    axes.set_xlabel("original, " + ", ".join(f"{s:+g}" for s in strengths), fontsize=8)
    return figure.finish(save)


def analogy_pictures(model: Any, start: Any, end: Any, other: Any, save: Path = None) -> Picture:
    """Draws what is to other images as some are to others, a column for each analogy.

    Args:
        model: A built model of images that encodes to one vector of real numbers, and decodes.
        start, end, other: Images `[N, H, W, C]` each; see `analogies`.
        save: Where to write the figure.
    """
    given = [_checked_images("analogy_pictures()", part) for part in (start, end, other)]
    made = analogies(model, *given)
    names = ["start", "end", "other", "other + end - start"]
    sheet = np.concatenate([*given, made])
    return show(sheet, len(made), "Analogies", names)[0].finish(save)


def path_pictures(
    model: Any,
    start: Any,
    end: Any,
    steps: int = 9,
    kinds: Sequence[PathKind] = PATH_KINDS,
    save: Path = None,
) -> Picture:
    """Draws ways from one image's code to another's, a row each, with their lengths.

    Args:
        model: A built model of images that encodes to one vector, and decodes.
        start, end: Images `[1, H, W, C]` or `[H, W, C]`.
        steps: Images of each way, at least 2.
        kinds: Some of "straight", "slerp", "geodesic"; see `code_paths`. Lengths are in units of x
            along the curve, measured at eight times as many points.
        save: Where to write the figure.
    """
    steps = positive_int("steps", steps, minimum=2)
    ends = [_checked_images("path_pictures()", np.asarray(part)) for part in (start, end)]
    codes = [latent_codes(model, part[:1]) for part in ends]
    rows, names = [], []
    for kind in kinds:
        fine = code_paths(model, codes[0], codes[1], (steps - 1) * _FINE + 1, kind)
        rows.append(means_of(model, fine[0, ::_FINE], steps))
        names.append(f"{kind}, {path_lengths(model, fine)[0]:.2f}")
    return show(np.concatenate(rows), steps, "Ways, with their lengths", names)[0].finish(save)


def nearest_pictures(samples: Any, data: Any, count: int = 1, save: Path = None) -> Picture:
    """Draws samples and, under each, the examples that are nearest to it.

    Args:
        samples: `[N, H, W, C]`.
        data: See `nearest_examples`.
        count: How many of each.
        save: Where to write the figure.
    """
    images = _checked_images("nearest_pictures()", samples)
    found = nearest_examples(images, data, count)
    rows = np.concatenate([images[np.newaxis], np.moveaxis(found.examples, 1, 0)])
    names = ["sample", *(["nearest"] if count == 1 else [f"nearest {k + 1}" for k in range(count)])]
    sheet = rows.reshape(-1, *images.shape[1:])
    return show(sheet, len(images), "Samples and nearest examples", names)[0].finish(save)


def class_traversals(
    model: Any,
    dimension: int = 0,
    steps: int = 9,
    span: float = 3.0,
    seed: int = 0,
    save: Path = None,
) -> Picture:
    """Draws what one latent dimension does in each class, a row for each, of a conditional model.

    All rows start from one draw of z, of which the dimension goes from -span to span: what a row
    changes as another does is what the dimension holds beside the class.

    Args:
        model: A built model whose one condition is a label and whose z is one vector.
        dimension: Of z, from 0.
        steps: Images in a row, at least 2.
        span: In units of z, above 0.
        seed: Of the draw.
        save: Where to write the figure.

    Raises:
        UserError: for other models, or a dimension that z does not have.
    """
    require(model, "class_traversals()", Generates, Decodes)
    condition, size = class_condition(model), vector_size(model)
    if condition is None or size is None:
        raise UserError(
            "class_traversals() draws a model whose one condition is a label and whose z is one "
            f"vector, and {type(model).__name__} is another."
        )
    dimension = positive_int("dimension", dimension, minimum=0)
    if dimension >= size:
        raise UserError(f"dimension is {dimension}; the model's z has 0 to {size - 1}.")
    steps, span = positive_int("steps", steps, minimum=2), real("span", span, above=0.0)
    name, classes = condition
    given = {name: tf.repeat(tf.constant(classes, tf.int32), steps)}
    noise = Noise(seed, row=tf.zeros([len(classes) * steps], tf.int32))
    z = np.array(model.generate(noise, given))
    z[:, dimension] = np.tile(np.linspace(-span, span, steps), len(classes))
    images = model.decode(tf.constant(z), given).numpy()
    _checked_images("class_traversals()", images)
    names = [f"{name} {value}" for value in classes]
    figure, axes = show(images, steps, f"$z_{{{dimension}}}$ in each class", names)
    axes.set_xlabel(f"from {-span:g} to {span:g}", fontsize=8)
    return figure.finish(save)


def _checked_images(what: str, images: Any) -> np.ndarray:
    found = np.asarray(images, np.float32)
    if found.ndim == 3 and what == "path_pictures()":
        found = found[np.newaxis]
    if found.ndim != 4 or not len(found):
        raise UserError(f"{what} draws images [N, H, W, C]; received shape {found.shape}.")
    return found
