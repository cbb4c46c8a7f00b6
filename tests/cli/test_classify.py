"""`tfvae classify`: probabilities of classes by a run's model, and how often they are right."""

import csv

import numpy as np
import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

import tfvae
from tests.cli.small_runs import trained
from tfvae import uses

pytestmark = pytest.mark.usefixtures("without_xla")

_SECOND = {"second.epochs": 1, "second.network.units": (8,), "second.latent_size": 2}


class Runs(dict):
    """Runs by their preset, each trained when it is asked for."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def __missing__(self, name):
        changes = {**_SECOND, "second.eval_samples": 2} if name == "digits-m1-m2" else {}
        self[name] = trained(self.folder / name, name, **changes)
        return self[name]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("labels"))


def table_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shares = [[float(row[f"p{k}"]) for k in range(10)] for row in rows]
    return np.array([int(row["class"]) for row in rows]), np.array(shares)


@pytest.mark.parametrize(
    ("name", "method", "how"),
    [
        ("digits-semi-supervised", None, "q(y|x)"),
        ("digits-semi-supervised", "bayes", "Bayes' rule, 3 samples of each class"),
        ("digits-conditional", None, "Bayes' rule, 3 samples of each class"),
        ("digits-conditional", "bayes", "Bayes' rule, 3 samples of each class"),
        ("digits-m1-m2", "classifier", "q(y|x)"),
    ],
)
def test_error_and_calibration_are_those_of_the_probabilities(
    tfvae_command, runs, tmp_path, name, method, how
):
    run, output = runs[name], tmp_path / "found.csv"
    words = [] if method is None else ["--method", method]
    done = tfvae_command(
        "classify", run.path, "--num-samples", "3", "--seed", "2", "--output", output, *words
    )
    assert done.code == 0, done.err
    classes, shares = table_of(output)
    labels = tfvae.data.arrays("digits").test["label"]
    x = np.concatenate([
        batch["x"]
        for batch in tfvae.data.load(
            "digits", fields=("x", "label"), binarisation=run.read_config()["binarisation"]
        )[1].as_numpy_iterator()
    ])  # fmt: skip
    found = uses.classify(run.read_model(), x, method, num_samples=3, seed=2)
    np.testing.assert_allclose(shares, found.probabilities, atol=1e-4)
    np.testing.assert_array_equal(classes, shares.argmax(axis=1))
    error, calibration, picture, path = done.out.splitlines()[-4:]
    wrong = 1 - accuracy_score(labels, classes)
    assert error == f"error {wrong:.4f} of 359 examples, by {how}"
    assert calibration.startswith(
        f"expected calibration error {found.calibration(labels).expected_error:.4f}, of 15"
    )
    assert (picture, path) == (str(output.with_suffix(".png")), str(output))
    assert output.with_suffix(".png").stat().st_size > 1000


def test_examples_without_labels_are_classified_and_not_judged(tfvae_command, runs, tmp_path):
    run = runs["digits-conditional"]
    stored = tfvae.data.arrays("digits").test
    images = stored["x"][:6]
    np.save(tmp_path / "alone.npy", images)
    unknown = np.full(6, -1, "int32")
    np.savez(tmp_path / "unknown.npz", x=images, label=unknown)
    answers = []
    for name in ("alone.npy", "unknown.npz"):
        output = tmp_path / f"{name}.csv"
        words = ("--num-samples", "3", "--output", output)
        done = tfvae_command("classify", run.path, tmp_path / name, *words)
        assert done.code == 0, done.err
        assert (
            "6 examples by Bayes' rule, 3 samples of each class; their labels are not" in done.out
        )
        assert "error" not in done.out
        assert not output.with_suffix(".png").exists()
        answers.append(table_of(output)[1])
    np.testing.assert_array_equal(*answers)
    np.savez(
        tmp_path / "some.npz", x=images, label=np.where(np.arange(6) < 4, stored["label"][:6], -1)
    )
    words = ("--num-samples", "3", "--output", tmp_path / "some.csv")
    done = tfvae_command("classify", run.path, tmp_path / "some.npz", *words)
    wrong = np.mean(answers[0][:4].argmax(axis=1) != stored["label"][:4])
    assert f"error {wrong:.4f} of 4 examples" in done.out


def test_codes_of_a_run_without_labels_are_classified(tfvae_command, runs, tmp_path):
    """As scikit-learn does it: the labels that the run's seed keeps, on codes of all images."""
    run, output = runs["digits"], tmp_path / "codes.csv"
    done = tfvae_command("classify", run.path, "--labels", "40", "--output", output)
    assert done.code == 0, done.err
    train, test = tfvae.data.load("digits", fields=("x", "label"), labels=40)
    batches = list(tfvae.data.at_epoch(train, 0).as_numpy_iterator())
    x, label = (np.concatenate([batch[name] for batch in batches]) for name in ("x", "label"))
    held_out = list(test.as_numpy_iterator())
    model, known = run.read_model(), label >= 0
    assert known.sum() == 40
    codes = model.encode(x).astype("float64")
    mean, scale = codes.mean(axis=0), codes.std(axis=0)
    beside = LogisticRegression(max_iter=1000).fit(((codes - mean) / scale)[known], label[known])
    z = model.encode(np.concatenate([batch["x"] for batch in held_out])).astype("float64")
    shares = table_of(output)[1]
    np.testing.assert_allclose(shares, beside.predict_proba((z - mean) / scale), atol=1e-3)
    truth = np.concatenate([batch["label"] for batch in held_out])
    wrong = np.mean(shares.argmax(axis=1) != truth)
    said = f"error {wrong:.4f} of 359 examples, by logistic regression on codes, 40 labels"
    assert said in done.out.splitlines()
    np.save(tmp_path / "few.npy", tfvae.data.arrays("digits").test["x"][:5])
    done = tfvae_command(
        "classify", run.path, tmp_path / "few.npy", "--labels", "40", "--output", output
    )
    assert "5 examples by logistic regression on codes, 40 labels; their labels are" in done.out
    assert len(table_of(output)[0]) == 5


