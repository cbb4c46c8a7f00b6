"""The table of detection: which detector finds which anomalies. Nothing here needs TensorFlow."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tfvae.reproduce.methods import MethodTable, Quantity

_SEEDS = (0, 1, 2, 3, 4)
VAE, REGRET, SEVERAL = "vae", "vae-regret", "vaes"
_BESIDE = ("isolation-forest", "local-outlier-factor", "one-class-svm")
DETECTORS = (VAE, REGRET, *_BESIDE)
"""What is compared: scores of one VAE, and scikit-learn's detectors with their defaults."""

RATIO, WAIC = "likelihood_ratio", "waic"
REPLACED = 0.2  # of the bits that a background model learns from
ENSEMBLE = 5  # models of WAIC
QUICK_SCORES = (
    "negative_elbo",
    "negative_log_likelihood",
    "reconstruction_probability",
    "typicality",
)
SCORES_OF_VAE = {
    VAE: QUICK_SCORES,
    REGRET: ("likelihood_regret",),
    SEVERAL: (*QUICK_SCORES, "likelihood_regret", RATIO, WAIC),
}
"""By which one trained VAE is judged; by the last two beside others of its kind."""


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
        num_ranked: The first so many held-out normal examples, and anomalies, are ranked; None
            for all.
        learned_beside: scikit-learn's detectors learn from the first so many; None for all.
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
    num_ranked: int | None = None
    learned_beside: int | None = None
    seeds: tuple[int, ...] = _SEEDS
    methods: tuple[str, ...] = DETECTORS
    quantities: ClassVar = (
        Quantity("auroc", "AUROC", 3),
        Quantity("auprc", "AUPRC", 3),
        Quantity("auroc", "lowest class", 3, hardest=True),
    )

    def protocol(self, method: str) -> str:
        """What a result depends on, beside the seed."""
        learned = "" if self.learned_beside is None else f"{self.learned_beside} learned, "
        if method in SCORES_OF_VAE:
            learned = f"{self.preset or 'table'} {self.epochs} epochs, "
        strange = self.anomalies or f"classes {','.join(map(str, self.classes))}"
        scores = ", ".join(SCORES_OF_VAE.get(method, (method,)))
        others = f", {REPLACED} replaced, {ENSEMBLE} models" if method == SEVERAL else ""
        ranked = "" if self.num_ranked is None else f", {self.num_ranked} of each ranked"
        return f"{self.dataset} against {strange}: {learned}{scores}{others}{ranked}"


_TEN = tuple(range(10))
_RANKED = 1000
_CLASSES: dict[str, Any] = {"epochs": 5, "num_ranked": _RANKED, "learned_beside": 5_000}
_OTHERS: dict[str, Any] = {"epochs": 10, "num_ranked": _RANKED, "learned_beside": 10_000}
_SCORED = (
    f"The first {_RANKED:,} test images of each are ranked. The background model of the likelihood "
    f"ratio learns images of which {REPLACED:.0%} of the bits are drawn anew, and WAIC is of "
    f"{ENSEMBLE} models that differ by their seeds."
)


def _images(epochs: int, learned_beside: int, **_: Any) -> str:
    """What the sections of images have in common."""
    return (
        "28 x 28 bytes as bits that are drawn once. The VAE has the network of `tfvae train mnist` "
        f"and is trained for {epochs} epochs; scikit-learn's detectors learn from the first "
        f"{learned_beside:,} images, for some of them take too long for all. "
    )


def _against(name: str, title: str, learned: str, dataset: str, anomalies: str) -> DetectionTask:
    """All images of a data set are normal, and those of another strange."""
    return DetectionTask(
        name,
        title,
        f"{_images(**_OTHERS)}Learned from {learned}. {_SCORED}",
        dataset,
        anomalies=anomalies,
        preset="mnist",
        seeds=(0,),
        methods=(SEVERAL, *_BESIDE),
        **_OTHERS,
    )


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
                    f"{_images(**_CLASSES)}As of digits, of the first {_RANKED:,} test images of "
                    "the other classes, and of the class.",
                    "mnist",
                    _TEN,
                    preset="mnist",
                    seeds=(0,),
                    methods=(VAE, *_BESIDE),
                    **_CLASSES,
                ),
                _against(
                    "fashion-against-mnist",
                    "Fashion-MNIST, and digits as anomalies",
                    "clothes",
                    "fashion_mnist",
                    "mnist",
                ),
                _against(
                    "mnist-against-fashion",
                    "MNIST, and clothes as anomalies",
                    "digits",
                    "mnist",
                    "fashion_mnist",
                ),
            ),
            "tfvae.reproduce.detecting:run_detection",
            " The lowest class is the AUROC of the class that is hardest to find, the mean over "
            "the seeds.",
        ),
    )
}
