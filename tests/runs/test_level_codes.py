"""Two levels of codes and their prior as one run: codes, numbers in parts, refusals."""

from types import SimpleNamespace

import numpy as np
import pytest

from tfvae import presets
from tfvae.data import arrays
from tfvae.reproduce import coding
from tfvae.reproduce.codes_table import CODES_TABLES
from tfvae.runs.code_bounds import bound_lines
from tfvae.runs.joint import joint_lines
from tfvae.runs.training import train
from tfvae.settings.reading import settings

CODES = 8
FIRST = {
    "network.filters": (8, 8),
    "network.num_blocks": 1,
    "levels.filters": (8,),
    "levels.num_blocks": 1,
    "quantiser.num_codes": CODES,
    "latent_size": 4,
    "epochs": 6,
    "learning_rate": 5e-3,
    "eval_examples": 60,
    "batch_size": 40,
    "binarisation": "dynamic",
    "likelihood": "bernoulli",
}
SECOND = {  # of 4 x 4 and 2 x 2 codes
    "model.top_shape": (2, 2),
    "conditionals.num_levels": CODES,
    "conditionals.filters": 8,
    "conditionals.num_layers": 2,
    "epochs": 8,
    "learning_rate": 1e-2,
}


def quick(tmp_path, first=(), **changes):
    """The preset of canvases, smaller, on some of them at half their size."""
    found = arrays("digits_canvases").train
    x = found["x"][:300, ::2, ::2] > 127
    np.savez(tmp_path / "canvases.npz", x=x, label=found["label"][:300])
    preset = presets.PRESETS["digits-vq-vae-2"]
    second = {**preset.stages["second"], **SECOND, **changes}
    own = {**preset.changes, **FIRST, "dataset": str(tmp_path / "canvases.npz"), **dict(first)}
    return settings(own, stages={"second": second})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("levels")
    return train(quick(folder), folder / "run", report=lambda line: None)


def test_the_codes_of_both_levels_are_rows_of_the_stage(run):
    found = np.load(run.folder.stages / "second.npz")
    assert found["codes_train"].dtype == np.int32
    assert found["codes_train"].shape[1:] == (20,)
    assert len(found["label_train"]) == len(found["codes_train"])


def test_log_joint_is_the_sum_of_its_parts_and_better_than_uniform_codes(run):
    alone, joint = run.metrics["test"], run.metrics["joint"]
    assert alone["kl"] == pytest.approx(20 * np.log(CODES))
    assert joint["log_joint"] == pytest.approx(-joint["nll"] - joint["code_nll"])
    levels = joint["code_nll_by_level"]
    assert list(levels) == ["z2", "z1"]
    assert sum(levels.values()) == pytest.approx(joint["code_nll"], rel=1e-5)
    assert joint["code_nll"] < alone["kl"] - 3.0
    found = run.metrics["stages"]["second"]["test"]
    assert found["exact"] is True
    assert found["log_likelihood"] == pytest.approx(-joint["code_nll"], rel=1e-5)
    assert joint["bits_per_dimension"] == pytest.approx(-joint["log_joint"] / (256 * np.log(2)))
    assert joint["given"] == ["label"]


def test_perplexities_are_of_each_level(run):
    perplexities = run.metrics["test"]["code_perplexities"]
    assert list(perplexities) == ["z2", "z1"]
    z = np.load(run.folder.stages / "second.npz")["codes_test"][:60]
    for name, own in (("z2", z[:, :4]), ("z1", z[:, 4:])):
        shares = np.unique(own, return_counts=True)[1] / own.size
        expected = np.exp(-np.sum(shares * np.log(shares)))
        assert perplexities[name] == pytest.approx(expected)
    lines = bound_lines(run.metrics["test"])
    assert lines[-1].startswith("codes     perplexity z2 ")
    assert lines[-1].endswith(f" of {CODES}")
    assert any(line.startswith("codes     z2 ") for line in joint_lines(run.metrics["joint"]))


def test_samples_are_decoded_draws_of_the_prior_given_a_label(run):
    model = run.folder.read_model()
    x = model.sample(4, seed=1, label=3).numpy()
    assert x.shape == (4, 16, 16, 1)
    np.testing.assert_array_equal(x, run.model.sample(4, seed=1, label=3))


def test_a_row_counts_the_codes_of_both_levels(run, monkeypatch):
    monkeypatch.setattr(coding, "train", lambda *_: run)
    settings = run.folder.read_config()
    task = SimpleNamespace(settings=lambda method, seed: settings)
    row = SimpleNamespace(task=task, method="vq-2", name="quick")
    found = {name: value for name, (value,) in coding.run_codes(row, 0)["vq-2"].items()}
    z = np.load(run.folder.stages / "second.npz")["codes_test"]
    assert found["used"] == len(np.unique(z[:, :4])) + len(np.unique(z[:, 4:]))
    assert found["num_codes"] == 2 * CODES
    known = {each.name for each in CODES_TABLES["codes"].tasks[0].quantities}
    assert set(found) == known - {"perplexity"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"conditionals.num_levels": 7}, r"whole numbers from 0 to 7, .* of another model"),
        ({"model.top_shape": (4, 4)}, "20 codes are not those of a top map of 4x4"),
    ],
)
def test_a_prior_of_other_codes_is_refused_before_anything_is_trained(tmp_path, changes, said):
    with pytest.raises(ValueError, match=said):
        train(quick(tmp_path, **changes), tmp_path / "run", report=lambda line: None)
    assert not (tmp_path / "run").exists()


def test_a_prior_of_one_map_is_refused(tmp_path):
    preset = presets.PRESETS["digits-vq-vae-2"]
    second = {**preset.stages["second"], **SECOND, "model": "pixel_cnn"}
    del second["model.top_shape"]
    given = settings(dict(quick(tmp_path)), stages={"second": second})
    with pytest.raises(ValueError, match=r"event_shape is \(20,\); expected"):
        train(given, tmp_path / "run", report=lambda line: None)


def test_a_prior_without_its_first_stage_is_refused(tmp_path):
    second = {**presets.PRESETS["digits-vq-vae-2"].stages["second"], **SECOND}
    alone = settings({**second, "fields": None})
    with pytest.raises(ValueError, match="codes of first is a stage of a run"):
        train(alone, tmp_path / "run", report=lambda line: None)