def test_codes_are_held_against_the_labels_that_data_have(tfvae_command, runs, tmp_path):
    run, stored = runs["digits"], tfvae.data.arrays("digits").test
    x, label = stored["x"][:9], (stored["label"][:9] + np.arange(9) % 2).astype("int32") % 10
    label[3] = -1
    np.savez(tmp_path / "own.npz", x=x, label=label)
    words = ("--labels", "40", "--output", tmp_path / "own.csv")
    done = tfvae_command("classify", run.path, tmp_path / "own.npz", *words)
    assert done.code == 0, done.err
    classes, known = table_of(tmp_path / "own.csv")[0], label >= 0
    wrong = np.mean(classes[known] != label[known])
    assert f"error {wrong:.4f} of 8 examples, by logistic regression on codes" in done.out
    np.savez(tmp_path / "own.npz", x=x, label=label + 3)
    done = tfvae_command("classify", run.path, tmp_path / "own.npz", *words)
    assert (done.code, len(done.err.splitlines())) == (1, 1), done.err
    assert "expected a class from 0 to 9" in done.err


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    """Standardised, so that new rows are in the units of the run's."""
    settings = {"dataset": "wine", "standardise": True, "likelihood": "normal"}
    folder = tmp_path_factory.mktemp("tables") / "wine"
    return trained(folder, "digits-conditional", binarisation=None, **settings)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_may_lack_labels(tfvae_command, wine, tmp_path, suffix):
    """The same rows with labels and without: the same probabilities, and no picture is left."""
    stored = tfvae.data.arrays("wine", fields=("x", "label")).test
    columns = {f"c{k}": values for k, values in enumerate(stored["x"].T)}
    output, table = tmp_path / "found.csv", tmp_path / f"rows{suffix}"
    answers, said = [], []
    for more in ({"label": stored["label"]}, {}):
        frame = pyarrow.table({**columns, **more})
        write = {".csv": pyarrow.csv.write_csv, ".parquet": pyarrow.parquet.write_table}[suffix]
        write(frame, table)
        words = ("--num-samples", "3", "--output", output)
        done = tfvae_command("classify", wine.path, table, *words)
        assert done.code == 0, done.err
        answers.append(output.read_text())
        said.append(done.out)
        assert output.with_suffix(".png").exists() == bool(more)
    assert answers[0] == answers[1]
    held_out = tfvae_command("classify", wine.path, "--num-samples", "3", "--output", output)
    assert output.read_text() == answers[0], "of the run's own rows, read from elsewhere"
    assert said[0] == held_out.out
    assert "error" not in said[1]
    assert "their labels are not known" in said[1]


def test_the_first_examples_alone(tfvae_command, runs, tmp_path):
    output = tmp_path / "few.csv"
    words = ("--num-examples", "7", "--output", output)
    done = tfvae_command("classify", runs["digits-semi-supervised"].path, *words)
    assert "of 7 examples" in done.out
    assert len(table_of(output)[0]) == 7


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("digits", (), "a VAE, is given nothing. Train one: tfvae train digits-semi-supervised"),
        ("digits-conditional", ("--labels", "20"), "ConditionalVAE, is given label. Leave it out"),
        ("digits", ("--labels", "5"), "at least one label of each"),
        ("digits-conditional", ("--method", "classifier"), "ConditionalVAE can't"),
        ("digits-m1-m2", ("--method", "bayes"), "StagedModel can't"),
        ("digits-conditional", ("{}/beyond.npz",), "label of {}/beyond.npz is 11 in row 1"),
        ("digits-conditional", ("{}/below.npz",), "is -3 in row 2"),
        ("digits-conditional", ("{}/fraction.npz",), "holds float32 of shape (); expected whole"),
        ("digits-conditional", ("{}/wide.npy",), "(9, 8, 1)"),
    ],
)
def test_what_can_not_be_classified_is_refused_in_one_line(
    tfvae_command, runs, tmp_path, name, words, said
):
    x = np.full((3, 8, 8, 1), 200, "uint8")
    labels = {"beyond": [1, 11, 2], "below": [1, 2, -3], "fraction": [0.5, 1.0, 2.0]}
    for which, values in labels.items():
        np.savez(tmp_path / f"{which}.npz", x=x, label=np.array(values))
    np.save(tmp_path / "wide.npy", np.full((3, 9, 8, 1), 200, "uint8"))
    output = tmp_path / "out.csv"
    words = [word.format(tmp_path) for word in words]
    done = tfvae_command(
        "classify", runs[name].path, *words, "--num-samples", "2", "--output", output
    )
    assert (done.code, len(done.err.splitlines())) == (1, 1), done.err
    assert said.format(tmp_path) in done.err
    assert not output.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "bayse"), "no such method 'bayse'. Did you mean 'bayes'?"),
        (("--output", "out.npz"), "does not end in .csv"),
        (("--num-samples", "0"), "0 is not in the range"),
        (("--labels", "20", "--method", "bayes"), "--method is of a model's label"),
    ],
)
def test_bad_flags_are_usage_errors(tfvae_command, runs, words, said):
    done = tfvae_command("classify", runs["digits"].path, *words)
    assert done.code == 2
    assert said in done.err
