"""Larger images that a small one may be of."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfvae.checks import MOST_DRAWS, int32, positive_int
from tfvae.data.fields import Field, example_size
from tfvae.data.low_resolution import block_means
from tfvae.data.validate import check_array
from tfvae.errors import UserError, UserRuntimeError
from tfvae.evaluation.estimates import refuse_nan
from tfvae.evaluation.importance import NUMBERS_AT_ONCE
from tfvae.models.capabilities import Decodes, Generates, require
from tfvae.noise import Noise
from tfvae.training.programs import compiled


class SuperResolution(NamedTuple):
    """Images that small ones may be of.

    Attributes:
        samples: E[x|z_s, low] with z_s ~ p(z|low), float32 `[N, S, H, W, C]`.
        mean: Their mean, the estimate of least squared error, `[N, H, W, C]`.
        spread: Their standard deviation, `[N, H, W, C]`: where the model does not know.
        consistency: The root mean squared difference of each sample, made small again, from what
            was given, `[N, S]`, in units of pixels: 0 where it agrees in every block.
    """

    samples: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    consistency: np.ndarray


def super_resolve(model: Any, low: Any, num_samples: int = 16, seed: int = 0) -> SuperResolution:
    """Draws larger images, given small ones.

        x_s = E[x|z_s, low],   z_s ~ p(z|low),   s = 1 .. S

    One small image may be of many large ones: the samples are several of them, the mean has the
    least squared error and is as blurred as they differ. Nothing forces a sample to agree with what
    was given; `consistency` says how far it does.

    Random, a function of the seed: sample s of an image is a function of the image, the seed and s
    alone, and is what `decoder/sample` of an exported model returns.

    Args:
        model: A built model of images whose one condition is the small image, such as
            `tfvae train digits-super-resolution` makes.
        low: Small images `[N, h, w, C]` in [0, 1]: means of blocks, as `data.load(...,
            low_resolution=2)` makes them.
        num_samples: S, at least 1. Default 16.
        seed: Any int32.

    Raises:
        UserError: for a model that does not draw images given a smaller one, low of another shape
            or out of [0, 1], or an argument out of range.
        UserTypeError: for low that is no array of reals.
        UserRuntimeError: for a model that is not built.
        FloatingPointError: if a value is not a number.

    Example:
        >>> import tfvae
        >>> settings = {"latent_size": 2, "network.units": (8,)}
        >>> model = tfvae.presets.model("digits-super-resolution", **settings)
        >>> found = super_resolve(model, np.full((5, 4, 4, 1), 0.5, "float32"), num_samples=3)
        >>> found.samples.shape, found.consistency.shape
        ((5, 3, 8, 8, 1), (5, 3))

    References:
        K. Sohn, H. Lee and X. Yan, 2015, "Learning Structured Output Representation using Deep
        Conditional Generative Models", NeurIPS 28, section 3, for samples given an image.
    """
    name, field, factor = small_condition(model)
    positive_int("num_samples", num_samples, maximum=MOST_DRAWS)
    seed_word = tf.constant(int32("seed", seed), tf.int32)
    if not model.built:
        raise UserRuntimeError("The model is not built. Train or load it first.")
    low = np.asarray(low)
    check_array(low, field, name)
    low = low.astype(np.float32)
    draw, parts = compiled(model, _drawn, xla=False), []  # one program for every num_samples
    at_once = max(1, NUMBERS_AT_ONCE // (num_samples * example_size(model.fields())))
    at_once, count = min(at_once, len(low)), tf.constant(num_samples)
    for first in range(0, len(low), at_once):
        chosen = low[first : first + at_once]
        filled = np.concatenate([chosen, np.repeat(chosen[-1:], at_once - len(chosen), axis=0)])
        made = draw({name: tf.constant(filled)}, seed_word, count, factor)
        parts.append([part.numpy()[: len(chosen)] for part in made])
    found = SuperResolution(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    refuse_nan(found.samples)
    return found


def small_condition(model: Any) -> tuple[str, Field, int]:
    """Returns the condition that is a smaller image of x: its name, its field, and the factor.

    Raises:
        UserError: for a model that does not draw images given one.
    """
    require(model, "super_resolve()", Generates, Decodes)
    conditions, shape = model.conditions(), next(iter(model.fields().values())).shape
    if len(conditions) == 1 and len(shape) == 3:
        name, field = next(iter(conditions.items()))
        if len(field.shape) == 3 and field.shape[2] == shape[2]:
            factor = shape[0] // field.shape[0]
            sizes = (factor * field.shape[0], factor * field.shape[1], shape[2])
            if factor > 1 and sizes == shape:
                return name, field, factor
    found = ", ".join(f"{name} {field.shape}" for name, field in conditions.items())
    raise UserError(
        "super_resolve() takes a model of images whose one condition is a smaller image, such as "
        f"`tfvae train digits-super-resolution` makes; received a {type(model).__name__} of x "
        f"{shape} given {found or 'nothing'}."
    )


def _drawn(
    model: Any, given: dict[str, tf.Tensor], seed: tf.Tensor, num_samples: tf.Tensor, factor: int
) -> SuperResolution:
    """What a batch of small images may be of."""
    low = next(iter(given.values()))
    number = tf.range(num_samples)[:, tf.newaxis] + tf.zeros([tf.shape(low)[0]], tf.int32)
    x = model.decode(model.generate(Noise(seed, row=number), given), given)  # [S, B, H, W, C]
    mean = tf.reduce_mean(x, axis=0)
    spread = tf.sqrt(tf.reduce_mean(tf.square(x - mean), axis=0))
    errors = tf.reduce_mean(tf.square(block_means(x, factor) - low), axis=[2, 3, 4])
    samples = tf.transpose(x, [1, 0, 2, 3, 4])
    return SuperResolution(samples, mean, spread, tf.transpose(tf.sqrt(errors)))
