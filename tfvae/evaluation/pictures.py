"""Pictures of what a model makes: reconstructions, samples, and walks through its latent space.

Each function returns a matplotlib figure, which a notebook shows, and writes it to `save` if that
is given. Images are the likelihood's means, not draws of pixels.
"""

import os
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import positive_int, real
from tfvae.data.naming import by_name
from tfvae.errors import UserError
from tfvae.evaluation.canvas import Picture, show
from tfvae.evaluation.charts import latent_scatter, training_curves
from tfvae.evaluation.image_rows import image_rows
from tfvae.evaluation.latents import active_units, latent_codes
from tfvae.models.capabilities import Decodes, Encodes, Generates, Quantiles, require
from tfvae.models.codes import code_draws, from_draws, vector_size
from tfvae.noise import Noise
from tfvae.training.inputs import checked_inputs

__all__ = [
    "image_rows",
    "interpolations",
    "latent_manifold",
    "latent_scatter",
    "prior_samples",
    "reconstructions",
    "samples_by_class",
    "training_curves",
    "traversals",
]

Path = str | os.PathLike | None


def reconstructions(model: Any, images: Any, columns: int = 10, save: Path = None) -> Picture:
    """Draws images and, under each, its reconstruction at the posterior mean. Deterministic.

    Args:
        model: A built model that encodes and decodes.
        images: `[N, H, W, C]`, or a dict of the model's fields; all are shown.
        columns: Images in a row.
        save: Where to write the figure.
    """
    examples = image_examples(model, "reconstructions()", images)
    images = next(iter(examples.values()))
    columns = min(positive_int("columns", columns), len(images))
    rebuilt = model.reconstruct(examples).numpy()
    blank = np.ones((-len(images) % columns, *images.shape[1:]), np.float32)
    pairs = [np.concatenate([part, blank]) for part in (images, rebuilt)]
    rows = [part.reshape(-1, columns, *images.shape[1:]) for part in pairs]
    sheet = np.stack(rows, axis=1).reshape(-1, *images.shape[1:])
    names = ["original", "reconstruction"] * len(rows[0])
    title = f"Originals and reconstructions{_of_means(model)}"
    return show(sheet, columns, title, names)[0].finish(save)


def prior_samples(
    model: Any,
    num_samples: int = 64,
    seed: int = 0,
    temperature: float = 1.0,
    columns: int = 8,
    save: Path = None,
    **conditions: Any,
) -> Picture:
    """Draws mean images of codes from the prior; see `VAE.sample`. Random by `seed`."""
    images = model.sample(num_samples, seed=seed, temperature=temperature, **conditions).numpy()
    if images.ndim != 4:
        raise UserError(
            f"prior_samples() draws images [N, H, W, C]; the samples have shape {images.shape}. "
            "Take model.sample(), and plot them as they are to be read."
        )
    at = "" if temperature == 1.0 else f" at temperature {temperature:g}"
    columns = min(positive_int("columns", columns), num_samples)
    return show(images, columns, f"Samples from the prior{at}")[0].finish(save)


def samples_by_class(
    model: Any, rows: int = 6, seed: int = 0, temperature: float = 1.0, save: Path = None
) -> Picture:
    """Draws mean images given a label, a column for each class. Random by `seed`.

    A row has the noise of one draw: where p(z) does not depend on the label, its codes are equal,
    and what stays the same along it is what the code holds beside the class.

    Args:
        model: A built model whose one condition is a label.
        rows: Draws, at least 1.
        seed: Of the draws.
        temperature: See `sample`.
        save: Where to write the figure.

    Raises:
        UserError: for other conditions.
    """
    require(model, "samples_by_class()", Generates, Decodes)
    found = class_condition(model)
    if found is None:
        raise UserError(
            "samples_by_class() draws a model whose one condition is a label, and that of "
            f"{type(model).__name__} is {', '.join(model.conditions()) or 'none'}. Take "
            "prior_samples(model, condition=...)."
        )
    name, classes = found
    rows = positive_int("rows", rows)
    given = {name: tf.tile(tf.constant(classes, tf.int32), [rows])}
    noise = Noise(seed, row=tf.repeat(tf.range(rows), len(classes)), temperature=temperature)
    images = model.decode(model.generate(noise, given), given).numpy()
    if images.ndim != 4:
        raise UserError(
            f"samples_by_class() draws images [N, H, W, C]; the samples have shape {images.shape}."
        )
    title = f"Samples given {name}, from {classes[0]} to {classes[-1]}"
    return show(images, len(classes), title)[0].finish(save)


