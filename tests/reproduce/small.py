"""A table whose rows take seconds, and results that nobody trained."""

from dataclasses import replace

from tfvae.reproduce.measure import BITS, ERROR
from tfvae.reproduce.row_result import AnnealedResult, RowResult
from tfvae.reproduce.rows import Annealing, Budget, ComparisonTable, Published, Row, Section

_SMALL = {"units": (8,), "latent_size": 2, "eval_samples": 5, "eval_examples": 20}

TABLE = ComparisonTable(
    "small",
    "A small table",
    "On digits.",
    (
        Section(
            "Posteriors",
            "At equal epochs.",
            (
                Row("diag", "digits", _SMALL, 4, (0, 1), Published(-20.0, "Somebody 2000")),
                Row("tril", "digits", {**_SMALL, "posterior": "tril"}, 4),
            ),
        ),
        Section(
            "By time",
            "In five seconds.",
            (Row("diag-5-s", "digits", _SMALL, Budget("diag", 5.0)),),
            beside=("tril",),
        ),
        Section(
            "Bits",
            "Linear.",
            (
                Row(
                    "sbn",
                    "digits",
                    {
                        "network": "linear",
                        "posterior": "bernoulli",
                        "prior": "bernoulli",
                        "gradient": "score_function",
                        "eval_samples": 5,
                        "eval_examples": 20,
                    },
                    1,
                ),
            ),
        ),
    ),
    Annealing(num_examples=3, num_chains=2, num_steps=3, start="posterior"),
)

_QUICK = {**_SMALL, "binarisation": "none"}

LEVELS = ComparisonTable(
    "levels",
    "A small table of levels",
    "On digits.",
    (
        Section(
            "Digits",
            "Of 17 levels.",
            (
                Row(
                    "levels",
                    "digits",
                    {**_QUICK, "likelihood": "categorical", "num_levels": 17},
                    4,
                    num_images=3,
                ),
                Row("noisy", "digits", {**_SMALL, "dequantise": 17}, 4, (0, 1), num_images=3),
                Row("raw", "digits", _QUICK, 4),
            ),
            measure=BITS,
        ),
    ),
    annealing=None,
)

_SECOND = {"second.units": (8,), "second.latent_size": 2, "second.epochs": 1}

LABELS = ComparisonTable(
    "labels",
    "A small table of labels",
    "On digits.",
    (
        Section("Alone", "Without labels.", (Row("alone", "digits", _SMALL, 4),)),
        Section(
            "Few labels",
            "Of 1,438.",
            (
                Row(
                    "few",
                    "digits-semi-supervised",
                    {**_SMALL, "labels": 20},
                    4,
                    (0, 1),
                    Published(0.05, "Somebody 2000"),
                ),
                Row("stages", "digits-m1-m2", {**_SMALL, **_SECOND}, 4),
                Row("codes", "digits", _SMALL, 4, code_labels=40),
            ),
            measure=ERROR,
        ),
    ),
    annealing=None,
)


def result(name: str, seed: int = 0, epochs: int = 4, table: ComparisonTable = TABLE) -> RowResult:
    """A result of a row with a fixed number of epochs."""
    row = table.rows[name]
    return RowResult(
        row=name,
        seed=seed,
        command=row.command(seed, epochs),
        epochs=epochs,
        of_epochs=row.epochs if isinstance(row.epochs, int) else epochs,
        log_likelihood=-21.0 - seed,
        standard_error=0.25,
        num_samples=5,
        num_examples=20,
        elbo=-22.0 - seed,
        nll=17.0,
        kl=5.0,
        annealed=AnnealedResult(-20.75, -21.0, 0.6, 3, 2, 3),
        active_units=2,
        seconds_per_epoch=0.5,
        training_seconds=2.0,
        evaluation_seconds=1.0,
        versions={"tensorflow": "1", "keras": "2", "python": "3"},
        machine="a machine, 2 cores",
        revision=None,
        finished="2026-01-01T00:00:00+00:00",
    )


def slower(found: RowResult, seconds_per_epoch: float, **changes: object) -> RowResult:
    """The same with other seconds an epoch."""
    return replace(found, seconds_per_epoch=seconds_per_epoch, **changes)


def of_levels(name: str, bits: float | None, images: str | None = None) -> RowResult:
    """A result of a row of `LEVELS`."""
    found = result(name, table=LEVELS)
    return replace(found, annealed=None, bits_per_dimension=bits, images=images)


def of_labels(name: str, error: float | None, seed: int = 0) -> RowResult:
    """A result of a row of `LABELS`."""
    found = result(name, seed, table=LABELS)
    return replace(found, annealed=None, error=error, calibration_error=error and error / 2)
