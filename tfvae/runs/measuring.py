"""The numbers of a trained model on held-out images."""

import math
import sys
from typing import Any

import numpy as np
import tensorflow as tf
from pydantic import PositiveInt

from tfvae import evaluation
from tfvae.models import VAE
from tfvae.runs.drawing import first_images

ELBO_SAMPLES = 10  # draws of z an image: the noise of the mean is then below its third decimal


def measure(
    vae: VAE,
    images: tf.data.Dataset,
    eval_samples: PositiveInt = 5000,
    eval_images: PositiveInt | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """The bound, its parts and the importance-weighted likelihood, in nats an image.

    Args:
        vae: A built model.
        images: Batches of held-out images, binarised once.
        eval_samples: Draws of z for each image in the importance-weighted likelihood.
        eval_images: Only so many of the held-out images, the first; None for all.
        seed: Of the draws.
    """
    data = images if eval_images is None else first_images(images, eval_images)
    bound = evaluation.elbo(vae, data, num_samples=ELBO_SAMPLES, seed=seed)
    likelihood = evaluation.log_likelihood(
        vae, data, num_samples=eval_samples, seed=seed, verbose=int(sys.stdout.isatty())
    )
    error = likelihood.standard_error
    return {
        "log_likelihood": likelihood.mean,
        "standard_error": error if math.isfinite(error) else None,  # of a single image
        "effective_sample_size": likelihood.mean_effective_sample_size,
        "elbo": bound.mean,
        "nll": float(np.mean(bound.nll)),
        "kl": float(np.mean(bound.kl)),
        "num_samples": eval_samples,
        "num_images": len(likelihood.per_example),
        "seed": seed,
    }


def table(test: dict[str, Any]) -> list[str]:
    """The numbers for people to read."""
    error = test["standard_error"]
    spread = "" if error is None else f" +- {error:.2f}"
    return [
        f"log p(x)  {test['log_likelihood']:.2f}{spread} nats an image, {test['num_images']} "
        f"held-out images, {test['num_samples']} importance samples each "
        f"(effective {test['effective_sample_size']:.0f})",
        f"ELBO      {test['elbo']:.2f} = -(nll {test['nll']:.2f} + kl {test['kl']:.2f})",
    ]
