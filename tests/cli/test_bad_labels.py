"""Labels and masks of a file that a model can't learn from: one message each, before training."""

import numpy as np
import pytest

from tests.cli.small_runs import trained

pytestmark = pytest.mark.usefixtures("without_xla")

ROWS = 60
_RNG = np.random.default_rng(0)
IMAGES = _RNG.integers(1, 255, (ROWS, 8, 8, 1)).astype("uint8")
LABEL = np.arange(ROWS) % 3
TABLE = _RNG.normal(size=(ROWS, 5)).astype("float32")
SEEN = (_RNG.random((ROWS, 5)) < 0.7).astype("float32")
SEEN[:, 0] = 1.0
QUICK = ("--epochs", "1", "--latent-size", "2", "--units", "8", "--no-export")


@pytest.fixture
def refused(tfvae_command, tmp_path, monkeypatch):
    """Trains on the columns of a file, and returns the one line that says why not."""
    monkeypatch.chdir(tmp_path)

    def train(model, **columns):
        np.savez("rows.npz", **columns)
        fields = ",".join(columns)
        done = tfvae_command(
            "train", "--model", model, "--dataset", "rows.npz", "--fields", fields, *QUICK
        )
        assert done.code in (1, 2), done.out
        assert "Traceback" not in done.err
        errors = [line for line in done.err.splitlines() if line.startswith("Error: ")]
        assert len(errors) == 1, done.err
        assert not list(tmp_path.rglob("model.keras"))
        return errors[0]

    return train


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (LABEL + 0.5, "label.astype('int32')"),
        (LABEL.astype("float32"), "label.astype('int32')"),
        (np.full(ROWS, -1), "Of the labels all are -1, unknown"),
        (LABEL - 3, "some are below that"),
        (np.eye(3, dtype="int32")[LABEL], "label.argmax(axis=1)"),
        (np.where(LABEL == 1, -1, LABEL), "No training example of class 1 has its label"),
        (np.zeros(ROWS, int), "K at least 2"),
        (np.where(LABEL == 1, np.nan, LABEL), "NaN"),
    ],
)
def test_labels_that_say_too_little(refused, label, said):
    assert said in refused("semi_supervised", x=IMAGES, label=label)


def test_a_condition_that_is_unknown_somewhere(refused):
    label = np.where(np.arange(ROWS) == 7, -1, LABEL)
    assert "SemiSupervisedVAE" in refused("conditional", x=IMAGES, label=label)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (np.where(SEEN > 0, 1.0, 0.5), "A mask is 1 for what is seen"),
        (2 * SEEN, "A mask is 1 for what is seen"),
        (np.where(np.arange(ROWS)[:, None] == 7, 0.0, SEEN), "is 0 everywhere in example 7"),
        (np.where(SEEN > 0, 1.0, np.nan), "NaN"),
        (SEEN[:, :4], "(4,) and the model takes (5,)"),
    ],
)
def test_masks_that_are_none(refused, seen, said):
    assert said in refused("missing_data", x=TABLE, seen=seen)


def test_nan_without_leave(refused):
    x = np.where(SEEN > 0, TABLE, np.nan)
    assert "NaN" in refused("missing_data", x=x, seen=SEEN)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("label=11", "expected whole numbers from 0 to 9"),
        ("label=-1", "-1 is an unknown label"),
        ("label=0.5", "expected whole numbers from 0 to 9"),
        ("label=[0,12]", "expected whole numbers from 0 to 9"),
        ("lable=3", "label"),
    ],
)
def test_labels_that_nothing_can_be_drawn_of(tfvae_command, conditional, tmp_path, condition, said):
    output = tmp_path / "drawn.npy"
    words = ("--num-samples", "2", "--condition", condition, "--output", output)
    done = tfvae_command("sample", conditional.path, *words)
    assert done.code in (1, 2)
    assert said in done.err
    assert "Traceback" not in done.err
    assert not output.exists()


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("runs") / "conditional", "digits-conditional")
