"""The rows that compare hierarchies: one level, two of them, and ladders."""

from collections.abc import Mapping
from typing import Any

from tfvae.reproduce.rows import Published, Row, Section

# Of the digits: the encoder of `tfvae train digits`, and a second level.
_TWO = {"model": "hierarchical", "levels.sizes": (4,), "levels.units": (32,)}
# Y. Burda, R. Grosse and R. Salakhutdinov, 2016, arXiv:1509.00519, table 1: two stochastic layers,
# 784-200-200-100-100-100-50, dynamic MNIST, 5000 samples; batches of 20.
_BURDA = "Burda et al. 2016, {}, two layers, 3280 epochs, as quoted"
# C. K. Sonderby et al., 2016, arXiv:1602.02282, five layers.
_LADDER = Published(-81.74, "Sonderby et al. 2016, 2000 epochs, as quoted")
# A. Vahdat and J. Kautz, 2020, arXiv:2007.03898, table 1: without flows, 1000 samples.
_NVAE = Published(-78.01, "Vahdat and Kautz 2020, 15 levels, 400 epochs, as quoted")


def _iwae(num_samples: int) -> dict[str, Any]:
    return {"objective": "importance_weighted", "num_samples": num_samples}


def of_levels() -> tuple[Section, ...]:
    """The sections on digits and on MNIST."""

    def digits(name: str, preset: str, changes: Mapping[str, Any]) -> Row:
        return Row(f"digits-{name}", preset, changes, 400)

    return (
        Section(
            "Digits",
            "scikit-learn's 8 x 8 digits, which come with tfvae's own dependencies: 1,438 images "
            "to train on and 359 held out, whose sampling error is 0.19 nats and the same of all "
            "rows. One level of 10, two of 10 and 4, ladders of 8, 4, 2 and of 8, 4, 2, 1, and "
            "maps of 4x4x2, 4x4 and 2x2x2.",
            (
                digits("one-level", "digits", {}),
                digits("two-levels", "digits", _TWO),
                digits("two-levels-iwae-5", "digits", {**_TWO, **_iwae(5)}),
                digits("ladder", "digits-ladder", {}),
                digits(
                    "ladder-4",
                    "digits-ladder",
                    {"levels.sizes": (4, 2, 1), "levels.units": (32, 16, 8)},
                ),
                digits("ladder-residual", "digits-ladder", {"merge": "residual"}),
                digits("ladder-no-merge", "digits-ladder", {"merge": "none"}),
                digits("ladder-no-warm-up", "digits-ladder", {"callback": None}),
                Row("digits-nvae", "digits-nvae", {}, 160),
            ),
        ),
        Section(
            "MNIST",
            "Pixels binarised anew in each epoch, all 10,000 test images. The first row is the "
            "network of {doc}`/results/one-level`. The ladder has five levels of 64, 32, 16, 8 and "
            "4, networks of 512 units next to x and of 256 to 32 above, and a warm-up of 30 epochs "
            "in 100, of 100 in 400. The maps of `mnist-nvae` are 7x7x4, 7x7x4 and 4x4x8; its "
            "log p(x) is of 200 samples.",
            (
                Row("mnist-one-level", "mnist", {}, 100),
                Row(
                    "mnist-two-levels",
                    "mnist-two-levels",
                    {},
                    100,
                    published=Published(-84.78, _BURDA.format("VAE")),
                ),
                Row("mnist-two-levels-iwae-5", "mnist-two-levels", _iwae(5), 100),
                Row(
                    "mnist-two-levels-iwae-50",
                    "mnist-two-levels",
                    _iwae(50),
                    100,
                    published=Published(-82.90, _BURDA.format("IWAE-50")),
                ),
                Row(
                    "mnist-ladder",
                    "mnist-ladder",
                    {"callback.epochs": 30},
                    100,
                    seeds=(1,),
                    published=_LADDER,
                ),
                Row("mnist-ladder-400", "mnist-ladder", {}, 400, seeds=(1,), published=_LADDER),
                Row("mnist-nvae", "mnist-nvae", {"eval_samples": 200}, 60, published=_NVAE),
            ),
        ),
    )
