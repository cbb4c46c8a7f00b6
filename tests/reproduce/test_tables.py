"""The rows of the tables are runs that `tfvae train` takes."""

import click
import pytest

from tfvae.cli.main import cli
from tfvae.cli.settings import given_settings
from tfvae.reproduce.rows import Budget
from tfvae.reproduce.tables import TABLES

ROWS = [(table, row) for table in TABLES.values() for row in table.rows.values()]


@pytest.mark.parametrize(("table", "row"), [pytest.param(t, r, id=r.name) for t, r in ROWS])
def test_the_command_of_a_row_gives_its_settings(table, row, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if row.changes.get("dataset", "").endswith(".npz"):  # the user's own
        (tmp_path / row.changes["dataset"]).touch()
    words = row.command(3, 7).split()
    command = cli.get_command(click.Context(cli), words[1])
    context = command.make_context(words[1], words[2:])
    found = given_settings(context, context.params["preset"])
    assert found == row.settings(3, 7)
    assert (found["seed"], found["epochs"]) == (3, 7)


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_what_a_table_refers_to_is_there_and_comes_first(table):
    assert sum(len(section.rows) for section in table.sections) == len(table.rows)
    order = list(table.rows)
    for section in table.sections:
        assert set(section.beside) <= set(order)
    for row in table.rows.values():
        assert len(set(row.seeds)) == len(row.seeds)
        if isinstance(row.epochs, Budget):
            assert row.epochs.pace in order[: order.index(row.name)]
            pace = table.rows[row.epochs.pace]
            assert (pace.preset, pace.changes) == (row.preset, row.changes)


def test_the_two_tables_have_the_same_rows():
    ours = set(TABLES["digits"].rows)
    assert ours < set(TABLES["one-level"].rows)
    assert {"diag", "tril", "prior-vamp", "iwae-50", "sbn-concrete"} < ours


def test_likelihoods_are_of_levels_of_noise_or_of_densities():
    """A row is dequantised, of whole levels, or a raw density; the name says the last."""
    table = TABLES["likelihoods"]
    for name, row in table.rows.items():
        settings = row.settings(0, 1)
        noisy = settings["dequantise"] is not None
        assert settings["binarisation"] == "none"
        assert noisy + settings.discrete + name.endswith("-raw") == 1
        levels = 17 if name.startswith("digits") else 256
        assert settings["dequantise"] in (None, levels)
        assert settings.get("likelihood.num_levels", levels) == levels
        assert (row.num_images > 0) == (not name.startswith("frey"))  # not to be shown
    kinds = {name.partition("-")[2] for name in table.rows if name.startswith("fashion")}
    assert kinds == {name.partition("-")[2] for name in table.rows if name.startswith("frey")}
