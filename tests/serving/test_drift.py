"""Drift of live data, by the served `score`: the statistics alone, and the command at a server."""

import math
import re

import numpy as np
import pytest
from scipy import stats

from tests.serving.conftest import IMAGE_SHAPE
from tfvae.errors import DivergedError, UserError
from tfvae.export.sets.manifest import MANIFEST, Manifest, Spread
from tfvae.serving import Client, drift
from tfvae.serving.drift import Drift


def normal(mean, std, count, seed=0):
    return np.random.default_rng(seed).normal(mean, std, count)


def moments_of(values):
    return drift.score_moments(dict.fromkeys(drift.METRICS, values))["kl"]


def test_z_is_welchs_statistic():
    live, held_out = normal(3.1, 2, 400), normal(3, 1, 900, seed=1)
    found = Drift(moments_of(live), moments_of(held_out))
    assert found.z == pytest.approx(stats.ttest_ind(live, held_out, equal_var=False).statistic)
    assert found.shift == pytest.approx((live.mean() - held_out.mean()) / held_out.std(ddof=1))


def test_false_alarms_are_as_rare_as_promised():
    """Of one distribution: beyond two standard errors in 4.55 % of the cases."""
    held_out = moments_of(normal(25, 4, 10_000, seed=99))
    tries = [Drift(moments_of(normal(25, 4, 500, seed=seed)), held_out) for seed in range(2000)]
    rate = np.mean([found.is_alarming(2.0, 0.0) for found in tries])
    # Three standard deviations of the rate, and what a single held-out mean moves it by.
    assert 0.03 < rate < 0.065


def test_a_change_has_to_be_no_chance_and_to_matter():
    held_out = Spread(25.0, 4.0, 10_000)
    cases = {(25.1, 10**6): False, (29.0, 31): True, (27.0, 30): False, (25.0, 10**6): False}
    for (mean, count), expected in cases.items():
        found = Drift(Spread(mean, 4.0, count), held_out)
        assert found.is_alarming(4.0, 0.1) is expected, (mean, count)


def test_constants_that_differ_have_no_finite_z():
    same = Spread(1.0, 0.0, 50)
    assert Drift(same, same).z == 0
    assert Drift(Spread(2.0, 0.0, 50), same).z == math.inf
    assert Drift(Spread(0.0, 0.0, 50), same).shift == -math.inf


def test_a_sample_that_says_nothing_is_refused():
    with pytest.raises(UserError, match="29 examples are too few"):
        moments_of(np.zeros(29))
    with pytest.raises(DivergedError, match="kl of 1 of 40 examples is not finite, first of exa"):
        moments_of(np.where(np.arange(40) == 7, np.nan, 0.0))


@pytest.fixture(scope="module")
def held_out():
    return np.random.default_rng(1).random((300, *IMAGE_SHAPE), np.float32)


@pytest.fixture(scope="module")
def export(server, held_out, tmp_path_factory):
    """An export folder, of which a comparison needs the manifest alone."""
    with Client(server.rest_url) as client:
        found = drift.score_moments(drift.score_all(client, {"x": held_out}, 32))
    folder = tmp_path_factory.mktemp("export") / "tiny"
    folder.mkdir()
    manifest = Manifest("tiny", 1, "VAE", "0" * 64, "0.1.0", "2.21.0", metrics=found)
    (folder / MANIFEST).write_bytes(manifest.content())
    return folder


@pytest.fixture
def run(server, export, tmp_path, capsys):
    """`tfvae drift` for an array, or the arrays of fields: its exit code and what it prints."""
    from tfvae.cli.main import main

    def call(data, *options):
        path = tmp_path / ("data.npz" if isinstance(data, dict) else "data.npy")
        np.savez(path, **data) if isinstance(data, dict) else np.save(path, data)
        code = 0
        try:
            main(["drift", str(export), str(path), "--url", server.rest_url, *map(str, options)])
        except SystemExit as ended:
            code = ended.code
        return code, capsys.readouterr()

    return call


def test_data_of_the_same_kind_do_not_alarm(run):
    code, said = run(np.random.default_rng(2).random((200, *IMAGE_SHAPE), np.float32))
    assert (code, said.err) == (0, "")
    assert said.out.startswith("tiny, version 1, at http://")
    assert said.out.endswith("no drift\n")
    assert [line.split()[0] for line in said.out.splitlines()[2:5]] == ["kl", "nll", "elbo"]


def test_other_data_do(run, tmp_path):
    bright = 1 - np.random.default_rng(3).random((200, *IMAGE_SHAPE), np.float32) / 5
    code, said = run({"x": bright}, "--textfile", tmp_path / "drift.prom")
    assert code == 1
    assert re.search(r"^drift: .*nll", said.out, re.MULTILINE)
    text = (tmp_path / "drift.prom").read_text()
    assert 'tfvae_drift_alarm{set="tiny",version="1"} 1\n' in text
    z = float(re.search(r'standard_errors\{.*metric="nll"\} (\S+)', text)[1])
    assert abs(z) > 4


def test_bytes_are_scaled_by_the_model_and_other_data_can_be_compared_with(run, held_out, tmp_path):
    bright = 1 - held_out / 5
    np.save(tmp_path / "against.npy", bright)
    pixels = np.round(255 * bright).astype(np.uint8)
    code, said = run(pixels, "--against", tmp_path / "against.npy")
    assert code == 0, said.out
    assert run(held_out, "--against", tmp_path / "against.npy")[0] == 1


def test_the_textfile_is_what_prometheus_reads(run, held_out, tmp_path):
    code, _ = run(held_out, "--textfile", tmp_path / "drift.prom")
    assert code == 0
    for line in (tmp_path / "drift.prom").read_text().splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+\{(\w+="[^"]*",?)+\} [-+.\de]+', line), line


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ({"y": np.zeros((40, 2))}, (), "the data have no 'x', only ['y']"),
        ({"x": np.zeros((40, 2)), "c": np.zeros(3)}, (), "received rows: {'x': 40, 'c': 3"),
        (np.zeros((3, *IMAGE_SHAPE)), (), "3 examples are too few"),
        (np.zeros((40, 2)), (), "INVALID_ARGUMENT"),
        (np.zeros((40, *IMAGE_SHAPE)), ("--prefix", "no-"), "NOT_FOUND"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_line(run, data, options, message):
    code, said = run(data, *options)
    assert code == 1
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_manifest_without_metrics_asks_for_data(held_out):
    live = dict.fromkeys(drift.METRICS, Spread(0.0, 1.0, 50))
    with pytest.raises(UserError, match="give a file of such data"):
        drift.drifts(live, {})
