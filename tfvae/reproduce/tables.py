"""The tables that `tfvae reproduce` knows."""

from tfvae.reproduce.one_level import BURDA, one_level
from tfvae.reproduce.rows import Budget, ComparisonTable, Row, Section

_MEASURE = (
    "log p(x) is the importance-weighted likelihood of {samples} samples on {held_out}, in nats an "
    "image."
)
_LONG = Section(
    "Longer",
    "What more time is worth: 800 epochs, and 90 minutes of training.",
    (
        Row("tril-800", "mnist", {"posterior": "tril"}, 800),
        Row(
            "iwae-50-90-minutes",
            "mnist",
            {"objective": "importance_weighted", "num_samples": 50},
            Budget("iwae-50", 5400.0),
            published=BURDA["iwae-50"],
        ),
    ),
    beside=("tril", "iwae-50"),
)

TABLES = {
    table.name: table
    for table in (
        ComparisonTable(
            "one-level",
            "Models of one level",
            "MNIST, the network of Burda et al. 2016 (784-200-200-50), pixels binarised anew in "
            "each epoch and held-out images once, unless a section says otherwise. "
            + _MEASURE.format(samples=5000, held_out="all 10,000 test images"),
            (
                *one_level("mnist", ("mnist-sbn", {}), 100, 500, 50, BURDA),
                _LONG,
            ),
        ),
        ComparisonTable(
            "digits",
            "Models of one level on digits",
            "The rows of the table of MNIST on scikit-learn's 8 x 8 digits, which come with "
            "tfvae's own dependencies: 1,438 images to train on, 400 epochs, about a minute a "
            "row. " + _MEASURE.format(samples=5000, held_out="359 held-out images"),
            one_level(
                "digits",
                (
                    "digits",
                    {
                        "binarisation": "static",
                        "network": "linear",
                        "posterior": "bernoulli",
                        "prior": "bernoulli",
                        "latent_size": 50,
                    },
                ),
                400,
                50,
                10,
                {},
            ),
        ),
    )
}
