"""What a run of a row came to."""

from dataclasses import dataclass
from typing import ClassVar

from tfvae.reproduce.rows import Row


@dataclass(frozen=True)
class AnnealedResult:
    """The likelihood of a few examples from annealed chains, and from importance samples.

    Attributes:
        log_likelihood: From the chains, nats an example.
        importance_weighted: Of the same examples, as the whole table measures it.
        acceptance_rate: Of the last transition; see `annealed_importance_sampling`.
        num_examples: The first so many held out.
        num_chains: For each example.
        num_steps: Temperatures.
        start: Of the chains, "prior" or "posterior".
    """

    log_likelihood: float
    importance_weighted: float
    acceptance_rate: float
    num_examples: int
    num_chains: int
    num_steps: int
    start: str = "prior"


@dataclass(frozen=True)
class RowResult:
    """What a run of a row came to, and all that it depends on.

    Attributes:
        row: Name of the row.
        seed: Of weights, order and noise.
        command: The `tfvae train` command that trains the same.
        epochs: That were trained.
        of_epochs: That the row asks for: more, where the run was cut short.
        log_likelihood: Importance-weighted, nats an example; None of a model of several stages,
            whose likelihood is an integral.
        standard_error: Of it, over the examples; None of a single one.
        num_samples: Draws of z for each example.
        num_examples: Held out.
        elbo, nll, kl: Of the same examples, or None likewise.
        annealed: None where z is not of real numbers.
        active_units: Latent dimensions in use; None where there are no codes.
        seconds_per_epoch: First decile of all epochs: other work on the machine disturbs it least.
        training_seconds, evaluation_seconds: Of the run.
        versions: Of the libraries.
        machine: Processor, and accelerators.
        revision: Of the code; None outside of a checkout.
        finished: When, UTC.
        bits_per_dimension: Of levels, or at least those of dequantised levels; None of densities.
        error: Share of the held-out examples whose label is missed; None where there is no label.
        calibration_error: Of the same probabilities, expected; see `tfvae.uses.Calibration`.
        code_labels: How many labels a classifier of the codes has seen, whose error it is; None
            where it is the model's own.
        images: Samples from the prior, if the row shows some; see `tfvae.reproduce.images`.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "strict": True, "allow_inf_nan": False}

    row: str
    seed: int
    command: str
    epochs: int
    of_epochs: int
    log_likelihood: float | None
    standard_error: float | None
    num_samples: int
    num_examples: int
    elbo: float | None
    nll: float | None
    kl: float | None
    annealed: AnnealedResult | None
    active_units: int | None
    seconds_per_epoch: float
    training_seconds: float
    evaluation_seconds: float
    versions: dict[str, str]
    machine: str
    revision: str | None
    finished: str
    bits_per_dimension: float | None = None
    error: float | None = None
    calibration_error: float | None = None
    code_labels: int | None = None
    images: str | None = None

    def is_of(self, row: Row) -> bool:
        """Whether the row would still be run like this, but for the number of epochs."""
        fixed = isinstance(row.epochs, int)
        same = row.command(self.seed, self.epochs) == self.command
        same = same and row.code_labels == self.code_labels
        return same and (not fixed or row.epochs == self.of_epochs)

    def has(self, epochs: int | None) -> bool:
        """Whether it was trained for at least so many epochs; None for all of its row's."""
        return self.epochs >= min(self.of_epochs, epochs or self.of_epochs)
