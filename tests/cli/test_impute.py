"""`tfvae impute`: holes filled in the data's own units, and what it refuses."""

import csv

import matplotlib.image
import numpy as np
import pytest
from sklearn.datasets import load_wine

import tfvae
from tests.cli.small_runs import trained
from tfvae import uses
from tfvae.data.standardising import mean_and_scale

pytestmark = pytest.mark.usefixtures("without_xla")

_DRAWS = ("--num-samples", "20")


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("wine") / "run", "breast-cancer-missing", dataset="wine")


def table_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    return names, np.array(rows, dtype=float)


def with_holes(path):
    """Twelve wines with names of their columns, some of whose entries are empty."""
    x = load_wine().data[:12].copy()
    x[::2, 3], x[1, 5:9] = np.nan, np.nan
    cells = [["" if np.isnan(v) else repr(float(v)) for v in row] for row in x]
    lines = [[f"c{n}" for n in range(13)], *cells]
    path.write_text("\n".join(",".join(line) for line in lines) + "\n", "utf-8")
    return x


def test_held_out_rows_are_filled_and_measured(tfvae_command, wine):
    done = tfvae_command("impute", wine.path, *_DRAWS, "--seed", "3")
    assert done.code == 0, done.err
    _, found = table_of(wine.path / "imputed.csv")
    options = {"missing": 0.5, "fields": ("x", "seen")}
    model, rows = wine.read_model(), tfvae.data.load("wine", standardise=True, **options)
    mean, scale = mean_and_scale(tfvae.data.load("wine", **options)[0].recipe.columns)
    filled = uses.impute(model, rows[1], 20, seed=3) * scale + mean
    np.testing.assert_allclose(found, filled, rtol=1e-3)
    truth = tfvae.data.arrays("wine").test["x"]
    hidden = rows[1].recipe.columns.read()["seen"] == 0
    np.testing.assert_allclose(found[~hidden], truth[~hidden], rtol=1e-6)
    error = np.sqrt(np.mean((((found - truth) / scale)[hidden]) ** 2))
    count, said, path = done.out.splitlines()[-3:]
    assert count == f"filled {hidden.sum()} of {36 * 13} entries of 36 rows"
    assert said == f"root mean squared error {error:.4f} in the columns' standard deviations"
    assert path == str(wine.path / "imputed.csv")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("digits") / "run", "digits-missing")


def test_held_out_images_are_filled_measured_and_shown(tfvae_command, digits):
    done = tfvae_command("impute", digits.path, *_DRAWS)
    assert done.code == 0, done.err
    found = np.load(digits.path / "imputed.npz")
    x, seen, truth = found["x"], found["seen"], tfvae.data.arrays("digits").test["x"]
    assert np.all((~seen).sum(axis=(1, 2, 3)) == 16)
    np.testing.assert_array_equal(x[seen], truth[seen])
    error = np.sqrt(np.mean(np.square(x - truth)[~seen]))
    picture, count, said, path = done.out.splitlines()[-4:]
    assert count == f"filled {359 * 16} of {359 * 64} entries of 359 rows"
    assert said == f"root mean squared error {error:.4f} in the units of x"
    assert (picture, path) == (f"{digits.path}/imputed.png", f"{digits.path}/imputed.npz")
    assert matplotlib.image.imread(picture).std() > 0.05


def test_a_picture_shows_holes_and_every_filling(tfvae_command, digits, tmp_path, monkeypatch):
    """Of images whose truth nobody knows there is no row of it."""
    drawn = {}
    monkeypatch.setattr(
        "tfvae.evaluation.pictures.image_rows",
        lambda rows, title, save: drawn.update(rows) or save.touch(),
    )
    x = tfvae.data.arrays("digits").test["x"][:12].copy()
    x[:, :4] = np.nan
    np.save(tmp_path / "digits.npy", x)
    words = (*_DRAWS, "--imputations", "2")
    done = tfvae_command("impute", digits.path, tmp_path / "digits.npy", *words)
    assert done.code == 0, done.err
    assert list(drawn) == ["seen", "expected", "filled 1", "filled 2", "filled 3"]
    assert {len(images) for images in drawn.values()} == {10}
    np.testing.assert_array_equal(drawn["seen"], np.where(np.isnan(x), 0.5, x)[:10])
    expected = np.load(digits.path / "imputed.npz")["x"][:10]
    np.testing.assert_allclose(drawn["expected"], np.clip(expected, 0, 1), atol=1e-6)
    for name in ("expected", "filled 1", "filled 2", "filled 3"):
        np.testing.assert_array_equal(drawn[name][:, 4:], x[:10, 4:])
    assert np.any(drawn["filled 1"] != drawn["filled 2"])


def test_images_make_no_table(tfvae_command, digits):
    done = tfvae_command("impute", digits.path, "--output", digits.path / "out.csv")
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert "give --output a name.npz" in done.err


