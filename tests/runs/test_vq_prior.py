"""A VQ-VAE and the prior of its codes as one run: codes, numbers, refusals."""

from types import SimpleNamespace

import numpy as np
import pytest

from tfvae import presets
from tfvae.data import arrays
from tfvae.reproduce import coding
from tfvae.reproduce.codes_table import CODES_TABLES
from tfvae.runs import measuring
from tfvae.runs.code_bounds import bound_lines
from tfvae.runs.datasets import load_data
from tfvae.runs.joint import joint_lines
from tfvae.runs.training import train
from tfvae.settings.reading import settings

CODES = 8
QUICK = {
    "network.filters": (8,),
    "network.num_blocks": 1,
    "quantiser.num_codes": CODES,
    "latent_size": 4,
    "epochs": 8,
    "learning_rate": 5e-3,
    "eval_examples": 80,
    "binarisation": "dynamic",
    "likelihood": "bernoulli",
}
PRIOR = {  # of 4 x 4 codes
    "conditionals.num_levels": CODES,
    "conditionals.filters": 8,
    "epochs": 8,
    "learning_rate": 1e-2,
}


def quick(tmp_path, **changes):
    """The preset of digits, smaller, on bits of some of them."""
    x = arrays("digits").train["x"][:400]
    bits = x > (127 if x.dtype == np.uint8 else 0.5)
    np.savez(tmp_path / "digits.npz", x=bits)
    preset = presets.PRESETS["digits-vq-vae"]
    second = {**preset.stages["second"], **PRIOR, **changes}
    first = {**preset.changes, **QUICK, "dataset": str(tmp_path / "digits.npz")}
    return settings(first, stages={"second": second})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vq")
    return train(quick(folder), folder / "run", report=lambda line: None)


def test_the_learned_prior_asks_for_less_than_the_uniform_one(run):
    alone, joint = run.metrics["test"], run.metrics["joint"]
    assert joint["nll"] == pytest.approx(alone["nll"], rel=1e-5)
    assert alone["kl"] == pytest.approx(16 * np.log(CODES))
    assert joint["code_nll"] < alone["kl"] - 3.0
    assert joint["bits_per_dimension"] < alone["bits_per_dimension"]
    assert joint["bits_per_dimension"] == pytest.approx(-joint["log_joint"] / (64 * np.log(2)))
    assert joint["given"] == []
    assert joint_lines(joint)[1].endswith("log p(x) is at least that")


def test_perplexity_is_that_of_the_held_out_codes(run):
    z = np.load(run.folder.stages / "second.npz")["x_test"][:80]
    shares = np.unique(z, return_counts=True)[1] / z.size
    expected = np.exp(-np.sum(shares * np.log(shares)))
    assert run.metrics["test"]["code_perplexity"] == pytest.approx(expected)
    lines = measuring.table(measuring.tests_of(run.metrics))
    assert lines[0] == "stage first"
    assert f"codes     perplexity {expected:.1f} of {CODES}" in lines
    unknown = bound_lines({**run.metrics["test"], "num_codes": None})  # codes of no interval
    assert unknown[-1] == f"codes     perplexity {expected:.1f}"


def test_a_prior_of_another_number_of_codes_is_refused_before_anything_is_trained(tmp_path):
    given = quick(tmp_path, **{"conditionals.num_levels": CODES + 1})
    with pytest.raises(ValueError, match=r"are whole numbers from 0 to 7, .* of another model"):
        train(given, tmp_path / "run", report=lambda line: None)
    assert not (tmp_path / "run").exists()


def test_a_row_of_results_has_bits_their_parts_and_the_codes_that_occur(run, monkeypatch):
    settings = run.folder.read_config()
    monkeypatch.setattr(coding, "train", lambda *_: run)
    task = SimpleNamespace(settings=lambda method, seed: settings)
    row = SimpleNamespace(task=task, method="vq", name="quick")
    found = {name: value for name, (value,) in coding.run_codes(row, 0)["vq"].items()}
    assert set(found) == {each.name for each in CODES_TABLES["codes"].tasks[0].quantities}
    assert found["log_joint"] == pytest.approx(-found["nll"] - found["code_nll"])
    assert found["bits"] == pytest.approx(-found["log_joint"] / (64 * np.log(2)))
    assert found["uniform"] == pytest.approx(16 * np.log(CODES))
    images = load_data(settings, run.model)[1]
    counts = sum(
        np.bincount(run.model.encode({"x": x}).numpy().ravel(), minlength=CODES) for x in images
    )
    shares = counts[counts > 0] / counts.sum()
    assert (found["used"], found["num_codes"]) == (len(shares), CODES)
    entropy = -np.sum(shares * np.log(shares))
    assert found["perplexity"] == pytest.approx(np.exp(entropy), rel=0.02)  # of the first 80
