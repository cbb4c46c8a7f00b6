"""What each level of a hierarchy holds: its nats, its active dimensions, and a picture."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae.checks import int32, positive_int
from tfvae.errors import UserError
from tfvae.evaluation.batches import BATCH_SIZE, PaddedBatch
from tfvae.evaluation.canvas import Picture, show
from tfvae.evaluation.collecting import collected
from tfvae.evaluation.latents import ActiveUnits, latent_codes
from tfvae.evaluation.pictures import Path, image_examples
from tfvae.inference.levels import LevelsProposal
from tfvae.models.capabilities import Batch, Continues, Decodes, Encodes, Scores, require
from tfvae.models.codes import zero_example
from tfvae.noise import Noise, example_noise, example_seeds
from tfvae.training.programs import compiled


@dataclass(frozen=True)
class LevelUse:
    """What a level adds.

    Attributes:
        kl: Of q of this level to its prior, both given the levels above: the mean over examples
            and draws, nats.
        active_units: The dimensions whose point estimate moves with x. Below the top it also
            follows the levels above: whether a level is used its nats say.
    """

    kl: float
    active_units: ActiveUnits


def has_levels(model: Any) -> bool:
    """Whether z is a dict of levels, each with a KL to its prior given those above."""
    return isinstance(model, Scores) and isinstance(
        model.infer(zero_example(model)).proposal, LevelsProposal
    )


def level_use(
    model: Any,
    data: Any,
    num_samples: int = 10,
    threshold: float = 0.01,
    seed: int = 0,
    *,
    batch_size: int = BATCH_SIZE,
    verbose: int = 0,
) -> dict[str, LevelUse]:
    """Splits the KL over the levels of a hierarchy, and counts the dimensions each uses.

    Random: `num_samples` draws of each example, a function of the seed and of the example's place.

    Args:
        model: A built model of levels, such as `tfvae.LadderVAE`.
        data: What `fit` takes, at least two examples.
        num_samples: S, at least 1.
        threshold: Of the variance of an active dimension; see `active_units`.
        seed: Any int32.
        batch_size: Examples of one compiled step.
        verbose: 1 shows a progress bar.

    Returns:
        Level -> its use, `z1`, next to x, first. The KLs add up to the KL of the model.

    Raises:
        UserError: for a model of one level, or a single example.

    References:
        C. K. Sonderby et al., 2016, arXiv:1602.02282, section 3.2 and figure 4.
    """
    require(model, "level_use()", Scores, Encodes)
    positive_int("num_samples", num_samples)
    int32("seed", seed)
    if not has_levels(model):
        raise UserError(
            f"level_use() is for models of several levels, such as tfvae.LadderVAE; the z of "
            f"{type(model).__name__} has none. See rate_and_distortion() and active_units()."
        )
    run = compiled(model, _level_kl, xla=False)

    def nats(batch: PaddedBatch) -> Any:
        first = tf.constant(batch.first, tf.int32)
        return run(batch.tensors(), first, tf.constant(seed, tf.int32), num_samples)

    kl = collected(model, data, nats, batch_size, verbose)
    codes = latent_codes(model, data, batch_size=batch_size)
    if len(next(iter(codes.values()))) < 2:
        raise UserError("level_use() needs at least 2 examples, received 1.")
    return {
        name: LevelUse(
            float(np.mean(values, dtype=np.float64)),
            ActiveUnits(np.var(codes[name], axis=0, ddof=1), threshold),
        )
        for name, values in kl.items()
    }


def _level_kl(
    model: Any, batch: Batch, first: tf.Tensor, seed: tf.Tensor, num_samples: int
) -> dict[str, tf.Tensor]:
    count = next(iter(batch.values())).shape[0]
    noise = example_noise(example_seeds(seed, first, count), 0, num_samples)
    proposal = model.infer(batch).proposal
    z = proposal.draw(noise).z
    return {name: tf.reduce_mean(kl, axis=0) for name, kl in proposal.level_kl(z).items()}


def levels_held(model: Any, images: Any, seed: int = 0, save: Path = None) -> Picture:
    """Draws images with fewer and fewer of their levels held, the others drawn from the prior.

    The first row are the images, the second their reconstructions; in each further row one more
    level, from the bottom up, is drawn anew given those above it, and the last is samples. What
    stays the same from a row to the next is what the levels above hold. Random by `seed`.

    Args:
        model: A built hierarchy, such as `tfvae.LadderVAE`.
        images: `[N, H, W, C]`, a column each.
        seed: Any int32.
        save: Where to write the figure.

    Raises:
        UserError: for a model of one level, or of no images.

    References:
        A. Vahdat and J. Kautz, 2020, "NVAE", arXiv:2007.03898, figure 4: levels that are fixed.
    """
    require(model, "levels_held()", Encodes, Decodes, Continues)
    examples = image_examples(model, "levels_held()", images)
    x = next(iter(examples.values()))
    codes = model.encode({name: tf.constant(value) for name, value in examples.items()})
    names, rows, titles = list(codes), [x, model.decode(codes, {}).numpy()], ["image", "all held"]
    noise = Noise(int32("seed", seed), row=tf.range(len(x)))
    for number in range(1, len(names) + 1):
        held = {name: codes[name] for name in names[number:]}
        rows.append(model.decode(model.continued(held, noise), {}).numpy())
        titles.append(f"{_range(names[number:])} held" if held else "none held")
    sheet = np.concatenate(rows)
    return show(sheet, len(x), "Levels held, the others drawn from the prior", titles)[0].finish(
        save
    )


def _range(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 3 else f"{names[0]} to {names[-1]}"
