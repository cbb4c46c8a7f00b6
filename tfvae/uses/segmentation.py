"""Several plausible masks of an image, by a conditional model of masks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import MOST_DRAWS, int32, positive_int
from tfvae.errors import UserError
from tfvae.evaluation.estimates import refuse_nan
from tfvae.heads.likelihoods.independent_bernoulli import IndependentBernoulli
from tfvae.models.capabilities import Batch, Decodes, Generates, require
from tfvae.models.conditions import checked_conditions
from tfvae.noise import Noise, example_seeds
from tfvae.training.programs import compiled


def segment(
    model: Any,
    images: Any,
    num_samples: int = 16,
    seed: int = 0,
    *,
    probabilities: bool = False,
    batch_size: int = 32,
) -> np.ndarray:
    """Draws masks of images: z ~ p(z|image), and of it the likelier value of every pixel.

        mask_s = [p(x = 1|z_s, image) >= 1/2],   z_s ~ p(z|image)

    Pixels of one mask are so of one opinion. Random, a function of the seed and of the image's
    place; the first masks do not depend on how many are drawn. A `networks.UNet` runs once for all
    masks of an image.

    Args:
        model: A built `ConditionalVAE` of bits x, the mask, given images.
        images: `[N, H, W, C]`, the model's one condition; or a dict of all conditions by name.
        num_samples: S, at least 1.
        seed: Any int32.
        probabilities: Whether p(x = 1|z, image) are returned, and not masks.
        batch_size: Images a compiled step works on, at least 1.

    Returns:
        `[S, N, *event]`, booleans, or float32 probabilities.

    Raises:
        UserError: for a model without conditions or whose x are no bits, conditions that the model
            would refuse, or an argument out of range.
        FloatingPointError: if a probability is not a number.

    Example:
        >>> import tfvae
        >>> from tfvae import heads, networks
        >>> model = tfvae.ConditionalVAE(
        ...     tfvae.Encoder(networks.Conv([4]), heads.MultivariateNormalDiag(2)),
        ...     tfvae.Decoder(networks.UNet([4, 8]), heads.IndependentBernoulli((16, 16, 1))),
        ...     conditions={"image": tfvae.Field((16, 16, 1))},
        ... )
        >>> model.build(model.input_shapes())
        >>> images = tfvae.data.arrays("segmented_digits").test["image"][:3] / 255
        >>> segment(model, images, num_samples=5).shape
        (5, 3, 16, 16, 1)

    References:
        S. Kohl et al., 2018, "A Probabilistic U-Net for Segmentation of Ambiguous Images",
        arXiv:1806.05034, section 2 (sampling).
    """
    require(model, "segment()", Generates, Decodes)
    wanted, decoder = model.conditions(), getattr(model, "decoder", None)
    bits = isinstance(getattr(decoder, "head", None), IndependentBernoulli)
    if not wanted or not bits:
        raise UserError(
            "segment() is for a tfvae.ConditionalVAE of masks, with heads.IndependentBernoulli and "
            f"an image as condition; received a {type(model).__name__} "
            f"{'of x that are no bits' if wanted else 'without conditions'}."
        )
    positive_int("num_samples", num_samples, maximum=MOST_DRAWS)
    positive_int("batch_size", batch_size)
    given = images if isinstance(images, Mapping) else {next(iter(wanted)): images}
    count = _number_of_images(given)
    conditions = checked_conditions(given, wanted, count, type(model).__name__, "segment()")
    run, found = compiled(model, _probabilities), []
    size = min(batch_size, count)
    for first in range(0, count, size):
        # The last rows twice rather than a program for a smaller batch.
        places = np.minimum(np.arange(first, first + size), count - 1)
        batch = {name: tf.gather(values, places) for name, values in conditions.items()}
        scalars = (tf.constant(n, tf.int32) for n in (first, int32("seed", seed)))
        drawn = run(batch, *scalars, num_samples).numpy()[:, : count - first]
        refuse_nan(drawn)
        found.append(drawn if probabilities else drawn >= 0.5)
    return np.concatenate(found, axis=1)


def _number_of_images(given: Mapping[str, Any]) -> int:
    """How many images there are, of the first condition that has rows."""
    shapes = {name: np.shape(values) for name, values in given.items()}
    images = [shape for shape in shapes.values() if len(shape) == 4]
    if not images or not images[0][0]:
        raise UserError(
            f"segment() received shapes {shapes}; expected images (N, H, W, C), N at least 1. One "
            "image needs an axis in front, image[None]; grey images one behind, images[..., None]."
        )
    return images[0][0]


def _probabilities(
    model: Any, conditions: Batch, first: tf.Tensor, seed: tf.Tensor, num_samples: int
) -> tf.Tensor:
    """p(x = 1|z, c) of S draws of z at each of B images, `[S, B, *event]`."""
    rows = next(iter(conditions.values())).shape[0]
    # By row as served samples are, so that a request with these seeds draws the same.
    noise = Noise(example_seeds(seed, first, rows), row=tf.range(num_samples)[:, tf.newaxis])
    return model.decode(model.generate(noise, conditions), conditions)
