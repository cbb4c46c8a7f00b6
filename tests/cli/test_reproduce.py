"""`tfvae reproduce`: what it refuses, lists and renders; tests/reproduce has the rows."""

import pytest

from tfvae.cli.reproduce import METHOD_TABLES
from tfvae.reproduce.tables import TABLES


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["one-levle"], "no such table 'one-levle'. Did you mean 'one-level'?"),
        (["digits", "--rows", "trill"], "no such row 'trill' in digits. Did you mean 'tril'?"),
        (["digits", "--rows", "tril,"], "no such row '' in digits. Expected some of diag, tril"),
        (["digits", "--rows", "tril,diag,tril"], "tril is given twice"),
        (["digits", "--seeds", "0,1,0"], "0 is given twice"),
        (["digits", "--seeds", "0,00"], "0 is given twice"),
        (["digits", "--seeds", "-1"], "'-1' is not a seed. Expected whole numbers such as 0,1,2"),
        (["digits", "--seeds", "2147483648"], "'2147483648' is not a seed"),
        (["digits", "--epochs", "0"], "0 is not in the range x>=1"),
    ],
)
def test_bad_input_is_a_usage_error(tfvae_command, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    done = tfvae_command("reproduce", *arguments)
    assert done.code == 2
    assert said in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_is_one_line(tfvae_command, tmp_path):
    (tmp_path / "digits.json").write_text('{"schema": 1, "table": "digits", "rows": [{', "utf-8")
    done = tfvae_command("reproduce", "digits", "--results-dir", tmp_path)
    assert done.code == 1
    assert "digits.json is damaged" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_folder_that_cant_be_made_is_one_line(tfvae_command, tmp_path):
    (tmp_path / "file").touch()
    done = tfvae_command("reproduce", "digits", "--results-dir", tmp_path / "file" / "results")
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert "Can't write" in done.err


def test_it_lists_tables_and_rows(tfvae_command, tmp_path):
    tables = tfvae_command("reproduce").out.splitlines()
    assert [line.split()[0] for line in tables] == [*TABLES, *METHOD_TABLES]
    rows = tfvae_command("reproduce", "digits", "--list", "--results-dir", tmp_path).out
    assert [line.split()[0] for line in rows.splitlines()] == list(TABLES["digits"].rows)
    assert rows.count("not run") == len(TABLES["digits"].rows)


def test_a_page_without_results_is_rendered(tfvae_command, tmp_path):
    done = tfvae_command("reproduce", "one-level", "--render", "--results-dir", tmp_path / "new")
    assert done.code == 0
    assert done.out.strip() == str(tmp_path / "new" / "one-level.md")
    assert "-86.76 (Burda et al. 2016, VAE" in (tmp_path / "new" / "one-level.md").read_text()
    assert not (tmp_path / "new" / "one-level.png").exists()


def test_a_row_of_digits_is_reproduced(tfvae_command, tmp_path, monkeypatch):
    """The smallest of a real table, cut short."""
    monkeypatch.setattr("tfvae.training.compiling.xla_pays", lambda model: False)
    folders = ("--runs-dir", tmp_path / "runs", "--results-dir", tmp_path / "results")
    words = ("reproduce", "digits", "--rows", "sbn-nvil", "--epochs", "1", *folders)
    done = tfvae_command(*words)
    assert done.code == 0, done.err
    page = (tmp_path / "results" / "digits.md").read_text("utf-8")
    assert "| 1 of 400 | 0 |" in page
    assert "this model's z is bits" in done.out  # and has no annealed likelihood
    assert "sbn-nvil, seed 0: kept" in tfvae_command(*words).out


def test_ctrl_c_says_how_to_go_on(tfvae_command, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tfvae.reproduce.running.run_row", interrupted)
    folders = ("--runs-dir", tmp_path / "runs", "--results-dir", tmp_path / "results")
    done = tfvae_command("reproduce", "digits", *folders)
    assert done.code == 130
    assert "What is finished is kept: the same command goes on." in done.out