def class_condition(model: Any) -> tuple[str, range] | None:
    """Returns name and classes of the one condition that a model has, if it is a label."""
    conditions = model.conditions()
    if len(conditions) != 1:
        return None
    name, field = next(iter(conditions.items()))
    if not field.classes or field.shape:
        return None
    return name, field.classes


def latent_manifold(model: Any, size: int = 20, save: Path = None) -> Picture:
    """Draws the images of a two-dimensional latent space, on a grid of equal prior mass.

        z_ij = (F_1^-1((j + 1/2) / size), F_2^-1((i + 1/2) / size)),  F_d the prior's CDF of z_d

    Deterministic. z_0 grows to the right, z_1 upwards.

    Args:
        model: A built model with two latent dimensions that its prior draws independently, such
            as `StandardNormal`.
        size: Images in a row and in a column, at least 2.
        save: Where to write the figure.

    Raises:
        UserError: for another number of latent dimensions, or dependent ones.

    References:
        D. P. Kingma and M. Welling, 2013, arXiv:1312.6114, appendix A, figure 4.
    """
    require(model, "latent_manifold()", Decodes, Quantiles)
    _one_vector(model, "latent_manifold()")
    if (dimensions := vector_size(model)) != 2:
        raise UserError(
            f"The manifold needs 2 latent dimensions, and the model has {dimensions}. Use "
            "traversals() or interpolations()."
        )
    size = positive_int("size", size, minimum=2)
    steps = ((np.arange(size) + 0.5) / size).astype(np.float32)
    right, up = np.meshgrid(steps, steps[::-1])
    grid = tf.constant(np.stack([right, up], axis=-1).reshape(-1, 2))
    z = model.prior_quantiles(grid, {}).numpy()
    figure, axes = show(_decode(model, z), size, "Latent manifold")
    low, high = z.min(axis=0), z.max(axis=0)
    axes.set_xlabel(f"$z_0$ from {low[0]:.1f} to {high[0]:.1f}", fontsize=8)
    axes.set_ylabel(f"$z_1$ from {low[1]:.1f} to {high[1]:.1f}", fontsize=8)
    return figure.finish(save)


def walks(model: Any) -> bool:
    """Whether a model has one latent vector and no conditions, so that there are lines to show."""
    return not model.conditions() and vector_size(model) is not None


def has_manifold(model: Any) -> bool:
    """Whether `latent_manifold` can draw a model."""
    if not isinstance(model, Quantiles) or not walks(model) or vector_size(model) != 2:
        return False
    try:
        model.prior_quantiles(tf.fill([1, 2], 0.5), {})
    except UserError:
        return False
    return True


def traversals(
    model: Any,
    images: Any,
    num_dimensions: int = 10,
    steps: int = 11,
    span: float = 3.0,
    save: Path = None,
) -> Picture:
    """Draws what single latent dimensions do to the first image, a row for each dimension.

    The dimensions shown are those whose posterior mean varies most over `images`; of a single
    image, nothing is known of that, and the first are shown. Each goes from -span to span, or as
    far as the prior has mass, while the others stay at the first image's posterior mean.
    Deterministic.

    Args:
        model: A built model that encodes and decodes.
        images: `[N, H, W, C]`; a few hundred give a reliable order.
        num_dimensions: Rows, at most the model's latent size.
        steps: Images in a row, at least 2.
        span: In units of z, above 0.
        save: Where to write the figure.
    """
    images = _images(model, "traversals()", images)
    steps, span = positive_int("steps", steps, minimum=2), real("span", span, above=0.0)
    num_dimensions = positive_int("num_dimensions", num_dimensions)
    code = latent_codes(model, images[:1])[0]
    if len(images) > 1:
        variances = active_units(model, images).variances
        chosen = np.argsort(-variances)[:num_dimensions]
        names = [f"$z_{{{i}}}$  var {variances[i]:.2f}" for i in chosen]
    else:
        chosen = np.arange(len(code))[:num_dimensions]
        names = [f"$z_{{{i}}}$" for i in chosen]
    codes = np.tile(code, (len(chosen), steps, 1))
    low, high = _ends(model, len(code), span)[:, chosen]
    for row, dimension in enumerate(chosen):
        codes[row, :, dimension] = np.linspace(low[row], high[row], steps)
    ranges = [f"{a:.3g} to {b:.3g}" for a, b in zip(low, high, strict=True)]
    alike = len(set(ranges)) == 1
    if not alike:
        names = [f"{name}\n{ends}" for name, ends in zip(names, ranges, strict=True)]
    figure, axes = show(_decode(model, codes), steps, f"Latent traversals{_of_means(model)}", names)
    axes.set_xlabel(f"from {ranges[0]}" if alike else "", fontsize=8)
    return figure.finish(save)


