"""The pages are what the kept results render to, and show what there is and what is not."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.reproduce.small import LABELS, LEVELS, TABLE, of_labels, of_levels, result
from tfvae.reproduce.chart import drawn_values
from tfvae.reproduce.files import TableFiles, write_page
from tfvae.reproduce.images import shown_images
from tfvae.reproduce.page import page_text
from tfvae.reproduce.results import current_results, has_measured, read_results
from tfvae.reproduce.tables import TABLES

KEPT = Path(__file__).resolve().parents[2] / "docs" / "results"


@pytest.mark.parametrize("name", TABLES)
def test_the_documentation_shows_what_is_kept(name):
    """After a change of the rows or of this page: `tfvae reproduce NAME --render`."""
    table, paths = TABLES[name], TableFiles(KEPT, name)
    kept = read_results(paths.results, table)
    assert paths.page.read_text("utf-8") == page_text(table, kept)
    results = current_results(table, kept)
    described = {paths.chart: None, paths.images: None}
    if has_measured(table, results):
        described[paths.chart] = drawn_values(table, results)
    if any(run.images for runs in results.values() for run in runs):
        described[paths.images] = shown_images(results)
    for path, description in described.items():
        assert path.exists() == (description is not None)
        if description is not None:
            assert path.stat().st_size < 100_000
            with Image.open(path) as picture:
                assert picture.info["Description"] == description


def row_of(text, name):
    lines = [line for line in text.splitlines() if line.startswith(f"| {name} | ")]
    return [cell.strip() for cell in lines[0].strip("|").split("|")]


def test_a_row_shows_its_runs_its_paper_and_what_is_missing():
    one = row_of(page_text(TABLE, {("diag", 0): result("diag")}), "diag")
    assert one[1:5] == ["-21.00 +- 0.25", "-22.00", "+0.25", "2"]
    assert one[5:] == ["0.5", "4", "0 (1 not run)", "-20.00 (Somebody 2000)"]
    kept = {("diag", seed): result("diag", seed) for seed in (0, 1)}
    both = row_of(page_text(TABLE, kept), "diag")
    assert (both[1], both[7]) == ("-21.50 (-22.00 to -21.00)", "0, 1")
    short = row_of(page_text(TABLE, {("diag", 0): result("diag", epochs=2)}), "diag")
    assert short[6] == "2 of 4"


def test_what_was_not_run_stands_there_with_its_command():
    text = page_text(TABLE, {})
    for name in TABLE.rows:
        assert row_of(text, name)[1] == f"not run: `tfvae reproduce small --rows {name}`"
    assert "`tfvae train digits --units 8 --latent-size 2" in text
    assert "that of diag, with the epochs that fit into 5 s" in text
    assert "small.png" not in text
    other = replace(result("diag"), command="tfvae train digits --seed 0")
    assert page_text(TABLE, {("diag", 0): other}) == text


def test_what_is_not_of_real_numbers_has_no_annealed_likelihood():
    bits = replace(result("sbn", epochs=1), annealed=None, active_units=None)
    cells = row_of(page_text(TABLE, {("sbn", 0): bits}), "sbn")
    assert cells[3:5] == ["", ""]


def test_chains_that_stayed_where_they_were_are_said_to():
    found = result("diag")
    stuck = replace(found, annealed=replace(found.annealed, acceptance_rate=0.04))
    cells = row_of(page_text(TABLE, {("diag", 0): stuck}), "diag")
    assert cells[3] == "+0.25, 4% accepted"


def test_page_and_chart_are_written(tmp_path):
    paths = TableFiles(tmp_path, "small")
    kept = {("diag", 0): result("diag"), ("sbn", 0): result("sbn", epochs=1)}
    write_page(TABLE, kept, paths)
    assert "![log p(x) of each run](small.png)" in paths.page.read_text("utf-8")
    with Image.open(paths.chart) as picture:
        assert picture.info["Description"] == '{"diag": [-21.0], "sbn": [-21.0]}'
        assert picture.width > 500


def test_bits_are_shown_of_levels_bounds_are_said_and_densities_have_none(tmp_path):
    kept = {
        ("levels", 0): of_levels("levels", 2.5),
        ("noisy", 0): of_levels("noisy", 2.75),
        ("raw", 0): of_levels("raw", None),
    }
    text = page_text(LEVELS, kept)
    assert "| row | bits | log p(x) | ELBO | active | s an epoch | epochs | seeds |" in text
    assert [row_of(text, name)[1] for name in ("levels", "noisy", "raw")] == [
        "2.500",
        "at most 2.750",
        "a density",
    ]
    assert row_of(text, "levels")[4:] == ["2", "0.5", "4", "0"]
    assert "AIS" not in text
    paths = TableFiles(tmp_path, "levels")
    write_page(LEVELS, kept, paths)
    with Image.open(paths.chart) as picture:
        assert picture.info["Description"] == '{"levels": [2.5], "noisy": [2.75]}'


def test_a_table_of_densities_alone_has_no_chart(tmp_path):
    paths = TableFiles(tmp_path, "levels")
    write_page(LEVELS, {("raw", 0): of_levels("raw", None)}, paths)
    assert "levels.png" not in paths.page.read_text("utf-8")
    assert not paths.chart.exists()
    assert not paths.images.exists()


def test_sections_are_compared_by_what_they_say_and_drawn_so(tmp_path):
    kept = {("alone", 0): of_labels("alone", None)}
    kept |= {("few", seed): of_labels("few", 0.25 * (seed + 1), seed) for seed in (0, 1)}
    text = page_text(LABELS, kept)
    assert "| row | log p(x) | ELBO | active | s an epoch | epochs | seeds |" in text
    assert "| row | error | calibration | log p(x) | ELBO |" in text
    assert row_of(text, "alone")[1:3] == ["-21.00 +- 0.25", "-22.00"]
    few = row_of(text, "few")
    assert few[1] == "0.3750 (0.2500 to 0.5000)"
    assert few[2] == "0.188 (0.125 to 0.250)"
    assert few[-1] == "0.0500 (Somebody 2000)"
    assert "The error is the share" in text
    assert "The error is the share" not in page_text(TABLE, {})
    paths = TableFiles(tmp_path, "labels")
    write_page(LABELS, kept, paths)
    assert "![log p(x) and error of each run](labels.png)" in text
    with Image.open(paths.chart) as picture:
        assert picture.info["Description"] == '{"alone": [-21.0], "few": [0.25, 0.5]}'
