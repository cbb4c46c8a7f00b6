"""What a table of results is made of: rows that are data, in sections.

A row is the settings of a run by the words of `tfvae train`, how long it trains, with which seeds,
and what a paper reports for it. Nothing here needs TensorFlow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tfvae import presets, values
from tfvae.reproduce.measure import LIKELIHOOD, Measure
from tfvae.settings.known import flag
from tfvae.settings.settings import Settings


@dataclass(frozen=True)
class Published:
    """What a paper reports.

    Attributes:
        value: In the section's measure: nats an example (the negative of an NLL), or an error.
        source: Authors, year, and what differs from the row.
    """

    value: float
    source: str


@dataclass(frozen=True)
class Budget:
    """As many epochs as fit into a time, by the kept seconds an epoch of the row `pace`.

        epochs = round(seconds / seconds an epoch of `pace`)

    The number is fixed before training starts, so that a schedule of the learning rate ends where
    the training does; a stop by the clock would end it on the way.

    Attributes:
        pace: Name of a row of the same model.
        seconds: The time.
    """

    pace: str
    seconds: float


@dataclass(frozen=True)
class Row:
    """One row: a run for each of its seeds.

    Attributes:
        name: In its table, and of its runs' folder.
        preset: Of `tfvae train`.
        changes: Settings that differ from the preset's, by the names that the command line takes.
        epochs: Of each run.
        seeds: Of its runs.
        published: The paper's figure, if there is one that was looked up.
        num_images: Samples of the first seed that the page shows; 0 for none.
        code_labels: The error is that of a classifier of the run's codes, which has seen so many
            labels (M1); None for the model's own.
    """

    name: str
    preset: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | Budget = 100
    seeds: tuple[int, ...] = (0,)
    published: Published | None = None
    num_images: int = 0
    code_labels: int | None = None

    def settings(self, seed: int, epochs: int) -> Settings:
        """The settings of a run."""
        return presets.get(self.preset, **self.changes, epochs=epochs, seed=seed)

    def command(self, seed: int, epochs: int) -> str:
        """The `tfvae train` command of a run."""
        options = {**self.changes, "epochs": epochs, "seed": seed}
        words = [f"{flag(name)} {values.as_text(value)}" for name, value in options.items()]
        return " ".join(["tfvae train", self.preset, *words])


@dataclass(frozen=True)
class Section:
    """Rows that are compared with each other.

    Attributes:
        title: Its heading.
        text: What is compared, and what to know when reading it.
        rows: Those that stand here.
        beside: Names of rows of other sections that are shown here again, to compare with.
        measure: What they are compared by.
    """

    title: str
    text: str
    rows: tuple[Row, ...]
    beside: tuple[str, ...] = ()
    measure: Measure = LIKELIHOOD


@dataclass(frozen=True)
class Annealing:
    """How much of annealed importance sampling a model is measured by.

    Attributes:
        num_examples: The first so many held out.
        num_chains: For each example.
        num_steps: Temperatures.
        start: "prior", or "posterior" for q(z|x): from the prior, 500 temperatures end 200 nats
            short of importance sampling where z has 50 dimensions.
    """

    num_examples: int = 100
    num_chains: int = 16
    num_steps: int = 500
    start: Literal["prior", "posterior"] = "prior"


@dataclass(frozen=True)
class ComparisonTable:
    """A table of results.

    Attributes:
        name: On the command line, of its files and of its runs' folder.
        title: Its heading.
        text: What data, network and measure its rows share.
        sections: Its rows.
        annealing: The same for all rows; None to go without.
    """

    name: str
    title: str
    text: str
    sections: tuple[Section, ...]
    annealing: Annealing | None = Annealing()

    @property
    def rows(self) -> dict[str, Row]:
        """All rows by name, in order."""
        return {row.name: row for section in self.sections for row in section.rows}

    @property
    def has_published(self) -> bool:
        """Whether any of them stands beside a paper's figure."""
        return any(row.published for row in self.rows.values())

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What its sections compare, each once, in their order."""
        return tuple(dict.fromkeys(section.measure for section in self.sections))

    def measure(self, name: str) -> Measure:
        """By which a row is compared in the section where it stands."""
        return next(
            section.measure
            for section in self.sections
            if any(row.name == name for row in section.rows)
        )
