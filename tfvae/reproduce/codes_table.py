"""The table of codes: whole numbers for images, and priors of them. Nothing needs TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tfvae import presets, values
from tfvae.reproduce.methods import MethodTable, Quantity
from tfvae.settings.known import flag
from tfvae.settings.settings import Settings

VQ, PIXELS = "vq", "pixel-cnn"
LEVELS, ONE_LEVEL = "vq-2", "vq-1"
# Of 28 x 28 pixels, a PixelCNN that takes minutes and no hours.
_SMALL = {"conditionals.filters": 16, "conditionals.num_layers": 5, "epochs": 5}
_BY_GRADIENT, _GUMBEL = "vq-codebook-loss", "gumbel"


def _scalar(*levels: int) -> dict[str, Any]:
    count = 1
    for each in levels:
        count *= each
    return {"quantiser": "fsq", "quantiser.levels": levels, "second.num_levels": count}


_CHANGES: dict[str, Mapping[str, Any]] = {
    VQ: {},
    _BY_GRADIENT: {"quantiser.update": "codebook_loss"},
    "fsq-3-3": _scalar(3, 3),
    "fsq-5-5": _scalar(5, 5),
    _GUMBEL: {"quantiser": "gumbel"},
    PIXELS: {},
    LEVELS: {},
    ONE_LEVEL: {"model": "vq_vae", "second.model": "pixel_cnn"},
}
_OF_DIGITS = (VQ, _BY_GRADIENT, "fsq-3-3", "fsq-5-5", _GUMBEL, PIXELS)


@dataclass(frozen=True)
class CodesTask:
    """Images, and what makes codes of them.

    Attributes:
        name: Of the rows' beginning.
        title, text: Of its section.
        preset: Of a VQ-VAE and its prior.
        pixels: Preset of the PixelCNN of the pixels.
        changes: Of that preset's settings.
        methods: Of the rows.
        seeds: Of the rows.
    """

    name: str
    title: str
    text: str
    preset: str
    pixels: str
    changes: Mapping[str, Any]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    quantities: ClassVar = (
        Quantity("bits", "bits a dimension", 3, lower_is_better=True),
        Quantity("log_joint", "log p(x, codes)", 2, "nats"),
        Quantity("nll", "pixels given codes", 2, "nats", lower_is_better=True),
        Quantity("code_nll", "codes", 2, "nats", lower_is_better=True),
        Quantity("uniform", "codes, uniform", 2, "nats", lower_is_better=True),
        Quantity("used", "codes used", 0),
        Quantity("num_codes", "of", 0),
        Quantity("perplexity", "perplexity", 1),
        Quantity("prior_seconds", "prior's seconds", 0, lower_is_better=True),
    )

    def settings(self, method: str, seed: int) -> Settings:
        """Of the run of a method."""
        name, changes = self._run(method)
        return presets.get(name, **changes, seed=seed)

    def protocol(self, method: str) -> str:
        """What a result depends on, beside the seed: the command, and how long it trains."""
        name, changes = self._run(method)
        words = [f"{flag(name)} {values.as_text(value)}" for name, value in changes.items()]
        found = presets.get(name, **changes)
        epochs = [found["epochs"], *(stage["epochs"] for stage in found.stages.values())]
        return f"{' '.join(['tfvae train', name, *words])}: {' + '.join(map(str, epochs))} epochs"

    def _run(self, method: str) -> tuple[str, Mapping[str, Any]]:
        return (self.pixels, self.changes) if method == PIXELS else (self.preset, _CHANGES[method])


_TEXT = (
    "Images become maps of whole numbers, and a PixelCNN learns these: log p(x, codes) = log "
    "p(x|codes) + log p(codes) at the codes of x is one term of the sum that p(x) is, and so at "
    "most log p(x). In bits a dimension it stands beside the bounds and likelihoods of other "
    "models; its parts are what the pixels ask for once the codes are known, and what the learned "
    "prior asks for the codes, next to what a uniform one would. `pixel-cnn` is a PixelCNN of the "
    "pixels themselves, without codes: its log p(x) is exact. Bits drawn anew in each epoch, all "
    "held-out images, binarised once. Codes used are those that occur in held-out images, and the "
    "perplexity is exp of the entropy of how often each does."
)
_GIVEN = (
    "given the class, so that what is reported is log p(x, codes | class). Codes used are those of "
    "both levels together; perplexities of two levels are in the run's `metrics.json`."
)
CODES_TABLES = {
    table.name: table
    for table in (
        MethodTable(
            "codes",
            "Codes and their priors",
            _TEXT,
            (
                CodesTask(
                    "digits",
                    "Digits",
                    "8 x 8 pixels as 4 x 4 codes, of 8 each, or of 9 and 25 of finite scalar "
                    "quantisation: `tfvae train digits-vq-vae` and what `fsq`, `gumbel` and "
                    "`codebook_loss` change of it. 359 held-out images.",
                    "digits-vq-vae",
                    "digits-pixel-cnn",
                    {},
                    _OF_DIGITS,
                    (0, 1, 2),
                ),
                CodesTask(
                    "mnist",
                    "MNIST",
                    "28 x 28 pixels as 7 x 7 codes of 128 each: `tfvae train mnist-vq-vae`; beside "
                    "it a PixelCNN of five layers of 16 filters, and of five epochs. All 10,000 "
                    "test images.",
                    "mnist-vq-vae",
                    "mnist-pixel-cnn",
                    _SMALL,
                    (VQ, PIXELS),
                    (0,),
                ),
                CodesTask(
                    "fashion",
                    "Fashion-MNIST",
                    "The same of pictures of clothes, as bits: `tfvae train fashion-vq-vae`.",
                    "fashion-vq-vae",
                    "mnist-pixel-cnn",
                    {**_SMALL, "dataset": "fashion_mnist"},
                    (VQ, PIXELS),
                    (0,),
                ),
                CodesTask(
                    "digits-canvases",
                    "Canvases of digits",
                    "32 x 32 pixels, on which digits of one class are in two sizes, as maps of 8 x "
                    "8 and 4 x 4 codes of 32 each (`vq-2`, `tfvae train digits-vq-vae-2`), and as "
                    "8 x 8 codes alone (`vq-1`, the same networks without the second level). The "
                    f"priors are {_GIVEN}",
                    "digits-vq-vae-2",
                    "digits-pixel-cnn",
                    {},
                    (LEVELS, ONE_LEVEL),
                    (0,),
                ),
                CodesTask(
                    "mnist-canvases",
                    "Canvases of MNIST",
                    "The same of 64 x 64 pixels, as maps of 16 x 16 and 8 x 8 codes of 128 each: "
                    f"`tfvae train mnist-vq-vae-2`. The priors are {_GIVEN}",
                    "mnist-vq-vae-2",
                    "mnist-pixel-cnn",
                    {},
                    (LEVELS, ONE_LEVEL),
                    (0,),
                ),
            ),
            "tfvae.reproduce.coding:run_codes",
        ),
    )
}
