"""Strangers chosen by the command line, by "package.module:Name" alone."""

import json

import numpy as np
import pytest

import tfvae

MEMBERS = "tests.extension.members."
QUICK = ("--epochs", "1", "--latent-size", "2", "--no-export")
QUICK += ("--eval-samples", "5", "--eval-examples", "20")
BESIDE = ("--network", f"{MEMBERS}network:beside", "--network.num-classes", "10")


def chosen(kind, name, *more):
    return (f"--{kind}", f"{MEMBERS}{name}", *more)


CHOICES = {
    "posterior": chosen("posterior", "posterior:Kumaraswamy"),
    "prior": chosen("prior", "prior:Laplace"),
    "objective": chosen("objective", "objective:MarginalKL", "--marginal-weight", "0.5"),
    "levels": chosen("model", "levels:TwoLevels"),
    "adversary": chosen("model", "adversary:AdversarialVAE", "--fooling-weight", "0.2"),
    "labelled": chosen("model", "labelled:LabelledVAE", "--model.num-classes", "10", *BESIDE),
}


@pytest.fixture
def command(tmp_path, capfd):
    """Trains in this process, into a folder of its own: (exit code, what was printed)."""
    from tfvae.cli.main import main

    def run(*arguments):
        where = ("--runs-dir", str(tmp_path / "runs"), "--name", "stranger")
        try:
            main(["train", *map(str, arguments), *where])
            code = 0
        except SystemExit as request:
            code = request.code or 0
        captured = capfd.readouterr()
        return code, captured.out + captured.err

    return run


def result(tmp_path):
    """The model and the metrics of the run."""
    folder = tmp_path / "runs" / "stranger"
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    return tfvae.load_model(folder / "model.keras"), metrics


@pytest.mark.parametrize("name", CHOICES)
def test_it_trains(name, command, tmp_path):
    code, said = command("digits", *CHOICES[name], *QUICK)
    assert code == 0, said
    model, metrics = result(tmp_path)
    parts = (model, *model.encoder._flatten_layers(), model.prior, model.objective)
    assert any(type(part).__module__.startswith(MEMBERS) for part in parts)
    assert np.isfinite(metrics["test"]["elbo"])


def test_a_table_of_positive_numbers_trains(command, tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "table.npy", rng.gamma(2.0, 1.5, (200, 6)).astype("float32"))
    likelihood = chosen("likelihood", "likelihood:Gamma", "--initial-shape", "2")
    code, said = command("digits", "--dataset", tmp_path / "table.npy", *likelihood, *QUICK)
    assert code == 0, said
    model, _ = result(tmp_path)
    assert type(model.decoder.head).__name__ == "Gamma"
    assert model.decoder.head.initial_shape == 2.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (chosen("posterior", "posterior:Kumaraswammy"), "Did you mean 'Kumaraswamy'"),
        (chosen("posterior", "posteriors:Kumaraswamy"), "No module"),
        (chosen("objective", "objective:MarginalKL", "--marginal-wieght", "1"), "marginal-weight"),
        (chosen("objective", "objective:MarginalKL", "--marginal-weight", "much"), "much"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, command, tmp_path):
    code, said = command("digits", *arguments, *QUICK)
    assert code != 0
    assert message in said
    assert "Traceback" not in said
    assert not (tmp_path / "runs").exists()
