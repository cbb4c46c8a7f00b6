"""Runs rows of segmentation: masks are drawn of images, and held against the annotators'."""

import keras
import numpy as np
import tensorflow as tf

from tfvae import networks, presets, uses
from tfvae.data.sources.annotated_digits import STYLES
from tfvae.evaluation import generalised_energy_distance, matched_iou
from tfvae.reproduce.method_result import Measured
from tfvae.reproduce.methods import MethodRow
from tfvae.reproduce.segmentation_table import (
    ANNOTATORS,
    DROPOUT,
    GECO_VAE,
    MASKS_OF_EACH,
    RATE,
    VAE,
    SegmentationTask,
)
from tfvae.reproduce.trained import datasets_of, run_optimizer, trained_model
from tfvae.runs.restoration import examples_by_field
from tfvae.settings.settings import Settings

_BATCH = 128  # images of a prediction


def run_segmentation(row: MethodRow[SegmentationTask], seed: int) -> Measured:
    """How near a row's masks come to those of the annotators, with a seed."""
    geco = {"objective": "geco", "objective.target": row.task.target}
    changes = geco if row.method == GECO_VAE else {}
    settings = presets.get(row.task.preset, seed=seed, **changes)
    train, test = datasets_of(settings)
    held_out = examples_by_field(test, row.task.num_images * len(STYLES))
    images = held_out["image"][:: len(STYLES)]
    truth = np.moveaxis(held_out["x"].reshape(-1, len(STYLES), *images.shape[1:]), 1, 0)
    if row.method == ANNOTATORS:
        masks = _of_annotators(truth, seed)
    elif row.method in (VAE, GECO_VAE):
        masks = uses.segment(trained_model(settings), images, MASKS_OF_EACH, seed)
    else:
        network = pixelwise(
            settings, examples_by_field(train), RATE if row.method == DROPOUT else 0.0
        )
        masks = masks_of(network, images)
    measured = {"distance": generalised_energy_distance, "matched": matched_iou}
    return {row.method: {name: [float(np.mean(f(masks, truth)))] for name, f in measured.items()}}


def _of_annotators(truth: np.ndarray, seed: int) -> np.ndarray:
    """Masks of annotators that are drawn anew for each mask and image, `[S, N, ...]`."""
    styles = np.random.default_rng(seed).integers(len(truth), size=(MASKS_OF_EACH, truth.shape[1]))
    return truth[styles, np.arange(truth.shape[1])]


class PixelwiseUNet(keras.Model):
    """A U-Net with a logit for each pixel, which has no code: Ronneberger et al. 2015.

    Args:
        unet: As its scales, activation and convolutions are; its weights stay its own.
        rate: Of dropout before each scale but the finest, down and up.
        seed: Of dropout.
    """

    def __init__(self, unet: networks.UNet, rate: float, seed: int):
        super().__init__()
        self.unet = networks.UNet.from_config(unet.get_config())
        self.unet.pool = _with_dropout(self.unet.pool, rate, seed)
        self.unet.enlarge = _with_dropout(self.unet.enlarge, rate, seed + 1)
        self.logits = keras.layers.Conv2D(1, 1)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the logits, `[B, H, W, 1]`."""
        no_code = tf.zeros((tf.shape(images)[0], 1))
        return self.logits(self.unet({"z": no_code, "image": images}))


def _with_dropout(layer: keras.layers.Layer, rate: float, seed: int) -> keras.layers.Layer:
    return keras.Sequential([layer, keras.layers.Dropout(rate, seed=seed)])


def pixelwise(settings: Settings, train: dict[str, np.ndarray], rate: float) -> PixelwiseUNet:
    """A `PixelwiseUNet` trained on the data of a run, with its U-Net, optimizer and epochs."""
    unet = settings.model().decoder.network
    keras.utils.set_random_seed(settings["seed"])
    model = PixelwiseUNet(unet, rate, settings["seed"])
    size = settings["batch_size"]
    steps = -(-len(train["x"]) // size)
    model.compile(run_optimizer(settings, steps), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(train["image"], train["x"], size, settings["epochs"], verbose=0)
    return model


def masks_of(model: PixelwiseUNet, images: np.ndarray) -> np.ndarray:
    """Masks of images with dropout on, bool `[S, N, ...]`."""
    draw = tf.function(lambda batch: model(batch, training=True) >= 0.0)
    batches = [images[first : first + _BATCH] for first in range(0, len(images), _BATCH)]
    drawn = [[draw(batch).numpy() for batch in batches] for _ in range(MASKS_OF_EACH)]
    return np.stack([np.concatenate(masks) for masks in drawn])
