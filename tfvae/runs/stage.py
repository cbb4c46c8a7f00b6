"""One model of a run: trained on its data, saved and measured."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tfvae import data
from tfvae.models.capabilities import Scores, ScoresExactly
from tfvae.runs.code_bounds import bounds_alone, measure_bound
from tfvae.runs.datasets import Datasets, model_and_data, report_bits
from tfvae.runs.files import replacing
from tfvae.runs.fitting import check_statistics, fit
from tfvae.runs.folder import RunFolder
from tfvae.runs.machine import library_versions, peak_memory_mb
from tfvae.runs.measuring import (
    has_diverged,
    measure,
    measure_reconstruction,
    reconstructs_alone,
    untrained_elbo,
)
from tfvae.settings.settings import Settings

Report = Callable[[str], None]


@dataclass
class Stage:
    """A model and its data, and what training made of them.

    Attributes:
        settings: Of the stage.
        model: Built, with fresh weights until it is trained.
        datasets: Training and held-out data.
        rows: The history.
        metrics: What `metrics.json` holds.
    """

    settings: Settings
    model: Any
    datasets: Datasets
    rows: list[dict[str, float]] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "Stage":
        """Loads the data and makes the model; nothing is written.

        Raises:
            UserError: for an unknown data set, or settings that a member refuses.
        """
        made = cls(settings, *model_and_data(settings))
        check_statistics(made.model, settings)
        return made

    def train(self, folder: RunFolder, report: Report, begun: float | None = None) -> None:
        """Trains the model or goes on with it, saves it into the folder, and measures it.

        Args:
            folder: Prepared and locked.
            report: Called with lines that say how it goes.
            begun: `time.perf_counter()` where the elapsed time in them begins; None for now.
        """
        if changed := folder.changed_versions(library_versions()):
            report(
                f"Note: the run began with other versions ({', '.join(changed)}), and may end with "
                "other weights than it would have had with those."
            )
        report_bits(self.settings, self.model, self.datasets[1], report)
        if hasattr(self.model, "adapt"):
            wanted = getattr(self.model, "num_examples_to_adapt", 0)
            some = data.first_examples(self.datasets[0], wanted) if wanted else None
            some = some["x"] if isinstance(some, dict) else some
            self.model.adapt(data.mean(self.datasets[0]), *(() if some is None else (some,)))
        untrained = untrained_elbo(self.model, self.datasets[1])
        options = self.settings.group("training")
        self.rows = fit(self.model, self.settings, folder, self.datasets, report, begun, **options)
        with replacing(folder.model) as beside:
            self.model.save(beside)
        self.metrics = self._measured(report)
        if untrained is not None and "test" in self.metrics:
            self.metrics |= {
                "untrained_elbo": untrained,
                "diverged": has_diverged(self.metrics["test"]["elbo"], untrained),
            }

    def _measured(self, report: Report) -> dict[str, Any]:
        begun, measured = time.perf_counter(), {}
        if isinstance(self.model, Scores):
            samples = self.settings["eval_samples"]
            report(
                "evaluating: log p(x), which is exact"
                if isinstance(self.model, ScoresExactly)
                else f"evaluating: importance-weighted likelihood, {samples} samples each"
            )
            options = self.settings.group("evaluation")
            measured["test"] = measure(self.model, self.datasets[1], **options)
        elif bounds_alone(self.model):
            report("evaluating: the bound, of all held-out examples")
            measured["test"] = measure_bound(
                self.model, self.datasets[1], self.settings["eval_examples"]
            )
        elif reconstructs_alone(self.model):
            report("evaluating: reconstructions, beside those of PCA")
            measured["test"] = measure_reconstruction(
                self.model, *self.datasets, self.settings["eval_examples"]
            )
        last = self.rows[-1]
        return {
            **measured,
            "train": {name: last[name] for name in ("elbo", "nll", "kl") if name in last},
            "epochs": len(self.rows),
            "weights": self.model.count_params(),
            "seconds": {
                "first_epoch": self.rows[0]["seconds"],
                "epoch": _undisturbed([row["seconds"] for row in self.rows]),
                "training": round(sum(row["seconds"] for row in self.rows), 2),
                "evaluation": round(time.perf_counter() - begun, 2),
            },
            "peak_memory_mb": peak_memory_mb(),
        }


def _undisturbed(seconds: list[float]) -> float:
    """What an epoch takes: the first decile, which other work on the machine disturbs least."""
    return sorted(seconds)[len(seconds) // 10]
