"""Rows of codes; the numbers of one that has codes: `tests/runs/test_vq_prior.py`."""

from types import SimpleNamespace

import click
import pytest

from tfvae.cli.main import cli
from tfvae.cli.settings import given_settings
from tfvae.reproduce import coding
from tfvae.reproduce.codes_table import CODES_TABLES, PIXELS

TABLE = CODES_TABLES["codes"]


def test_a_row_of_pixels_is_exact_and_has_no_codes(monkeypatch):
    metrics = {"test": {"log_likelihood": -20.0, "bits_per_dimension": 0.45}}
    monkeypatch.setattr(coding, "train", lambda *given: SimpleNamespace(metrics=metrics))
    found = coding.run_codes(TABLE.rows["digits-pixel-cnn"], 0)
    assert found == {PIXELS: {"bits": [0.45], "log_joint": [-20.0]}}


@pytest.mark.parametrize("row", TABLE.rows.values(), ids=list(TABLE.rows))
def test_the_command_of_a_row_gives_its_settings(row, tmp_path, monkeypatch):
    """A prior of another number of codes would be refused, after the command was given."""
    monkeypatch.chdir(tmp_path)
    words = row.protocol().partition(":")[0].split()
    command = cli.get_command(click.Context(cli), words[1])
    context = command.make_context(words[1], [*words[2:], "--seed", "3"])
    found = given_settings(context, context.params["preset"])
    assert found == row.task.settings(row.method, 3)
