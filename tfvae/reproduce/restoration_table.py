"""The table of restoration: which method brings images back. Nothing here needs TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfvae.reproduce.methods import MethodTable, Quantity

_SEEDS = (0, 1, 2)
VAE, PLAIN_VAE, LINEAR, UNTRAINED = "vae", "plain-vae", "linear", "untrained"
OF_VAE = (VAE, PLAIN_VAE)
DRAWS_OF_EACH = 64  # of each image, in a mean


@dataclass(frozen=True)
class RestorationTask:
    """Images that have lost something.

    Attributes:
        name: Of the rows' beginning.
        title, text: Of its section.
        preset: Of the VAE; its data set, its corruption and its factor are the task's.
        changes: Of the preset's settings.
        methods: Of the rows.
        seeds: Of the rows.
        num_examples: The first so many held-out images are measured.
    """

    name: str
    title: str
    text: str
    preset: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    methods: tuple[str, ...] = (VAE, PLAIN_VAE, LINEAR, UNTRAINED)
    seeds: tuple[int, ...] = _SEEDS
    num_examples: int = 1000

    @property
    def of_noise(self) -> bool:
        """Whether images are corrupted, and have not lost their size."""
        return PLAIN_VAE in self.methods

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Of denoised images how near they come, of larger ones what they keep of the small."""
        near = Quantity("psnr", "PSNR", 2, "dB"), Quantity("ssim", "SSIM", 3)
        kept = Quantity("consistency", "consistency", 4, lower_is_better=True)
        return near if self.of_noise else (*near, kept)

    def protocol(self, method: str) -> str:
        """What a result depends on, beside the seed."""
        changes = "".join(f" {name}={value}" for name, value in self.changes.items())
        draws = f", {DRAWS_OF_EACH} draws" if method in OF_VAE else ""
        return f"{self.preset}{changes}: {method}{draws}, {self.num_examples} images"


@dataclass(frozen=True)
class _Loss:
    title: str
    text: str
    digits: Mapping[str, Any]
    mnist: Mapping[str, Any]


_SALT = {"corruption": "salt_and_pepper", "corruption.rate": 0.2}
_PATCHES = {"corruption": "patches", "corruption.count": 2}
_LOSSES = {
    "normal": _Loss(
        "normal noise",
        "`AdditiveNormal(0.25)`: noise of standard deviation 1/4 on top of every pixel.",
        {},
        {},
    ),
    "salt-and-pepper": _Loss(
        "salt and pepper",
        "`SaltAndPepper(0.2)`: a fifth of the pixels is black or white.",
        _SALT,
        _SALT,
    ),
    "patches": _Loss(
        "blanked patches",
        "`Patches(size, 2)`: two squares are black, of 3 x 3 of 8 x 8 pixels, or of 10 x 10 of "
        "28 x 28.",
        {**_PATCHES, "corruption.size": 3},
        {**_PATCHES, "corruption.size": 10},
    ),
}


def _denoising(dataset: str, title: str, **options: Any) -> list[RestorationTask]:
    return [
        RestorationTask(
            f"{dataset}-{name}",
            f"{title}: {loss.title}",
            loss.text,
            f"{dataset}-denoising",
            getattr(loss, dataset),
            **options,
        )
        for name, loss in _LOSSES.items()
    ]


_SMALL = (VAE, LINEAR, UNTRAINED)
RESTORATION_TABLES = {
    table.name: table
    for table in (
        MethodTable(
            "restoration",
            "Denoising and super-resolution",
            "Held-out grey images lose something, and each method brings back what it can. PSNR is "
            "of all images together, in decibels, SSIM the mean over them; both higher = nearer to "
            "the truth (`tfvae.evaluation.pooled_peak_signal_to_noise`, `structural_similarity`). "
            "The first 1,000 held-out images are measured, of digits all 359. `vae` was trained "
            "on images that are corrupted the same way, or on pairs of small and large ones; "
            "`plain-vae` is the same without a corruption. The median filter and non-local means "
            "are scikit-image's, with the settings that are best on 100 training images, "
            "bicubic interpolation is Pillow's. `linear` is least squares on training images "
            "(scikit-learn's `RidgeCV`): what has been learned has to be better than that.",
            (
                *_denoising("digits", "Digits"),
                RestorationTask(
                    "digits-super-resolution",
                    "Digits: 4 x 4 to 8 x 8 pixels",
                    "Consistency is the root mean squared difference of a sample, made small "
                    "again, from what was given.",
                    "digits-super-resolution",
                    methods=_SMALL,
                ),
                *_denoising("mnist", "MNIST", seeds=(0,)),
                RestorationTask(
                    "mnist-super-resolution",
                    "MNIST: 14 x 14 to 28 x 28 pixels",
                    "As of digits.",
                    "mnist-super-resolution",
                    methods=_SMALL,
                    seeds=(0,),
                ),
            ),
            "tfvae.reproduce.restoring:run_restoration",
        ),
    )
}
