"""The table of restoration: which method brings images back, as rows that are data.

A row is what images have lost, and a method that was told as much. Nothing here needs TensorFlow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_SEEDS = (0, 1, 2)
VAE, PLAIN_VAE, LINEAR, UNTRAINED = "vae", "plain-vae", "linear", "untrained"
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


@dataclass(frozen=True)
class RestorationRow:
    """A method on a task.

    Attributes:
        task: What images have lost.
        method: One of the task's.
    """

    task: RestorationTask
    method: str

    @property
    def name(self) -> str:
        """On the command line."""
        return f"{self.task.name}-{self.method}"

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the task."""
        return self.task.seeds

    @property
    def of_vae(self) -> bool:
        """Whether a VAE is trained."""
        return self.method in (VAE, PLAIN_VAE)

    def protocol(self) -> str:
        """What a result depends on, beside the seed: another means that it is run again."""
        task = self.task
        changes = "".join(f" {name}={value}" for name, value in task.changes.items())
        draws = f", {DRAWS_OF_EACH} draws" if self.of_vae else ""
        return f"{task.preset}{changes}: {self.method}{draws}, {task.num_examples} images"


@dataclass(frozen=True)
class RestorationTable:
    """A table of restorations.

    Attributes:
        name: On the command line and of its files.
        title: Its heading.
        text: What is measured, and how.
        tasks: Its sections.
        rows: By name, in order.
    """

    name: str
    title: str
    text: str
    tasks: Sequence[RestorationTask]
    rows: dict[str, RestorationRow] = field(init=False)

    def __post_init__(self) -> None:
        rows = [RestorationRow(task, method) for task in self.tasks for method in task.methods]
        object.__setattr__(self, "rows", {row.name: row for row in rows})


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
        RestorationTable(
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
        ),
    )
}
