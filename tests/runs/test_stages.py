"""A second stage learns the codes of the first, is taken up after a kill, and is a run itself."""

import json

import numpy as np
import pytest

import tfvae
from tfvae import evaluation
from tfvae.data import arrays
from tfvae.runs.datasets import load_data
from tfvae.runs.progress import Progress
from tfvae.runs.stages import drawn_codes
from tfvae.runs.training import train
from tfvae.settings.errors import SettingError
from tfvae.settings.reading import settings

SMALL = {"units": (8,), "latent_size": 2, "batch_size": 16, "eval_samples": 3, "eval_examples": 4}
FIRST, SECOND = 2, 4  # epochs, by which they are told apart


@pytest.fixture
def two_stages(tmp_path):
    np.save(tmp_path / "digits.npy", arrays("digits").train["x"][:64])
    return settings(
        {**SMALL, "dataset": str(tmp_path / "digits.npy"), "epochs": FIRST},
        stages={"second": {**SMALL, "dataset": "codes of first", "epochs": SECOND}},
    )


def test_second_stage_is_killed_taken_up_and_ends_bit_equal(two_stages, tmp_path, monkeypatch):
    whole = train(two_stages, tmp_path / "whole", report=lambda line: None)

    def kill(self, epoch, logs=None):
        if self.epochs == SECOND and epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "on_epoch_end", kill)
        with pytest.raises(KeyboardInterrupt):
            train(two_stages, tmp_path / "killed", report=lambda line: None)
    folder = tmp_path / "killed"
    assert not (folder / "metrics.json").exists()
    lines = []
    resumed = train(two_stages, folder, report=lines.append)
    assert any("going on after epoch 1 of" in line and "second" in line for line in lines)
    ours, theirs = (
        tfvae.load_model(run.folder.stages / "second" / "model.keras") for run in (resumed, whole)
    )
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(resumed.model.weights, whole.model.weights, strict=True):
        np.testing.assert_array_equal(a, b)

    assert type(ours.decoder.head).__name__ == "IndependentNormal"
    found = np.load(folder / "stages" / "second.npz")
    train_set, test_set = load_data(two_stages)
    first = resumed.model.stages[0]
    rows = train_set.reduce(0, lambda n, x: n + len(x)).numpy()
    assert len(found["x_train"]) == rows
    again = drawn_codes(first, test_set, seed=0, first=rows)
    np.testing.assert_allclose(found["x_test"], again, rtol=1e-5)
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert metrics["stages"]["second"]["epochs"] == SECOND
    assert resumed.folder.read_config() == two_stages
    changed = settings(dict(two_stages), stages={"second": {"dataset": "codes of first"}})
    with pytest.raises(ValueError, match="stage second: --epochs is 4 there and 100 here"):
        resumed.folder.check(changed)


def test_a_stage_of_nothing_is_refused():
    with pytest.raises(
        SettingError, match="second: expected codes of first or means of first, received"
    ):
        settings({}, stages={"second": {"dataset": "codes of third"}})


def test_codes_are_draws_from_the_posteriors(two_stages):
    """Their spread is that of q(z|x), which the means lack."""
    model = two_stages.model((8, 8, 1))
    data = load_data(two_stages)[1]  # the same at each iteration
    means = evaluation.latent_codes(model, data)
    x = np.concatenate([*data.as_numpy_iterator()])
    scales = model.encoder(x).stddev().numpy()
    many = np.stack([drawn_codes(model, data, seed, 0) for seed in range(200)])
    residuals = (many - means) / scales
    assert residuals.mean() == pytest.approx(0.0, abs=0.05)
    assert residuals.std() == pytest.approx(1.0, abs=0.03)


def test_a_stage_may_learn_the_means(two_stages):
    model = two_stages.model((8, 8, 1))
    data = load_data(two_stages)[1]
    found = drawn_codes(model, data, None, 0)
    x = np.concatenate([*data.as_numpy_iterator()])
    np.testing.assert_allclose(found, model.encoder(x).mean(), atol=1e-5)
    of_means = settings(dict(two_stages), stages={"second": {**SMALL, "dataset": "means of first"}})
    assert of_means.stages["second"].of_means
    assert of_means.chain() == ["first", "second"]
    assert not two_stages.stages["second"].of_means


def test_settings_of_a_stage_are_given_by_its_name(two_stages):
    from tfvae import presets

    preset = presets.get("digits-two-stage", **{"second.epochs": 3, "second.units": (8,)})
    assert preset.stages["second"]["epochs"] == 3
    assert preset.stages["second"]["network.units"] == (8,)
    assert preset["epochs"] == 400
    assert preset.chain() == ["first", "second"]
    with pytest.raises(SettingError, match=r"second.epohs: .* Did you mean '--second.epochs'"):
        presets.get("digits-two-stage", **{"second.epohs": 3})


LABELLED = {"model": "semi_supervised", "fields": ("x", "label"), "dataset": "codes of first"}


def of_labels(tmp_path, labels, **columns):
    """A run whose second stage learns labels, on a file with these columns."""
    np.savez(tmp_path / "digits.npz", **columns)
    second = {**SMALL, **LABELLED, "labels": labels, "epochs": SECOND}
    first = {**SMALL, "dataset": str(tmp_path / "digits.npz"), "epochs": FIRST}
    return settings(first, stages={"second": second})


def test_labels_go_with_the_codes_of_their_examples(tmp_path):
    columns = {name: values[:100] for name, values in arrays("digits").train.items()}
    run = train(
        of_labels(tmp_path, 20, x=columns["x"], label=columns["label"]),
        tmp_path / "run",
        report=lambda line: None,
    )
    found = np.load(run.folder.stages / "second.npz")
    shown = np.concatenate([*load_data(run.folder.read_config())[0].as_numpy_iterator()])
    known = {x.tobytes(): label for x, label in zip(columns["x"], columns["label"], strict=True)}
    levels = np.round(shown * 255 if columns["x"].dtype == np.uint8 else shown, 6)
    expected = [known[x.astype(columns["x"].dtype).tobytes()] for x in levels]
    np.testing.assert_array_equal(found["label_train"], expected)
    assert len(set(expected)) == 10
    assert len(found["label_test"]) == len(found["x_test"])
    assert run.metrics["stages"]["second"]["test"]["num_labels"] == SMALL["eval_examples"]
    assert (run.folder.pictures / "classes.png").is_file()
    drawn = run.model.sample(3, seed=1, label=4)
    assert not np.allclose(drawn, run.model.sample(3, seed=1, label=5), atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "columns", "said"),
    [(20, ("x",), "no column 'label'"), (5, ("x", "label"), "labels is 5 .* 10 classes")],
)
def test_labels_that_a_stage_lacks_are_missed_before_training(tmp_path, labels, columns, said):
    digits = arrays("digits").train
    given = of_labels(tmp_path, labels, **{name: digits[name][:100] for name in columns})
    with pytest.raises(ValueError, match=said):
        train(given, tmp_path / "run", report=lambda line: None)
    assert not (tmp_path / "run").exists()
