"""A PixelCNN learns the whole-numbered codes of a first stage, and both together have a bound."""

import numpy as np
import pytest

from tests.models.coded import CODES, UNIFORM
from tfvae.data import arrays
from tfvae.runs.datasets import load_data
from tfvae.runs.joint import joint_lines
from tfvae.runs.training import train
from tfvae.settings.reading import settings

FIRST = {"model": "tests.models.coded:Quarters", "epochs": 1, "eval_examples": 40}
SECOND = {
    "dataset": "codes of first",
    "model": "pixel_cnn",
    "fields": ("x", "label"),
    "conditionals.num_levels": CODES,
    "conditionals.filters": 8,
    "conditionals.num_layers": 2,
    "epochs": 8,
    "learning_rate": 1e-2,
    "batch_size": 32,
}


def of_digits(tmp_path, **changes):
    """A run on the bits of some digits whose second stage learns their codes, given the label."""
    digits = {name: values[:400] for name, values in arrays("digits").train.items()}
    bits = digits["x"] > (127 if digits["x"].dtype == np.uint8 else 0.5)
    np.savez(tmp_path / "digits.npz", x=bits, label=digits["label"])
    first = {**FIRST, "dataset": str(tmp_path / "digits.npz")}
    return settings(first, stages={"second": {**SECOND, **changes}})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prior")
    return train(of_digits(folder), folder / "run", report=lambda line: None)


def test_codes_are_whole_numbers_of_their_shape(run):
    found = np.load(run.folder.stages / "second.npz")
    assert found["x_train"].dtype == np.int32
    assert found["x_train"].shape[1:] == (2, 2)
    train_set, _ = load_data(run.folder.read_config())
    x = np.concatenate([*train_set.as_numpy_iterator()])
    shares = x.reshape(-1, 2, 4, 2, 4).mean(axis=(2, 4))
    np.testing.assert_array_equal(found["x_train"], np.rint(shares * (CODES - 1)))
    assert len(found["label_train"]) == len(x)


def test_log_joint_is_the_sum_of_its_parts_and_better_than_uniform_codes(run):
    joint = run.metrics["joint"]
    assert joint["log_joint"] == pytest.approx(-joint["nll"] - joint["code_nll"])
    assert joint["code_nll"] < UNIFORM - 0.3
    found = run.metrics["stages"]["second"]["test"]
    assert found["exact"] is True
    assert found["log_likelihood"] == pytest.approx(-joint["code_nll"], rel=1e-5)
    assert joint["bits_per_dimension"] == pytest.approx(-joint["log_joint"] / (64 * np.log(2)))
    assert joint["given"] == ["label"]
    line = joint_lines(joint)[1]
    assert line.startswith("log p(x, codes | label)  ")
    assert line.endswith("log p(x | label) is at least that")


def test_samples_are_decoded_draws_of_the_prior_given_a_label(run):
    model = run.folder.read_model()
    x = model.sample(40, seed=1, label=3).numpy()
    assert x.shape == (40, 8, 8, 1)
    np.testing.assert_array_equal(x, run.model.sample(40, seed=1, label=3))
    assert not np.array_equal(x, model.sample(40, seed=1, label=4))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dataset": "means of first"}, "are whole numbers and have no means. Choose 'codes of"),
        ({"conditionals.num_levels": 7}, r"whole numbers from 0 to 4, .* of another model"),
        ({"model": "vae", "fields": None}, r"of shape \(2, 2\), and .* is a model of 'x', .*\."),
    ],
)
def test_a_prior_of_other_codes_is_refused_before_anything_is_trained(tmp_path, changes, said):
    changed = {name: value for name, value in SECOND.items() if "conditionals" not in name}
    changed = {**(changed if "model" in changes else SECOND), **changes}
    first = of_digits(tmp_path)
    given = settings(dict(first), stages={"second": changed})
    with pytest.raises(ValueError, match=said):
        train(given, tmp_path / "run", report=lambda line: None)
    assert not (tmp_path / "run").exists()


def test_a_prior_without_its_first_stage_is_refused(tmp_path):
    alone = settings({**SECOND, "fields": None})
    with pytest.raises(ValueError, match="codes of first is a stage of a run"):
        train(alone, tmp_path / "run", report=lambda line: None)
