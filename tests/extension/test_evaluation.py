"""What is asked of a stranger is what it can do, and it is refused by the name of what it can't."""

import numpy as np
import pytest
import tensorflow as tf

from tests.extension.cases import CASES, ROWS, SEED, SHAPE
from tfvae import evaluation
from tfvae.callbacks import LatentDiagnostics
from tfvae.evaluation import pictures


def test_codes_and_active_units(case, trained):
    model, _ = trained
    codes = evaluation.latent_codes(model, case.inputs)
    levels = {"z1", "z2"} if case.name == "levels" else {"z"}
    assert set(codes if isinstance(codes, dict) else {"z": codes}) == levels
    for level in tf.nest.flatten(codes):
        assert level.shape == (ROWS, 1)
        assert np.ptp(level) > 0.0
    units = evaluation.active_units(model, case.inputs)
    assert units.variances.shape == (len(levels),)
    assert 1 <= units.count <= len(levels), "a trained model uses its code"


def test_rate_and_distortion_sum_to_the_elbo(case, trained):
    model, _ = trained
    parts = evaluation.rate_and_distortion(model, case.first(8), num_samples=10)
    bound = evaluation.elbo(model, case.first(8), num_samples=10)
    np.testing.assert_allclose(-parts.rate.mean - parts.distortion.mean, bound.mean, rtol=1e-6)


def test_the_kl_splits_over_dimensions_where_there_is_a_formula(case, trained):
    model, _ = trained
    if case.normal:
        split = evaluation.kl_per_dimension(model, case.inputs)
        total = evaluation.elbo(model, case.inputs).kl
        if case.name != "objective":  # it estimates the KL
            np.testing.assert_allclose(split.sum(), total.mean(), rtol=1e-5)
        return
    with pytest.raises(ValueError, match="split"):
        evaluation.kl_per_dimension(model, case.inputs)


@pytest.mark.parametrize("case", [c for c in CASES if c.annealed], ids=str, indirect=True)
def test_diagnostics_look_at_it_while_it_trains(case):
    model = case.built()
    logs = model.fit(
        case.inputs, batch_size=16, verbose=0, callbacks=[LatentDiagnostics(case.inputs)]
    ).history
    assert np.isfinite([logs["active_units"], logs["rate"], logs["distortion"]]).all()


def test_samples_do_not_depend_on_how_many_there_are(case, trained):
    model, _ = trained
    few, more = (model.sample(n, seed=SEED, **case.one_given()) for n in (3, 5))
    assert few.shape == (3, *model.fields()["x"].shape)
    # One program for every number: the last rows of a vectorised loop may round otherwise.
    np.testing.assert_allclose(few, more[:3], rtol=1e-6, atol=1e-6)
    assert np.any(few != model.sample(3, seed=SEED + 1, **case.one_given()))


def test_pictures_of_what_is_an_image(case, trained, tmp_path):
    model, _ = trained
    path = tmp_path / "reconstructions.png"
    if case.name == "likelihood":
        with pytest.raises(ValueError, match=r"draws images \[H, W, C\]; the model's x has shape"):
            pictures.reconstructions(model, case.first(4), save=path)
    elif case.name == "labelled":
        with pytest.raises(ValueError, match="lacks the field 'label'"):
            pictures.reconstructions(model, case.first(4)["x"], save=path)
    else:
        pictures.reconstructions(model, case.first(4), save=path)
        assert path.stat().st_size > 1000
    assert path.exists() == (case.name not in ("likelihood", "labelled"))


def test_walks_through_one_latent_vector(case, trained):
    model, _ = trained
    if case.name == "levels":
        with pytest.raises(ValueError, match="without conditions, and TwoLevels"):
            pictures.traversals(model, case.first(8))
    elif model.fields().keys() == {"x"} and model.fields()["x"].shape == SHAPE:
        assert pictures.traversals(model, case.first(8)) is not None


def test_a_scatter_of_the_codes(case, trained, tmp_path):
    pictures.latent_scatter(trained[0], case.inputs, save=tmp_path / "codes.png")
    assert (tmp_path / "codes.png").stat().st_size > 1000
