"""The table of imputation: how well holes of a table are filled. Nothing here needs TensorFlow."""

from dataclasses import dataclass
from typing import ClassVar

from tfvae.reproduce.methods import MethodTable, Quantity

MIWAE = "miwae"
DRAWS_OF_CODES = 10_000  # of each row, by which the model fills


@dataclass(frozen=True)
class ImputationTask:
    """A table whose entries are missing completely at random.

    Attributes:
        name: Of the rows' beginning.
        title, text: Of its section.
        dataset: A table of `tfvae.data.names()`.
        preset: Of the model that fills.
        epochs: Of it.
        share: Of the entries that are missing, between 0 and 1.
        seeds: Of the rows; a seed draws the holes, too.
        methods: Of the rows.
    """

    name: str
    title: str
    text: str
    dataset: str
    preset: str = "breast-cancer-missing"
    epochs: int = 400
    share: float = 0.5
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    methods: tuple[str, ...] = ("mean", "knn", "iterative", MIWAE)
    quantities: ClassVar = (Quantity("error", "squared error", 3, lower_is_better=True),)

    def protocol(self, method: str) -> str:
        """What a result depends on, beside the seed."""
        draws = f"{DRAWS_OF_CODES} draws"
        model = f", {self.preset} {self.epochs} epochs, {draws}" if method == MIWAE else ""
        return f"{self.dataset}, {self.share} missing: {method}{model}"


IMPUTATION_TABLES = {
    table.name: table
    for table in (
        MethodTable(
            "imputation",
            "Filling the holes of a table",
            "The whole table is standardised, half the entries are missing completely at random, "
            "and a method is given all rows at once, as Mattei and Frellsen 2019 do; no row is "
            "held out, for what is missing of them nobody is shown. The error is the mean over the "
            "holes of (x - filled)^2, in variances of a column: filling with the true means would "
            "have 1. All methods have the same holes. `mean`, `knn` and `iterative` are "
            "scikit-learn's `SimpleImputer`, `KNNImputer` and `IterativeImputer` with their "
            "defaults, `miwae` the preset, trained by batches of 64 rows, which fills by the "
            "expectation of 10,000 weighted draws. None was tuned.",
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
            ),
            "tfvae.reproduce.imputing:run_imputation",
        ),
    )
}
