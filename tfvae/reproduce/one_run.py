"""One run of a row: trained as `tfvae train` does, and measured further."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tfvae import data, evaluation
from tfvae.errors import DivergedError, UserError
from tfvae.models.capabilities import Encodes, Generates, Scores, require
from tfvae.reproduce.images import images_as_text
from tfvae.reproduce.row_result import AnnealedResult, RowResult
from tfvae.reproduce.rows import Annealing, Row
from tfvae.runs.classifying import judged_codes
from tfvae.runs.datasets import load_data
from tfvae.runs.folder import RunFolder
from tfvae.runs.machine import code_revision, library_versions, machine_name
from tfvae.runs.training import train

_NATS = ("log_likelihood", "standard_error", "elbo", "nll", "kl")


@dataclass(frozen=True)
class RowRun:
    """What is to be run.

    Attributes:
        row: Of a table.
        seed: One of those that were asked for.
        epochs: To train.
        of_epochs: That the row asks for.
    """

    row: Row
    seed: int
    epochs: int
    of_epochs: int

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.row.name}, seed {self.seed}"

    def folder(self, runs: Path) -> Path:
        """The run's folder below that of the table's runs."""
        return runs / self.row.name / f"seed-{self.seed}-epochs-{self.epochs}"


def run_row(
    run: RowRun, runs: Path, annealing: Annealing | None, report: Callable[[str], None]
) -> RowResult:
    """Trains a run, or goes on with it, and returns what it came to.

    Args:
        run: What is to be run.
        runs: The folder of the table's runs.
        annealing: How much of annealed importance sampling; None for none.
        report: Called with lines that say how it goes.

    Raises:
        UserError: as `train`, and DivergedError if the run came to nothing.
    """
    settings, folder = run.row.settings(run.seed, run.epochs), RunFolder(run.folder(runs))
    folder.check(settings)
    if not folder.finished:
        train(settings, folder.path, report=report)
    metrics = folder.read_metrics()
    if metrics.get("diverged"):
        raise DivergedError(
            f"training diverged: the ELBO ended at {metrics['test']['elbo']:.2f}, far below the "
            f"{metrics['untrained_elbo']:.2f} of the model before it was trained."
        )
    model = folder.read_model()
    test = _test(model, metrics, run.row.name)
    if run.row.code_labels is not None:
        test = test | judged_codes(model, settings, run.row.code_labels)
    held_out, seconds = load_data(settings, model)[1], metrics["seconds"]
    return RowResult(
        row=run.row.name,
        seed=run.seed,
        command=run.row.command(run.seed, run.epochs),
        epochs=metrics["epochs"],
        of_epochs=run.of_epochs,
        **{name: test[name] for name in _NATS},
        **{name: test[name] for name in ("num_samples", "num_examples")},
        annealed=_annealed(model, held_out, test["num_samples"], annealing, report),
        active_units=_active_units(model, held_out),
        seconds_per_epoch=round(seconds["epoch"], 4),
        training_seconds=seconds["training"],
        evaluation_seconds=seconds["evaluation"],
        versions=library_versions(),
        machine=machine_name(),
        revision=code_revision(),
        finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        bits_per_dimension=test.get("bits_per_dimension"),
        error=test.get("error"),
        calibration_error=test.get("calibration_error"),
        code_labels=run.row.code_labels,
        images=_images(model, run),
    )


def _test(model: Any, metrics: Mapping[str, Any], row: str) -> dict[str, Any]:
    """What was measured; of several stages how the last one classifies, for its nats are of codes.

    The whole of them has no likelihood at hand.
    """
    if not metrics.get("stages"):
        require(model, f"row {row}", Scores)
        return metrics["test"]
    *_, last = metrics["stages"].values()
    of_classes = "error", "calibration_error", "num_samples", "num_examples"
    return dict.fromkeys(_NATS) | {name: last["test"].get(name) for name in of_classes}


def _images(model: Any, run: RowRun) -> str | None:
    """Samples from the prior, the same codes for every row of as many latent dimensions."""
    if not run.row.num_images or run.seed != run.row.seeds[0]:
        return None
    require(model, f"row {run.row.name}", Generates)
    return images_as_text(model.sample(run.row.num_images, seed=0).numpy())


def _active_units(model: Any, held_out: Any) -> int | None:
    return evaluation.active_units(model, held_out).count if isinstance(model, Encodes) else None


def _annealed(
    model: Any,
    held_out: Any,
    num_samples: int,
    annealing: Annealing | None,
    report: Callable[[str], None],
) -> AnnealedResult | None:
    """The likelihood of a few examples by annealing, if asked for and z can be walked."""
    if annealing is None:
        return None
    examples = data.first_examples(held_out, annealing.num_examples)
    report("evaluating: annealed importance sampling")

    try:
        chains = evaluation.annealed_importance_sampling(
            model,
            examples,
            annealing.num_chains,
            annealing.num_steps,
            start=annealing.start,
            verbose=0,
        )
    except UserError as error:
        report(f"Note: {error} It is left out.")
        return None
    weighted = evaluation.log_likelihood(model, examples, num_samples, verbose=0)
    return AnnealedResult(
        log_likelihood=chains.mean,
        importance_weighted=weighted.mean,
        acceptance_rate=float(chains.acceptance_rate.mean()),
        num_examples=len(chains.per_example),
        num_chains=annealing.num_chains,
        num_steps=annealing.num_steps,
        start=annealing.start,
    )
