"""scikit-learn's tables, and densities of standardised columns in their own units."""

import numpy as np
import pytest
import scipy.stats
import sklearn.datasets

from tests.evaluation.test_likelihood import QUIET
from tfvae import VAE, Decoder, Encoder, evaluation, heads, networks
from tfvae.data import arrays, fields_of, load, log_jacobian
from tfvae.runs.measuring import measure


@pytest.mark.parametrize(
    ("name", "shape", "target"),
    [
        ("breast_cancer", (569, 30), "label"),
        ("wine", (178, 13), "label"),
        ("diabetes", (442, 10), "progression"),
    ],
)
def test_the_tables_are_in_their_own_units(name, shape, target):
    found = arrays(name)
    x = np.concatenate([found.train["x"], found.test["x"]])
    assert x.shape == shape
    assert target in found.train
    units = {} if name != "diabetes" else {"scaled": False}
    theirs = getattr(sklearn.datasets, f"load_{name}")(**units).data
    np.testing.assert_allclose(np.sort(x, axis=0), np.sort(theirs, axis=0), rtol=1e-6)
    train, _ = load(name, fields=("x", target))
    assert set(fields_of(train)) == {"x", target}


def test_columns_are_standardised_by_the_training_rows():
    train, test = load("wine", batch_size=200, standardise=True)
    raw = arrays("wine")
    mean, scale = raw.train["x"].mean(axis=0), raw.train["x"].std(axis=0)
    held_out = next(iter(test)).numpy()
    np.testing.assert_allclose(held_out, (raw.test["x"] - mean) / scale, rtol=1e-3, atol=1e-4)
    x = next(iter(train)).numpy()
    np.testing.assert_allclose(x.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=0), 1.0, rtol=1e-5)
    assert (
        log_jacobian(train) == log_jacobian(test) == pytest.approx(-np.log(scale).sum(), rel=1e-5)
    )
    assert log_jacobian(load("wine")[0]) == log_jacobian(train.take(1)) == 0.0


def test_a_run_reports_densities_in_the_tables_own_units():
    """A decoder that ignores z is a Normal, whose density SciPy knows in both units."""
    _, test = load("wine", standardise=True)
    vae = VAE(
        Encoder(networks.MLP([4]), heads.MultivariateNormalDiag(1)),
        Decoder(networks.MLP([4]), heads.IndependentNormal((13,))),
    )
    vae.build((None, 13))
    head = vae.decoder.head
    head.projection.set_weights([np.zeros_like(w) for w in head.projection.get_weights()])
    raw = arrays("wine")
    mean, scale = raw.train["x"].mean(axis=0), raw.train["x"].std(axis=0)
    own = scipy.stats.norm.logpdf(raw.test["x"], mean, scale).sum(axis=1).mean()
    found = measure(vae, test, eval_samples=4)
    assert -found["nll"] == pytest.approx(own, rel=1e-4)
    assert found["elbo"] == pytest.approx(-found["nll"] - found["kl"], rel=1e-5)
    there = evaluation.elbo(vae, test, **QUIET)
    assert found["elbo"] == pytest.approx(there.mean + log_jacobian(test), abs=1e-2)
    assert found["bits_per_dimension"] is None


@pytest.mark.parametrize(
    ("name", "message"),
    [("digits", r"for tables of real numbers .* x has values in \[0, 1\]")],
)
def test_other_data_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        load(name, standardise=True)


def test_a_constant_column_is_refused(tmp_path):
    rows = "".join(f"{i},4\n" for i in range(20))
    (tmp_path / "t.csv").write_text(f"a,b\n{rows}")
    with pytest.raises(ValueError, match=r"same value in all training rows of entry 1"):
        load(tmp_path / "t.csv", standardise=True)
