"""What each level holds, against the linear hierarchy whose nats are known."""

import numpy as np
import pytest

import tests.models.linear_levels as exact
import tfvae
from tests.conformance.cases import SHAPE, levels
from tests.evaluation.models import digits_model, images
from tfvae.errors import UserError
from tfvae.evaluation import has_levels, level_use, levels_held


def test_nats_and_active_dimensions_of_each_level():
    """Both levels of the exact ladder follow x; the top one's KL is its closed form."""
    model = exact.exact_model(tfvae.LadderVAE)
    found = level_use(model, exact.X, num_samples=500, seed=3, batch_size=5)
    assert list(found) == ["z1", "z2"]
    assert found["z2"].kl == pytest.approx(exact.KL2.mean(), rel=1e-4)
    assert found["z1"].kl + found["z2"].kl == pytest.approx(exact.KL.mean(), abs=0.05)
    codes = model.encode(exact.X)
    for name, level in found.items():
        expected = np.var(codes[name], axis=0, ddof=1)
        np.testing.assert_allclose(level.active_units.variances, expected, rtol=1e-5)
        assert level.active_units.count == 1


def test_batches_do_not_change_the_draws():
    model = exact.exact_model(tfvae.HierarchicalVAE)
    few, all_at_once = (
        level_use(model, exact.X, num_samples=2, batch_size=size) for size in (5, 12)
    )
    assert few["z1"].kl == pytest.approx(all_at_once["z1"].kl, rel=1e-5)


def test_levels_are_drawn_anew_from_the_bottom_up():
    """A row each: the images, all held, z2 held, none."""
    model, x = levels(tfvae.LadderVAE), images(3, SHAPE)
    model.build((None, *SHAPE))
    sheet = levels_held(model, x, seed=4).axes[0].images[0].get_array()
    height, width = SHAPE[0] + 1, SHAPE[1] + 1
    assert sheet.shape[:2] == (4 * height - 1, 3 * width - 1)
    rows = [sheet[i * height : i * height + SHAPE[0], : SHAPE[1], 0] for i in range(4)]
    np.testing.assert_allclose(rows[0], x[0, ..., 0])
    np.testing.assert_allclose(rows[1], model.reconstruct(x).numpy()[0, ..., 0], atol=1e-6)
    again = levels_held(model, x[:1], seed=4).axes[0].images[0].get_array()
    np.testing.assert_allclose(again[-SHAPE[0] :, : SHAPE[1], 0], rows[3], atol=1e-6)
    assert not np.allclose(rows[2], rows[1])
    assert not np.allclose(rows[3], rows[2])


def test_one_level_is_refused():
    model = digits_model(2)
    assert not has_levels(model)
    with pytest.raises(UserError, match=r"for models of several levels.*rate_and_distortion"):
        level_use(model, images(3, (8, 8, 1)))
    with pytest.raises(UserError, match=r"levels_held\(\) needs"):
        levels_held(model, images(3, (8, 8, 1)))
    with pytest.raises(UserError, match="at least 2 examples"):
        level_use(exact.exact_model(tfvae.LadderVAE), exact.X[:1])
