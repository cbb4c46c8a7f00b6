"""Tables of methods, side by side on the same tasks, as rows that are data.

A row is a task and a method; a table names the function that runs one. Nothing here needs
TensorFlow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


@dataclass(frozen=True)
class Quantity:
    """What of a method is measured, a column of the page.

    Attributes:
        name: In the results, which have a value for each part of the task, or one.
        title: Of the column.
        digits: Behind the point.
        unit: Of the values, where they have one.
        lower_is_better: Rather than higher.
        hardest: Whether the column has the lowest part, each the mean over the seeds; otherwise
            it has the mean over the parts.
    """

    name: str
    title: str
    digits: int
    unit: str = ""
    lower_is_better: bool = False
    hardest: bool = False

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    def text(self, value: float) -> str:
        """A value without its unit."""
        return f"{value:.{self.digits}f}"


class MethodTask(Protocol):
    """What methods are compared at: a section of the page, and its rows."""

    @property
    def name(self) -> str:
        """Of the rows' beginning."""

    @property
    def title(self) -> str:
        """Of the section."""

    @property
    def text(self) -> str:
        """What is done, below the title."""

    @property
    def methods(self) -> Sequence[str]:
        """Of the rows, in order."""

    @property
    def seeds(self) -> Sequence[int]:
        """Of every row."""

    @property
    def quantities(self) -> Sequence[Quantity]:
        """The columns; by the first of them a line says how good a method is."""

    def protocol(self, method: str) -> str:
        """What a result depends on, beside the seed: another means that it is run again."""


Task = TypeVar("Task", bound=MethodTask)


@dataclass(frozen=True)
class MethodRow(Generic[Task]):
    """A method on a task.

    Attributes:
        task: What it has to do.
        method: One of the task's.
    """

    task: Task
    method: str

    @property
    def name(self) -> str:
        """On the command line."""
        return f"{self.task.name}-{self.method}"

    @property
    def seeds(self) -> Sequence[int]:
        """Of the task."""
        return self.task.seeds

    def protocol(self) -> str:
        """What a result depends on, beside the seed: another means that it is run again."""
        return self.task.protocol(self.method)


@dataclass(frozen=True)
class MethodTable:
    """A table of methods.

    Attributes:
        name: On the command line and of its files.
        title: Its heading.
        text: What is measured, and how.
        tasks: Its sections.
        runner: `module:function`, from a row and a seed to what was measured of each way of using
            the method: way -> quantity -> a value for each part of the task, or one.
        measured: What the page says at its end of how numbers were found.
        rows: By name, in order.
    """

    name: str
    title: str
    text: str
    tasks: Sequence[MethodTask]
    runner: str
    measured: str = ""
    rows: dict[str, MethodRow] = field(init=False)

    def __post_init__(self) -> None:
        rows = [MethodRow(task, method) for task in self.tasks for method in task.methods]
        object.__setattr__(self, "rows", {row.name: row for row in rows})
