"""The tables that `tfvae reproduce` knows."""

from tfvae.reproduce.labels import of_labels
from tfvae.reproduce.levels import of_levels
from tfvae.reproduce.likelihoods import compare_likelihoods
from tfvae.reproduce.one_level import BURDA, one_level
from tfvae.reproduce.rows import Annealing, Budget, ComparisonTable, Row, Section

_MEASURE = (
    "log p(x) is the importance-weighted likelihood of {samples} samples on {held_out}, in nats an "
    "image."
)
_LONG = Section(
    "Longer",
    "What more time is worth: 800 epochs of the two posteriors that are best at 100, and 90 "
    "minutes of training.",
    (
        Row("tril-800", "mnist", {"posterior": "tril"}, 800),
        Row("iaf-4-800", "mnist", {"posterior": "iaf", "num_steps": 4}, 800),
        Row(
            "iwae-50-90-minutes",
            "mnist",
            {"objective": "importance_weighted", "num_samples": 50},
            Budget("iwae-50", 5400.0),
            published=BURDA["iwae-50"],
        ),
    ),
    beside=("tril", "iaf-4", "iwae-50"),
)
_FEW = {"eval_samples": 100, "eval_examples": 1000}
_COMPARED = (
    "Within a section, **the numbers with bits compare, and no others**. "
    "`discretised-logistic-mixture` and `categorical` are probabilities of the levels. The "
    "densities in the first rows are of dequantised pixels, (k + u) / L for a level k of L and "
    "uniform noise u, fresh in each epoch and drawn once for held-out images: in the unit of a "
    "level the mean of their log-density is a lower bound of the log-probability of levels (Theis "
    "et al. 2016, arXiv:1511.01844, section 3.1), so that their bits are upper bounds, and the "
    "difference is a handicap of theirs. Rows that end in `raw` are trained on the levels k / (L - "
    "1) themselves, as is often done: log p(x) is a density in the unit of x there, which may rise "
    "without end where a pixel has the same value in many images, has no bits, and compares with "
    "nothing here but other raw densities. log p(x) of all other rows is in nats of levels. All of "
    "them are measured by importance sampling, itself a lower bound in expectation."
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
                *one_level(
                    "one-level",
                    "mnist",
                    ("mnist-sbn", {}),
                    epochs=100,
                    components=500,
                    latent_size=50,
                    equal_time={"diag": 186, "realnvp-4": 123, "iaf-4": 120},
                    published=BURDA,
                ),
                _LONG,
            ),
            annealing=Annealing(num_examples=20, start="posterior"),
        ),
        ComparisonTable(
            "digits",
            "Models of one level on digits",
            "The rows of the table of MNIST on scikit-learn's 8 x 8 digits, which come with "
            "tfvae's own dependencies: 1,438 images to train on, 400 epochs, about a minute a "
            "row. " + _MEASURE.format(samples=5000, held_out="359 held-out images"),
            one_level(
                "digits",
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
                epochs=400,
                components=50,
                latent_size=10,
                equal_time={"diag": 537, "realnvp-4": 333, "iaf-4": 328},
                published={},
            ),
        ),
        ComparisonTable(
            "likelihoods",
            "Likelihoods of pixels",
            "Grey levels under each likelihood. " + _COMPARED,
            (
                compare_likelihoods(
                    "Digits",
                    "scikit-learn's 8 x 8 digits of 17 levels, which come with tfvae's own "
                    "dependencies: the network and the training of `tfvae train digits`, 359 "
                    "held-out images, 5000 samples.",
                    "digits",
                    Row("digits", "digits", {}, 400, num_images=8),
                    17,
                    True,
                ),
                compare_likelihoods(
                    "Fashion-MNIST",
                    "28 x 28 bytes, 784-200-200-50: the network of `tfvae train fashion-mnist`; "
                    "the first 1,000 test images, 100 samples.",
                    "fashion",
                    Row("fashion", "fashion-mnist", _FEW, 20, num_images=8),
                    256,
                    False,
                ),
                compare_likelihoods(
                    "Frey faces",
                    "1,965 pictures of 28 x 20 bytes, a tenth of them held out, the same network "
                    "and 100 samples. No licence of them is known, so they do not come with tfvae, "
                    "and no samples are shown: the rows want a file `frey_faces.npz`, of one uint8 "
                    "array `[1965, 28, 20]`, in the folder where the command is given.",
                    "frey",
                    Row(
                        "frey",
                        "fashion-mnist",
                        {"dataset": "frey_faces.npz", "eval_samples": 100},
                        400,
                    ),
                    256,
                    False,
                ),
            ),
            annealing=None,
        ),
        ComparisonTable(
            "labels",
            "Models of labels and conditions",
            "What a condition is worth, and how few labels are enough. Nats an example.",
            of_labels(),
            annealing=None,
        ),
        ComparisonTable(
            "levels",
            "Models of several levels",
            "What a second level of z is worth, and a ladder of them. "
            + _MEASURE.format(samples=5000, held_out="all held-out images"),
            of_levels(),
            annealing=Annealing(num_examples=20, start="posterior"),
        ),
    )
}
