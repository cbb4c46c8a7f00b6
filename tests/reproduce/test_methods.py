"""Tables of methods: the documentation shows what is kept, and a page what was measured."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tfvae.cli.reproduce import METHOD_TABLES
from tfvae.errors import UserError
from tfvae.reproduce.files import TableFiles
from tfvae.reproduce.keeping import compare_methods, write_methods_page
from tfvae.reproduce.method_page import methods_page
from tfvae.reproduce.method_result import MethodResult, method_result
from tfvae.reproduce.methods import MethodTable, Quantity
from tfvae.reproduce.results import read_results

KEPT = Path(__file__).resolve().parents[2] / "docs" / "results"
ERROR = Quantity("error", "error", 1, "%", lower_is_better=True)
HARDEST = Quantity("right", "hardest", 2, hardest=True)


@dataclass(frozen=True)
class Task:
    """A task of two methods."""

    name: str = "task"
    title: str = "A task"
    text: str = "What is done."
    methods: tuple[str, ...] = ("one", "two")
    seeds: tuple[int, ...] = (0, 1)
    quantities: tuple[Quantity, ...] = (ERROR, HARDEST)

    def protocol(self, method: str) -> str:
        """By its name alone."""
        return f"{self.name}: {method}"


TABLE = MethodTable("small", "A small table", "Of methods.", [Task()], "builtins:print", " Once.")


@pytest.mark.parametrize("name", METHOD_TABLES)
def test_the_documentation_shows_what_is_kept(name):
    """After a change of the rows or of the page: `tfvae reproduce NAME --render`."""
    table, paths = METHOD_TABLES[name], TableFiles(KEPT, name)
    kept = read_results(paths.results, table, MethodResult)
    assert paths.page.read_text("utf-8") == methods_page(table, kept)


def result(seed, **measured):
    return method_result(TABLE.rows["task-one"], seed, measured, 1.26)


def test_the_best_way_is_that_of_the_first_quantity():
    found = result(0, plain={"error": [3.0, 5.0]}, better={"error": [3.5]}, worse={"error": [9.0]})
    assert found.best(TABLE.rows["task-one"]) == "error 3.5 % (better)"
    assert found.seconds == 1.3


def test_the_page_shows_means_of_seeds_the_hardest_part_and_what_was_not_run():
    kept = {
        ("task-one", 0): result(0, plain={"error": [3.0, 5.0], "right": [0.5, 0.9]}, odd={}),
        ("task-one", 1): result(1, plain={"error": [4.0, 6.0], "right": [0.8, 0.4]}, odd={}),
    }
    text = methods_page(TABLE, kept)
    # Part by part over the seeds: (0.5 + 0.8) / 2 and (0.9 + 0.4) / 2.
    assert "| plain | 4.5 (4.0 to 5.0) | 0.65 | 1 | 0, 1 |" in text
    assert "| odd |  |  | 1 | 0, 1 |" in text
    assert "| two | not run: `tfvae reproduce small --rows task-two` | | | |" in text
    assert " Once. 2 runs, the last of them " in text
    del kept["task-one", 1]
    assert "| plain | 4.0 | 0.50 | 1 | 0 (1 not run) |" in methods_page(TABLE, kept)
    other = {key: replace(each, protocol="another") for key, each in kept.items()}
    assert methods_page(TABLE, other) == methods_page(TABLE, {})


def test_a_broken_file_is_refused(tmp_path):
    (tmp_path / "small.json").write_text('{"schema": 1, "table": "small", "rows": [{}]}', "utf-8")
    with pytest.raises(UserError, match=r"small\.json can't be used: rows\.0\.row: Field required"):
        read_results(tmp_path / "small.json", TABLE, MethodResult)


def test_a_folder_that_cant_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    paths = TableFiles(tmp_path / "file" / "results", "small")
    for write in (write_methods_page, lambda *given: compare_methods(given[0], [], None, given[1])):
        with pytest.raises(OSError, match="Can't write"):
            write(TABLE, paths)
