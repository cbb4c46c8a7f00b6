"""What comes from draws says so: of the posterior without a closed form, and of no other."""

import numpy as np
import pytest

import tfvae
from tests.extension.cases import CASES, IMAGES
from tfvae import evaluation
from tfvae.callbacks import LatentDiagnostics
from tfvae.evaluation import pictures
from tfvae.runs.measuring import measure, table

FROM_DRAWS = "means from 256 draws"


@pytest.fixture(scope="module")
def models():
    """One whose means are from draws, and one whose are not."""
    made = {case.name: case for case in CASES}
    return {True: made["posterior"].built(), False: made["prior"].built()}


@pytest.mark.parametrize("drawn", [True, False])
def test_active_units(models, drawn):
    assert evaluation.active_units(models[drawn], IMAGES).draws == (256 if drawn else 0)


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize(
    "picture",
    [
        pictures.latent_scatter,
        pictures.reconstructions,
        lambda model, x: pictures.traversals(model, x, steps=3),
        lambda model, x: pictures.interpolations(model, x[:2], x[2:4], steps=3),
    ],
    ids=["scatter", "reconstructions", "traversals", "interpolations"],
)
def test_titles_of_pictures(models, drawn, picture):
    title = picture(models[drawn], IMAGES[:20]).axes[0].get_title()
    assert title
    assert (FROM_DRAWS in title) == drawn


@pytest.mark.parametrize("drawn", [True, False])
def test_logs(models, drawn):
    logs = {}
    callback = LatentDiagnostics(IMAGES)
    callback.set_model(models[drawn])
    callback.on_epoch_end(0, logs)
    assert logs["code_draws"] == (256 if drawn else 0)


@pytest.mark.parametrize("drawn", [True, False])
def test_evaluation(models, drawn):
    found = measure(models[drawn], IMAGES[:4], eval_samples=5)
    assert found["code_draws"] == (256 if drawn else 0)
    assert any(FROM_DRAWS in line for line in table({"first": found})) == drawn


@pytest.mark.parametrize("drawn", [True, False])
def test_exports(models, drawn, tmp_path):
    done = tfvae.export.saved_model(models[drawn], tmp_path, warmup_batch_sizes=())
    said = ["the encoder returns mean and stddev from 256 draws: they have no closed form"]
    assert list(done.notes) == (said if drawn else [])


def test_the_draws_are_what_it_says():
    """256 of them: the mean's standard error is a sixteenth of the deviation, and no less."""
    model = next(case for case in CASES if case.name == "posterior").built()
    q = model.encoder(IMAGES[:1])
    many = np.asarray(q.sample(100_000, seed=[1, 2]))
    code = evaluation.latent_codes(model, IMAGES[:1])[0, 0]
    assert 0 < abs(code - many.mean()) < 4.5 * many.std() / 16
