"""The table of segmentation: whose masks follow the annotators'. Nothing here needs TensorFlow."""

from dataclasses import dataclass
from typing import ClassVar

from tfvae.reproduce.methods import MethodTable, Quantity

VAE, GECO_VAE, PLAIN = "vae", "vae-geco", "u-net"
DROPOUT, ANNOTATORS = "dropout-u-net", "annotators"
MASKS_OF_EACH = 16  # drawn of each image, a multiple of the annotators
RATE = 0.5  # of dropout, the paper's


@dataclass(frozen=True)
class SegmentationTask:
    """Images whose masks several annotators drew.

    Attributes:
        name: Of the rows' beginning.
        title, text: Of its section.
        preset: Of the VAE; its data set, U-Net and training are those of all methods.
        seeds: Of the rows.
        num_images: The first so many held-out images are measured.
        methods: Of the rows.
        target: Nats of nll that GECO is asked for.
    """

    name: str
    title: str
    text: str
    preset: str
    seeds: tuple[int, ...]
    num_images: int = 1000
    methods: tuple[str, ...] = (VAE, PLAIN, DROPOUT, ANNOTATORS)
    target: float | None = None
    quantities: ClassVar = (
        Quantity("distance", "energy distance", 3, lower_is_better=True),
        Quantity("matched", "matched IoU", 3),
    )

    def protocol(self, method: str) -> str:
        """What a result depends on, beside the seed."""
        rate = f" {RATE}" if method == DROPOUT else ""
        rate += f" {self.target:g}" if method == GECO_VAE else ""
        return f"{self.preset}: {method}{rate}, {MASKS_OF_EACH} masks of {self.num_images} images"


SEGMENTATION_TABLES = {
    table.name: table
    for table in (
        MethodTable(
            "segmentation",
            "Masks on which annotators disagree",
            "Four annotators draw each digit thin, thick, filled or in part, on a textured "
            "background, and each style is as likely as the others. Of each held-out image 16 "
            "masks are drawn and held against the four as sets: by the squared generalised energy "
            "distance with 1 - IoU, lower = nearer, and by the mean IoU of the best matching, "
            "higher = nearer (`tfvae.evaluation.generalised_energy_distance`, `matched_iou`). "
            "`vae` draws codes from p(z|image); `vae-geco` is the same, trained for the least KL "
            "at a wanted nll (GECO) and not by the ELBO, whose weight of the KL is 1. `u-net` is "
            "the same U-Net without a code, trained "
            "by the cross-entropy of every pixel with the same optimizer for as many epochs, whose "
            "16 masks are one; `dropout-u-net` has a dropout of 1/2 of what enters each scale but "
            "the finest, on when it draws, too. `annotators` are 16 draws of the true law "
            "itself: what a model would have that is right.",
            (
                SegmentationTask(
                    "digits",
                    "Digits, 16 x 16 pixels",
                    "`segmented_digits`: 359 held-out images. GECO is asked for 39 nats of nll a "
                    "mask, a tenth less than the 43.4 that the ELBO comes to on held-out images.",
                    "digits-segmentation",
                    (0, 1, 2),
                    methods=(VAE, GECO_VAE, PLAIN, DROPOUT, ANNOTATORS),
                    target=39.0,
                ),
                SegmentationTask(
                    "mnist",
                    "MNIST, 28 x 28 pixels",
                    "`segmented_mnist`: the first 1,000 test images.",
                    "mnist-segmentation",
                    (0,),
                ),
            ),
            "tfvae.reproduce.segmenting:run_segmentation",
        ),
    )
}
