"""The pictures of a run, by what its model and data have to show."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfvae import data
from tfvae.data.catalogue import CATALOGUE
from tfvae.evaluation import pictures
from tfvae.models import VAE
from tfvae.runs.config import Config
from tfvae.runs.files import cannot_write, replacing

POINTS = 2000  # held-out images in the scatter plot
PAIRS = 8  # interpolations


def draw(
    vae: VAE, config: Config, test: tf.data.Dataset, rows: list[dict[str, float]], folder: Path
) -> list[Path]:
    """Draws all pictures that suit the model into the folder, and returns their paths.

    Args:
        vae: The trained model.
        config: The run's settings.
        test: Its held-out images.
        rows: Its history.
        folder: Made if missing.
    """
    images = first_images(test, POINTS)
    history = {name: [row[name] for row in rows] for name in rows[0] if name != "epoch"}
    half = min(PAIRS, len(images) // 2)
    drawings: dict[str, Callable[[Path], Any]] = {
        "reconstructions": lambda path: pictures.reconstructions(vae, images[:40], save=path),
        "samples": lambda path: pictures.prior_samples(vae, 64, save=path),
        "latent_scatter": lambda path: pictures.latent_scatter(
            vae, images, _labels(config, len(images)), save=path
        ),
        "training_curves": lambda path: pictures.training_curves(history, save=path),
    }
    if vae.latent_size == 2 and config.model.prior == "standard_normal":
        drawings["manifold"] = lambda path: pictures.latent_manifold(vae, save=path)
    elif len(images) > 1:
        drawings["traversals"] = lambda path: pictures.traversals(vae, images, save=path)
        drawings["interpolations"] = lambda path: pictures.interpolations(
            vae, images[:half], images[half : 2 * half], save=path
        )
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    paths = []
    for name, drawing in drawings.items():
        paths.append(folder / f"{name}.png")
        with replacing(paths[-1]) as beside:
            drawing(beside)
    return paths


def first_images(images: tf.data.Dataset, count: int) -> np.ndarray:
    """The first so many images of a data set of batches, or all there are."""
    batches, found = [], 0
    for batch in images.as_numpy_iterator():
        batches.append(batch)
        found += len(batch)
        if found >= count:
            break
    return np.concatenate(batches)[:count]


def _labels(config: Config, count: int) -> np.ndarray | None:
    """Labels of the held-out images, of data sets that are known by name."""
    if config.data.dataset not in CATALOGUE:
        return None
    columns = data.arrays(config.data.dataset, test_fraction=config.data.test_fraction).test
    return columns["label"][:count] if "label" in columns else None


def save_samples(vae: VAE, path: Path, num_samples: int, seed: int, temperature: float) -> None:
    """Writes samples from the prior: a picture, or for `.npy` the images `[N, H, W, C]`."""
    with replacing(path) as beside:
        if path.suffix == ".npy":
            np.save(beside, vae.sample(num_samples, seed=seed, temperature=temperature).numpy())
        else:
            pictures.prior_samples(vae, num_samples, seed, temperature, save=beside)