def test_a_table_keeps_its_names_and_what_is_seen(tfvae_command, wine, tmp_path):
    x = with_holes(tmp_path / "wines.csv")
    done = tfvae_command("impute", wine.path, tmp_path / "wines.csv", *_DRAWS)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-2] == "filled 10 of 156 entries of 12 rows"
    names, found = table_of(wine.path / "imputed.csv")
    assert names == [f"c{n}" for n in range(13)]
    seen = ~np.isnan(x)
    np.testing.assert_array_equal(found[seen], x[seen])
    # In the columns' own units: magnesium is some hundred, and hue about one.
    assert (found > load_wine().data.min(axis=0) / 3).all()
    assert (found < load_wine().data.max(axis=0) * 3).all()


def test_several_imputations_agree_where_it_is_seen_and_differ_elsewhere(
    tfvae_command, wine, tmp_path
):
    x, path = with_holes(tmp_path / "wines.csv"), tmp_path / "wines.csv"
    options = (*_DRAWS, "--imputations", "3")
    assert tfvae_command("impute", wine.path, path, *options).code == 0
    names, rows = table_of(wine.path / "imputed.csv")
    assert names[0] == "imputation"
    np.testing.assert_array_equal(rows[:, 0], np.repeat([0, 1, 2], 12))
    found = rows[:, 1:].reshape(3, 12, 13)
    seen = ~np.isnan(x)
    assert (found[:, seen] == x[seen]).all()
    assert (found[:, ~seen].std(axis=0) > 0).all()
    np.save(tmp_path / "wines.npy", x)
    output = tmp_path / "out.npz"
    arguments = (tmp_path / "wines.npy", *options, "--output", output)
    assert tfvae_command("impute", wine.path, *arguments).code == 0
    arrays = np.load(output)
    np.testing.assert_allclose(arrays["imputations"], found, rtol=1e-6)
    np.testing.assert_allclose(arrays["x"], found.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(arrays["seen"], seen)


def test_what_is_seen_is_written_to_its_last_digit(tfvae_command, wine, tmp_path):
    x = with_holes(tmp_path / "wines.csv")
    x[0, 0], x[0, 1] = 1234567890.125, 14.123456789012
    np.save(tmp_path / "wines.npy", x)
    assert tfvae_command("impute", wine.path, tmp_path / "wines.npy", *_DRAWS).code == 0
    _, found = table_of(wine.path / "imputed.csv")
    assert (found[~np.isnan(x)] == x[~np.isnan(x)]).all()


def test_a_mask_in_a_file_says_what_is_seen(tfvae_command, wine, tmp_path):
    x = with_holes(tmp_path / "wines.csv")
    seen = ~np.isnan(x)
    path, answers = tmp_path / "wines.npz", []
    for held in ({"x": x}, {"x": np.where(seen, x, 0.0), "seen": seen}):
        np.savez(path, **held)
        done = tfvae_command("impute", wine.path, path, *_DRAWS)
        assert "filled 10 of 156 entries" in done.out, done.err
        answers.append(table_of(wine.path / "imputed.csv")[1])
    np.testing.assert_array_equal(*answers)
    for mask in (seen[:, :12], np.where(seen, 1.0, 0.5)):
        np.savez(path, x=x, seen=mask)
        done = tfvae_command("impute", wine.path, path)
        assert (done.code, len(done.err.splitlines())) == (1, 1)
        assert "expected ones and zeros of the same shape" in done.err


def hidden_row(x):
    return np.concatenate([x, np.full((1, 13), np.nan)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x[:, :12], "expected (N, 13)"),
        (lambda x: x[0], "expected (N, 13)"),
        (hidden_row, "Row 12 (counted from 0)"),
        (lambda x: np.where(np.arange(13) == 2, np.inf, x), "infinite"),
        (lambda x: x.astype(str), "expected numbers"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tfvae_command, wine, tmp_path, change, said):
    np.save(tmp_path / "rows.npy", change(load_wine().data[:12]))
    output = tmp_path / "out.csv"
    done = tfvae_command("impute", wine.path, tmp_path / "rows.npy", "--output", output)
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert said in done.err
    assert not output.exists()


def test_text_in_a_table_is_refused_with_its_place(tfvae_command, wine, tmp_path):
    path = tmp_path / "text.csv"
    path.write_text("a,b\n1,2\n,none\n", "utf-8")
    done = tfvae_command("impute", wine.path, path)
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert "column 'b', the first in row 1 (counted from 0): 'none'" in done.err
    assert "where the run's data do" in done.err


def test_runs_and_flags_that_make_no_sense_are_refused(tfvae_command, wine, tmp_path):
    done = tfvae_command("impute", wine.path, "--output", tmp_path / "out.txt")
    assert done.code == 2
    assert "ends neither in .csv nor in .npz" in done.err
    done = tfvae_command("impute", wine.path, tmp_path / "nothing.csv")
    assert done.code == 2
    assert "does not exist" in done.err
    other = trained(tmp_path / "other")
    done = tfvae_command("impute", other.path)
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert "the run has a VAE" in done.err