def interpolations(
    model: Any, starts: Any, ends: Any, steps: int = 9, save: Path = None
) -> Picture:
    """Draws straight lines between the posterior means of pairs of images. Deterministic.

        z_t = (1 - t) E[z|start] + t E[z|end],  t = 0 .. 1

    Args:
        model: A built model that encodes and decodes.
        starts: `[N, H, W, C]`, one row each; the row begins with the original.
        ends: As many; the row ends with the original.
        steps: Images between the originals, at least 2.
        save: Where to write the figure.
    """
    starts, ends = (_images(model, "interpolations()", part) for part in (starts, ends))
    if len(starts) != len(ends):
        raise UserError(f"starts has {len(starts)} images and ends {len(ends)}; expected as many.")
    steps = positive_int("steps", steps, minimum=2)
    first, last = latent_codes(model, starts)[:, None], latent_codes(model, ends)[:, None]
    t = np.linspace(0.0, 1.0, steps)[:, None]
    between = _decode(model, (1 - t) * first + t * last)
    between = between.reshape(len(starts), steps, *starts.shape[1:])
    rows = np.concatenate([starts[:, None], between, ends[:, None]], axis=1)
    title = f"Interpolations (originals at both ends){_of_means(model)}"
    return show(rows.reshape(-1, *starts.shape[1:]), steps + 2, title)[0].finish(save)


def image_examples(model: Any, what: str, data: Any) -> dict[str, np.ndarray]:
    """Returns fields of examples, checked, for a model of images that shows what it makes of them.

    Args:
        model: Encodes and decodes.
        what: What is asked for, for messages.
        data: Images, or a dict of the model's fields.

    Raises:
        UserError: for a model of something else than images, or data that `fit` would refuse.
    """
    require(model, what, Encodes, Decodes)
    fields = model.fields()
    name, field = next(iter(fields.items()))
    if len(field.shape) != 3:
        raise UserError(
            f"{what} draws images [H, W, C]; the model's {name} has shape {field.shape}. Decode "
            "codes and plot them as they are to be read."
        )
    given = data if isinstance(data, dict) else np.asarray(data)
    return by_name(checked_inputs(given, fields, "images"), fields, "images")


def _images(model: Any, what: str, data: Any) -> np.ndarray:
    """Images, checked, for a walk through one latent vector of a model that is given no more."""
    examples = image_examples(model, what, data)
    _one_vector(model, what)
    return next(iter(examples.values()))


def _one_vector(model: Any, what: str) -> None:
    if not walks(model):
        raise UserError(
            f"{what} walks in the one latent vector of a model without conditions, and "
            f"{type(model).__name__} is another."
        )


def _ends(model: Any, size: int, span: float) -> np.ndarray:
    """Where a walk along each coordinate begins and ends, `[2, D]`: where there are codes."""
    ends = np.stack([np.full(size, -span), np.full(size, span)])
    if not isinstance(model, Quantiles):
        return ends
    try:
        least, most = model.prior_quantiles(tf.constant([[0.0] * size, [1.0] * size]), {}).numpy()
    except UserError:  # coordinates that depend on each other have none
        return ends
    return np.clip(ends, least, most)


def _of_means(model: Any) -> str:
    """What a title adds where posterior means are from draws."""
    draws = code_draws(model)
    return f", means{from_draws(draws)}" if draws else ""


def _decode(model: Any, codes: np.ndarray) -> np.ndarray:
    z = tf.constant(codes.reshape(-1, codes.shape[-1]), tf.float32)
    return model.decode(z, {}).numpy()
