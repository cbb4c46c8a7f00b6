"""The table of detection: which detector finds which anomalies. Nothing here needs TensorFlow."""

from dataclasses import dataclass
from typing import ClassVar

from tfvae.reproduce.methods import MethodTable, Quantity

_SEEDS = (0, 1, 2, 3, 4)
VAE, REGRET = "vae", "vae-regret"
DETECTORS = (VAE, REGRET, "isolation-forest", "local-outlier-factor", "one-class-svm")
"""What is compared: scores of one VAE, and scikit-learn's detectors with their defaults."""

QUICK_SCORES = (
    "negative_elbo",
    "negative_log_likelihood",
    "reconstruction_probability",
    "typicality",
)
SCORES_OF_VAE = {VAE: QUICK_SCORES, REGRET: ("likelihood_regret",)}
"""By which one trained VAE is judged."""


@dataclass(frozen=True)
class DetectionTask:
    """Normal examples and anomalies.

    Attributes:
        name: Of the rows' beginning.
        title, text: Of its section.
        dataset: Whose examples are normal.
        classes: Each of them is strange in turn, and all other classes are normal.
        anomalies: Another data set, whose held-out examples are the anomalies; None for classes.
        preset: Of the VAE; None for the one that `AnomalyDetector` makes of a table.
        epochs: Of the VAE.
        seeds: Of the rows.
        methods: Of the rows.
    """

    name: str
    title: str
    text: str
    dataset: str
    classes: tuple[int, ...] = ()
    anomalies: str | None = None
    preset: str | None = None
    epochs: int = 200
    seeds: tuple[int, ...] = _SEEDS
    methods: tuple[str, ...] = DETECTORS
    quantities: ClassVar = (
        Quantity("auroc", "AUROC", 3),
        Quantity("auprc", "AUPRC", 3),
        Quantity("auroc", "lowest class", 3, hardest=True),
    )

    def protocol(self, method: str) -> str:
        """What a result depends on, beside the seed."""
        model = (
            f"{self.preset or 'table'} {self.epochs} epochs, " if method in SCORES_OF_VAE else ""
        )
        strange = self.anomalies or f"classes {','.join(map(str, self.classes))}"
        scores = SCORES_OF_VAE.get(method, (method,))
        return f"{self.dataset} against {strange}: {model}{', '.join(scores)}"


_TEN = tuple(range(10))
_IMAGES = "28 x 28 bytes as bits, drawn anew in each epoch; the VAE is `tfvae train mnist`'s. "

DETECTION_TABLES = {
    table.name: table
    for table in (
        MethodTable(
            "uses",
            "Finding anomalies",
            "Each detector learns from normal examples alone, and ranks held-out normal examples "
            "and anomalies. AUROC is the probability that an anomaly scores higher than a normal "
            "example, 0.5 by guessing; AUPRC the average precision, by guessing the share of "
            "anomalies. Both by scikit-learn's `roc_auc_score` and `average_precision_score`. "
            "scikit-learn's detectors have their default settings, the VAE those of "
            "`tfvae.uses.AnomalyDetector` where a section says no more, and none was tuned.",
            (
                DetectionTask(
                    "digits",
                    "Digits, one class left out",
                    "Of scikit-learn's 8 x 8 digits each class in turn is strange; of the others "
                    "80 % are learned and 20 % held out. Rows are standardised. A number is the "
                    "mean over the ten classes, and then over the seeds.",
                    "digits",
                    _TEN,
                ),
                DetectionTask(
                    "breast-cancer",
                    "Breast cancer",
                    "Malignant tumours are strange; of 357 benign ones 80 % are learned and 20 % "
                    "held out. 30 columns, standardised.",
                    "breast_cancer",
                    (0,),
                ),
                DetectionTask(
                    "mnist",
                    "MNIST, one class left out",
                    _IMAGES + "As of digits.",
                    "mnist",
                    _TEN,
                    preset="mnist",
                    epochs=50,
                    seeds=(0,),
                ),
                DetectionTask(
                    "fashion-against-mnist",
                    "Fashion-MNIST, and digits as anomalies",
                    _IMAGES + "Learned from clothes; the test images of both are ranked.",
                    "fashion_mnist",
                    anomalies="mnist",
                    preset="mnist",
                    epochs=50,
                    seeds=(0,),
                ),
                DetectionTask(
                    "mnist-against-fashion",
                    "MNIST, and clothes as anomalies",
                    _IMAGES + "Learned from digits; the test images of both are ranked.",
                    "mnist",
                    anomalies="fashion_mnist",
                    preset="mnist",
                    epochs=50,
                    seeds=(0,),
                ),
            ),
            "tfvae.reproduce.detecting:run_detection",
            " The lowest class is the AUROC of the class that is hardest to find, the mean over "
            "the seeds.",
        ),
    )
}
