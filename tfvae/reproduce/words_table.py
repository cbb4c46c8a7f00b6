"""The table of perplexities: which latents predict words best. Nothing here needs TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tfvae.reproduce.methods import MethodTable, Quantity

UNIGRAM = "unigram"
"""Without a model: each word by its share of the training words."""

SAMPLES = 100  # of the bound, for each document


def _histograms(name: str, pieces: int) -> dict[str, Any]:
    sizes = {"posterior.num_pieces": pieces, "prior.num_pieces": pieces}
    return {"posterior": name, "prior": name, **sizes}


_LATENTS: dict[str, Mapping[str, Any]] = {
    "normal": {},
    "piecewise-3": _histograms("piecewise", 3),
    "piecewise-5": _histograms("piecewise", 5),
    "piecewise-7": _histograms("piecewise", 7),
    "hybrid": _histograms("normal_and_piecewise", 3),
}


@dataclass(frozen=True)
class WordsTask:
    """Documents as bags of words.

    Attributes:
        name: Of the rows' beginning.
        title, text: Of its section.
        preset: Of the models, whose latents a method names.
        epochs: Of them.
        seeds: Of the rows.
        methods: Of the rows.
    """

    name: str
    title: str
    text: str
    preset: str
    epochs: int
    seeds: tuple[int, ...] = (0, 1, 2)
    methods: tuple[str, ...] = tuple(_LATENTS)
    quantities: ClassVar = (
        Quantity("perplexity", "perplexity", 1, lower_is_better=True),
        Quantity("elbo", "by the ELBO", 1, lower_is_better=True),
        Quantity("kl", "KL", 2, "nats a document"),
    )

    def changes(self, method: str) -> Mapping[str, Any]:
        """The preset's settings that a method replaces."""
        return _LATENTS[method]

    def protocol(self, method: str) -> str:
        """What a result depends on, beside the seed."""
        if method == UNIGRAM:
            return f"{self.preset}: shares of training words"
        return f"{self.preset} {self.epochs} epochs, {SAMPLES} samples: {method}"


_PERPLEXITY = (
    "Perplexity a word as Miao et al. 2016 (arXiv:1511.06038) and Serban et al. 2017 "
    "(arXiv:1612.00377) have it: exp of the mean over held-out documents of -log p(x) / (words of "
    "x), so that a short document counts as much as a long one, without the multinomial "
    "coefficient (`tfvae.evaluation.word_perplexity`). For log p(x) stands the "
    f"importance-weighted bound of {SAMPLES} samples, and in the next column the ELBO, as in the "
    "public code of the former; both make perplexities too high, the second more so. All models "
    "have the same networks, as many latent dimensions, epochs and documents; a histogram has more "
    "parameters a dimension. Nothing was tuned, the epochs neither: after 20 none "
    "has learned all it can. The papers' figures of 20 "
    "Newsgroups are not quoted, for there was no source at hand to check them by; "
    "{doc}`/guide/words` says how that corpus is read by those who have it."
)
WORDS_TABLES = {
    table.name: table
    for table in (
        MethodTable(
            "words",
            "Words of documents",
            _PERPLEXITY,
            (
                WordsTask(
                    "docstrings",
                    "Docstrings",
                    "Of the standard library of the Python below, 2,000 words, 50 latent "
                    "dimensions, 2000-200-50-200-2000, 20 epochs. `hybrid` has 25 Normal "
                    "dimensions and 25 of 3 pieces.",
                    "docstrings",
                    20,
                ),
                WordsTask(
                    "docstrings-longer",
                    "Docstrings, three times as long",
                    "60 epochs, as `tfvae train docstrings` has: whether histograms learn less, or "
                    "only later.",
                    "docstrings",
                    60,
                ),
                WordsTask(
                    "docstrings-shares",
                    "Without a model",
                    "Each word by its share of the training words, which knows nothing of a "
                    "document: what a latent variable is worth is the distance to it.",
                    "docstrings",
                    0,
                    (0,),
                    (UNIGRAM,),
                ),
            ),
            "tfvae.reproduce.counting:run_words",
        ),
    )
}
