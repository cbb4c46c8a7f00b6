"""The files of a table: what is kept, and what is made of it."""

from dataclasses import dataclass
from pathlib import Path

from tfvae.reproduce.page import page_text
from tfvae.reproduce.results import Kept, current_results, has_measured
from tfvae.reproduce.rows import ComparisonTable
from tfvae.runs.files import cannot_write, replacing, write_text


@dataclass(frozen=True)
class TableFiles:
    """The files of a table.

    Attributes:
        folder: That holds them.
        name: Of the table.
    """

    folder: Path
    name: str

    def make_folder(self) -> None:
        """Makes the folder where it is missing.

        Raises:
            UserOSError: if that can't be done.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    @property
    def results(self) -> Path:
        """What is kept."""
        return self.folder / f"{self.name}.json"

    @property
    def page(self) -> Path:
        """Made of the results."""
        return self.folder / f"{self.name}.md"

    @property
    def chart(self) -> Path:
        """Made of the results."""
        return self.folder / f"{self.name}.png"

    @property
    def images(self) -> Path:
        """Made of the results, where they have images."""
        return self.folder / f"{self.name}-samples.png"


def write_page(table: ComparisonTable, kept: Kept, paths: TableFiles) -> None:
    """Writes the page and, where there is something to draw, its pictures; makes their folder.

    Raises:
        UserOSError: if they can't be written.
    """
    from tfvae.reproduce.chart import draw_chart  # matplotlib
    from tfvae.reproduce.images import draw_images

    results = current_results(table, kept)
    paths.make_folder()
    if has_measured(table, results):
        with replacing(paths.chart) as beside:
            draw_chart(table, results, beside)
    if any(run.images for runs in results.values() for run in runs):
        with replacing(paths.images) as beside:
            draw_images(table, results, beside)
    write_text(paths.page, page_text(table, kept))
